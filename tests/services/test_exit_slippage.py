"""What leaving costs is walked off the other side of the book: scan, exact count and exit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges.domain import Depth
from tests.market import NOW, PERP, D, make_levels
from tests.services.scan_market import VENUES, Market, configure_more, make_market
from tests.web.rows import make_position
from trading.services.held_position import held_position
from trading.services.seen import Seen

pytestmark = pytest.mark.db

TOUCH = D(1) / 50_000


@pytest.fixture
def market(owner: User) -> Market:
    """Asks that take all at 0.01 %, bids that take 0.2 there and the rest at 0.05 %."""
    market = make_market(owner)
    asks = make_levels(("50005", "10"))
    bids = make_levels(("49995", "0.2"), ("49975", "10"))
    market.depths = {
        (venue, PERP): Depth(venue=venue, symbol=PERP, bids=bids, asks=asks, observed_at=NOW)
        for venue in VENUES
    }
    configure_more(market, order_amount_usd="20000")
    return market


def test_each_leg_is_counted_in_on_one_side_and_out_on_the_other(market: Market) -> None:
    finding = market.judge()

    candidate = finding.candidate
    assert candidate is not None
    assert finding.size_usd == 20_000
    # 0.4 BTC: bought at 1 bp, sold half at 1 bp and half at 5.
    long, short = candidate.costs.legs
    assert (long.entry_slippage, long.exit_slippage) == (D("0.0001"), D("0.0003"))
    assert (short.entry_slippage, short.exit_slippage) == (D("0.0003"), D("0.0001"))
    assert {point.size_usd: point.net_return for point in finding.curve}[D(20_000)] == (
        candidate.net_return
    )


def test_the_pass_over_the_market_charges_either_side_once(market: Market) -> None:
    scan = market.scan()
    scan.worth_judging("BTC", market.seen, NOW)
    (user,) = scan.users
    (scanner,) = user.shared.scanners

    room, impact = scanner.facts.room[0, 0], scanner.facts.impact[0, 0]

    # Ten are bought at 1 bp and sold at (0.2 x 1 + 9.8 x 5) / 10 = 4.92; the touch is 0.2 away.
    assert room == 500_000
    assert impact * room == pytest.approx(0.000592 - 2 * 0.00002)


def test_a_position_is_left_at_what_its_size_slips(market: Market) -> None:
    position = make_position(
        market.user, market.instrument("binanceusdm"), market.instrument("bybit"), NOW
    )
    position.size_usd = D(20_000)
    legs = list(position.legs.select_related("instrument__exchange", "account__exchange"))

    def exit_cost(seen: Seen) -> Decimal:
        held = held_position(position, legs, seen, NOW)
        assert held is not None
        return held.exit_cost

    fees = D("0.001")
    assert exit_cost(Seen(market.board)) == fees + 2 * TOUCH
    # The long leg is sold half at 1 bp and half at 5, the short one bought at 1.
    assert exit_cost(market.seen) == fees + D("0.0003") + D("0.0001")
