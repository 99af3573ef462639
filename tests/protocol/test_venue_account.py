from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.domain import Side
from exchanges.errors import CredentialRefused, VenueError
from tests.protocol.conftest import (
    DATED,
    DOLLARS,
    VENUES,
    Desk,
    OpenDesk,
    Simulator,
    assert_exact,
    run,
)

pytestmark = pytest.mark.protocol

# Kraken tells futures keys none.
MUTE_ON_FEES = ("krakenfutures",)


def test_fills_are_the_ledgers_to_the_last_digit(simulator: Simulator, desk: Desk) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    for side in (Side.BUY, Side.SELL):
        run(desk.trading.submit(desk.order("0.02", side)))

    fills = run(desk.account.fills(desk.symbol, since=since))

    booked = simulator.ask("GET", f"/ledger?api_key={desk.key.api_key}")["fills"]
    assert [fill.side for fill in fills] == [Side.BUY, Side.SELL]
    assert {
        (fill.venue_trade_id, fill.price, fill.base_quantity, fill.fee, fill.fee_asset)
        for fill in fills
    } == {
        (
            row["venue_trade_id"],
            Decimal(row["price"]),
            Decimal(row["base_quantity"]),
            Decimal(row["fee"]),
            row["fee_asset"],
        )
        for row in booked
    }
    for fill in fills:
        assert_exact(fill)


def test_a_fill_tells_the_own_id_of_its_order_at_once_or_when_traced(desk: Desk) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    order = desk.order("0.02", Side.BUY)
    run(desk.trading.submit(order))

    (fill,) = run(desk.account.fills(desk.symbol, since=since))

    assert run(desk.account.trace(fill)).client_order_id == order.client_order_id


def test_positions_are_signed_in_base_units(futures_desk: Desk) -> None:
    desk = futures_desk
    run(desk.trading.submit(desk.order("0.03", Side.SELL)))

    (position,) = run(desk.account.positions())

    assert position.symbol == desk.symbol
    assert position.base_quantity == Decimal("-0.03")
    assert not position.is_hedge_mode
    assert_exact(position)


def test_balance_holds_what_was_deposited(desk: Desk) -> None:
    balances = {balance.asset: balance for balance in run(desk.account.balances())}
    dollar = DOLLARS.get(desk.venue, "USDT")

    assert balances[dollar].total == 100_000
    assert balances[dollar].free == 100_000
    assert_exact(balances[dollar])


def test_resting_order_lowers_what_is_free(desk: Desk) -> None:
    dollar = DOLLARS.get(desk.venue, "USDT")
    run(desk.trading.submit(desk.resting("0.05")))

    balances = {balance.asset: balance for balance in run(desk.account.balances())}

    assert balances[dollar].free < balances[dollar].total == 100_000


def test_fees_are_the_accounts_own(desk: Desk) -> None:
    tier = run(desk.account.fee_tier(desk.symbol))

    assert tier.taker > tier.maker >= 0 or tier.taker == tier.maker
    assert tier.is_fallback is (desk.venue in MUTE_ON_FEES)
    assert_exact(tier)


def test_fees_that_cannot_be_asked_are_marked(undisturbed: Simulator, desk: Desk) -> None:
    if desk.venue in MUTE_ON_FEES:
        return
    # The question before reads what the venue lists: the fault meets the fees alone.
    assert not run(desk.account.fee_tier(desk.symbol)).is_fallback
    undisturbed.disturb("server_error")

    assert run(desk.account.fee_tier(desk.symbol)).is_fallback


def test_good_key_passes_the_check(desk: Desk) -> None:
    run(desk.account.check_key())


def test_key_that_may_withdraw_is_refused(open_desk: OpenDesk) -> None:
    for venue in VENUES:
        with pytest.raises(CredentialRefused, match="may withdraw"):
            run(open_desk(venue, may_withdraw=True).account.check_key())


def test_wrong_secret_fails_the_check(open_desk: OpenDesk) -> None:
    # At Hyperliquid a key is of an agent or of nobody: its own tests.
    for venue in ("binance", *DATED):
        with pytest.raises(CredentialRefused, match="check the key"):
            run(open_desk(venue, secret="another-secret").account.check_key())


@pytest.mark.parametrize("garbage", ["truncated", "html", "empty", "null", "object"])
def test_failed_read_of_positions_is_never_flat(
    undisturbed: Simulator, futures_desk: Desk, garbage: str
) -> None:
    desk = futures_desk
    run(desk.trading.submit(desk.order()))
    undisturbed.disturb("garbage", garbage=garbage)

    with pytest.raises(VenueError):
        run(desk.account.positions())
