"""What is stored of a number is the number, however large or small, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges.models import AccountBalance, Instrument
from exchanges.services import store_listing
from tests.market import make_instrument as listed
from tests.web.rows import make_account, make_exchange

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
D = Decimal
# 50,000 USD of a coin at 0.000004, and the largest and finest that the columns hold.
QUANTITIES = (
    D("12500000000"),
    D("12500000000.5"),
    D("-99999999999999999999.999999999999999999"),
    D("0.000000000000000001"),
)


@pytest.mark.parametrize("quantity", QUANTITIES, ids=str)
def test_a_quantity_of_a_coin_worth_next_to_nothing_is_stored_whole(
    owner: User, quantity: Decimal
) -> None:
    account = make_account(owner, make_exchange("bybit", "BYB", "Bybit"), NOW)

    AccountBalance.objects.create(
        account=account,
        asset="PEPE",
        free=quantity,
        total=quantity,
        equity=quantity,
        observed_at=NOW,
    )

    assert AccountBalance.objects.get(total=quantity).free == quantity


def test_a_contract_of_such_a_coin_is_listed_and_its_listing_renewed() -> None:
    exchange = make_exchange("bybit", "BYB", "Bybit")
    largest = D("100000000") * 1000
    contract = replace(listed("bybit"), max_base_quantity=largest)

    store_listing(exchange, [contract], [], NOW)
    changed = store_listing(exchange, [replace(contract, max_base_quantity=2 * largest)], [], NOW)

    assert Instrument.objects.get().max_base_quantity == 2 * largest
    assert len(changed) == 1
