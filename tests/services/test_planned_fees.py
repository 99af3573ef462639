"""The scan plans the fees of an account as its entry style will pay them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges.models import AccountFee
from tests.market import NOW, D
from tests.services.scan_market import Market, configure_more, make_market

pytestmark = pytest.mark.db


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def test_resting_as_a_maker_is_planned_at_the_account_s_own_fee(market: Market) -> None:
    configure_more(market, entry_style="maker")

    def fees() -> Decimal:
        candidate = market.judge().candidate
        assert candidate is not None
        return candidate.costs.fees

    # Three takers of 5 bp, and one of the two that rests for 2.
    assert fees() == D("0.0017")
    # A list price is no account's own.
    AccountFee.objects.update(is_fallback=True)
    assert fees() == D("0.0020")


def test_the_pass_over_the_market_rings_what_only_a_maker_s_fee_makes_worth_it(
    market: Market,
) -> None:
    # Six payments of 10 bp less four fees of 5 bp and four half touches of 0.2 are 39.2 bp.
    configure_more(market, min_net_return="0.0041")
    assert market.scan().worth_judging("BTC", market.seen, NOW) == []

    configure_more(market, min_net_return="0.0041", entry_style="maker")

    assert len(market.scan().worth_judging("BTC", market.seen, NOW)) == 1
    assert market.judge().refusal is None
