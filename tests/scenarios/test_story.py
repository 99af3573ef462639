"""The whole way: a rate becomes a hedged position, pays, is closed, and the books agree."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from tests.machine import wait_until
from tests.scenarios.conftest import POLLING, STREAMING
from tests.scenarios.desk import CALM_RATE, PATIENCE, Desk
from trading.services.demo import BALANCES

pytestmark = pytest.mark.scenario

DEPOSITS = {
    "binanceusdm": Decimal(str(BALANCES["binance"]["usdm"]["USDT"])),  # type: ignore[index]
    "bybit": Decimal(str(BALANCES["bybit"]["USDT"])),
    "okx": Decimal(str(BALANCES["okx"]["USDT"])),
}


def opened_by_the_scheduler(desk: Desk, base: str) -> UUID:
    def found() -> list[UUID]:
        return [
            held.id
            for held in desk.books.positions()
            if (held.base, held.opened_by) == (base, "scheduler")
        ]

    wait_until(found, timeout=PATIENCE, what=f"the scheduler opens {base}")
    return found()[0]


def wait_for_settlements(desk: Desk, base: str, count: int) -> None:
    """Wait until both venues have paid `base` that often."""
    wait_until(
        lambda: len(desk.venues.payments(base)) >= 2 * count,
        timeout=PATIENCE,
        what=f"{base} is paid {count} times at both venues",
    )


@pytest.mark.parametrize("shared_desk", [STREAMING, POLLING], indirect=True, scope="package")
def test_opened_twice_funded_twice_closed_and_the_books_agree(desk: Desk) -> None:
    desk.person.configure(persistence="0")
    desk.rates("BTC", binanceusdm="0", bybit="0.0006")
    by_hand = desk.open("ETH", long="okx")
    assert desk.entered(by_hand).state == "open"
    by_itself = opened_by_the_scheduler(desk, "BTC")
    assert desk.entered(by_itself).state == "open"
    for base in ("ETH", "BTC"):
        desk.assert_hedged_or_flat(base)
        wait_for_settlements(desk, base, 2)

    desk.person.close(by_hand)
    # Now staying costs more than leaving, for as long as the position is planned to be held.
    desk.rates("BTC", binanceusdm="0.0006", bybit="0")

    assert desk.wait_for(by_hand, "closed").close_reason == "manual"
    # Two rules see it, and which of them looks first is a matter of the moment.
    reason = desk.wait_for(by_itself, "closed").close_reason
    assert reason in ("cost_of_staying", "funding_regime")
    desk.rates("BTC", binanceusdm=CALM_RATE, bybit=CALM_RATE)
    assert (desk.venues.held("ETH"), desk.venues.held("BTC")) == ({}, {})
    desk.assert_one_order_per_intent()
    desk.assert_books_agree()
    assert_wallets_moved_by_what_was_booked(desk)


def assert_wallets_moved_by_what_was_booked(desk: Desk) -> None:
    """Flat again, each account has gained its sales less its purchases and fees, plus funding."""
    for venue, deposit in DEPOSITS.items():
        fills = [fill for fill in desk.books.fills() if fill.venue == venue]
        traded = sum(
            (
                fill.price * fill.base_quantity * (1 if fill.side == "sell" else -1) - fill.fee
                for fill in fills
            ),
            Decimal(0),
        )
        paid = sum((row.payment for row in desk.books.payments() if row.venue == venue), Decimal(0))
        assert desk.venues.wallet(venue) == deposit + traded + paid
