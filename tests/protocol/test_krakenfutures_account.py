"""Kraken Futures' account through the real adapter: fills, funding, wallet, rights of a key.

Payloads are written after docs.kraken.com/api, Futures: nobody here has asked the venue. The rest
is asked of the simulated venue.
"""

from __future__ import annotations

import base64
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exchanges.ccxt_adapter.calls import kraken_futures_wallet as wallet
from exchanges.domain import (
    FillCause,
    Side,
    Symbol,
)
from exchanges.errors import (
    CredentialRefused,
    UnexpectedPayload,
)
from exchanges.simulator.accounts import Origin
from exchanges.simulator.listings import KRAKEN_FUTURES, WALLETS
from exchanges.simulator.wire import WireRequest
from tests.protocol.canned import CannedVenue
from tests.protocol.krakenfutures_desk import PF, SYMBOL, Desk
from tests.protocol.venue_desk import OWN, D
from tests.simulation.transport import InProcessSession
from tests.simulator.nearby import call
from tests.simulator.world import START

pytestmark = pytest.mark.protocol


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    call(opened.client.close())


def test_fills_carry_the_fee_that_the_log_alone_tells(desk: Desk) -> None:
    desk.submit(base_quantity=D("0.02"))

    [fill] = call(desk.account.fills(SYMBOL, since=START))

    [trade] = desk.world.simulator.ledger.trades
    assert (fill.fee, fill.fee_asset, fill.client_order_id) == (trade.fee, "USD", OWN)
    assert fill.fee > 0
    assert not fill.is_maker


def test_a_fill_without_its_fee_is_a_failed_read_and_none_without_fee(desk: Desk) -> None:
    desk.submit()
    empty = {"accountUid": "1", "logs": []}
    kept, near = desk.far.answer, CannedVenue(KRAKEN_FUTURES, {"/account-log": empty})

    def answer(request: WireRequest, rule: Any) -> Any:
        is_log = request.path.endswith("/account-log")
        return near.answer(request, rule) if is_log else kept(request, rule)

    desk.far.answer = answer  # type: ignore[method-assign]
    with pytest.raises(UnexpectedPayload):
        call(desk.account.fills(SYMBOL, since=START))


def test_more_than_a_hundred_fills_are_read_to_the_end(desk: Desk) -> None:
    for _ in range(130):
        desk.world.place(KRAKEN_FUTURES, Side.BUY, "0.001")
        desk.world.at += timedelta(milliseconds=10)

    fills = call(desk.account.fills(SYMBOL, since=START))

    booked = [row.venue_trade_id for row in desk.world.simulator.ledger.trades]
    assert len(fills) == len(booked) >= 130
    assert [fill.venue_trade_id for fill in fills] == booked
    assert len(desk.far.asked("/fills")) == 2


def test_the_log_is_read_by_few_entries_first_and_then_to_its_end(desk: Desk) -> None:
    for _ in range(20):
        desk.world.place(KRAKEN_FUTURES, Side.BUY, "0.001")
        desk.world.at += timedelta(milliseconds=10)

    fills = call(desk.account.fills(SYMBOL, since=START))

    assert [fill.fee for fill in fills] == [row.fee for row in desk.world.simulator.ledger.trades]
    assert [asked["count"] for asked in desk.far.asked("/account-log")] == ["25", "1000"]


def test_a_venue_made_closing_tells_its_cause(desk: Desk) -> None:
    desk.submit(base_quantity=D("0.02"))
    listing = desk.world.listing(KRAKEN_FUTURES)
    owner = desk.world.account(KRAKEN_FUTURES)
    for origin in (Origin.LIQUIDATION, Origin.ADL):
        desk.world.simulator.engine.close_by_venue(
            owner, listing, origin, base_quantity=D("0.01"), now=desk.world.at
        )

    causes = {fill.cause for fill in call(desk.account.fills(SYMBOL, since=START))}
    assert causes == {FillCause.ORDER, FillCause.LIQUIDATION, FillCause.ADL}


def test_funding_is_paid_by_changes_and_hours_and_all_of_it_is_in_the_log(desk: Desk) -> None:
    desk.world.pin(KRAKEN_FUTURES, funding_rate="0.001")
    desk.world.place(KRAKEN_FUTURES, Side.SELL, "0.1")
    desk.world.wait(minutes=30)
    desk.world.place(KRAKEN_FUTURES, Side.BUY, "0.05")
    desk.world.wait(minutes=30)

    payments = call(desk.account.funding_payments({PF: SYMBOL}, since=START))

    # 30 minutes of 0.1, received by the short; then 29.5 of 0.05.
    assert [one.payment for one in payments] == [D(3), D("1.475")]
    assert [one.paid_at for one in payments] == [
        START + timedelta(minutes=30),
        datetime(2026, 1, 5, 13, tzinfo=UTC),
    ]
    assert {(one.asset, one.symbol) for one in payments} == {("USD", SYMBOL)}
    assert len({one.venue_payment_id for one in payments}) == 2


def test_what_an_entry_changed_is_its_profit_and_funding_less_its_fee(desk: Desk) -> None:
    desk.world.pin(KRAKEN_FUTURES, funding_rate="0.001")
    desk.world.place(KRAKEN_FUTURES, Side.SELL, "0.1")
    desk.world.wait(minutes=30)
    desk.world.place(KRAKEN_FUTURES, Side.BUY, "0.05")
    desk.world.wait(minutes=45)
    entries = call(desk.client.exchange._log(0, 1 << 50))

    of_wallet = [one for one in entries if one["asset"] != one["contract"]]
    assert len(of_wallet) == 3
    for one in of_wallet:
        parts = [D(one[name] or 0) for name in ("realized_pnl", "realized_funding", "fee")]
        changed = D(one["new_balance"]) - D(one["old_balance"])
        assert abs(changed - (parts[0] + parts[1] - parts[2])) < D("1e-6")


def entry(**changes: Any) -> dict[str, Any]:
    """Return an entry of the log as the documents describe it, of a wallet."""
    nothing = ("contract", "execution", "fee", "realized_funding", "liquidation_fee")
    told = {"id": 7, "date": "2026-03-01T12:00:00.000Z", "asset": "usd", "info": "futures trade"}
    told |= {"margin_account": "flex", "old_balance": "0", "new_balance": "0"}
    return {**dict.fromkeys(nothing), **told, **changes}


def test_the_entry_of_a_position_is_neither_fee_nor_payment() -> None:
    twin = entry(asset="pf_xbtusd", contract="pf_xbtusd", execution="e1", fee="9")
    twin |= {"realized_funding": "9"}
    own = entry(contract="pf_xbtusd", execution="e1", fee="0.5", liquidation_fee="0.25")

    assert wallet.fees([twin, own]) == {"e1": {"fee": D("0.75"), "asset": "USD"}}
    assert wallet.payments([twin, own]) == []


def test_payments_are_entries_by_their_number_with_the_sign_of_what_came_in() -> None:
    hour = entry(contract="PF_XBTUSD", realized_funding="-0.0153", info="funding rate change")
    nothing = entry(id=8, contract="pf_xbtusd", realized_funding="0.0", execution="e1", fee="1")

    assert wallet.payments([hour, nothing]) == [
        {
            "symbol": PF,
            "time": 1_772_366_400_000,
            "key": 7,
            "payment": "-0.0153",
            "asset": "USD",
        }
    ]


def test_transfers_and_both_sides_of_a_conversion_move_money() -> None:
    entries = [
        entry(info="cross-exchange transfer", old_balance="5", new_balance="105"),
        entry(id=8, info="conversion", asset="usdt", old_balance="10", new_balance="4"),
        entry(id=9, info="futures trade", old_balance="5", new_balance="4"),
        # Of the wallet that holds and the one of inverse contracts: neither margins ours.
        entry(id=10, info="transfer", margin_account="USD", old_balance="100", new_balance="0"),
        entry(id=11, info="transfer", margin_account="F-ETHUSD", new_balance="1"),
    ]

    told = [(row["asset"], row["amount"]) for row in wallet.transfers(entries)]
    assert told == [("USD", D(100)), ("USDT", D(-6))]


def test_moves_are_told_since_long_ago_of_a_log_that_is_read_once(desk: Desk) -> None:
    owner, ledger = desk.world.account(KRAKEN_FUTURES), desk.world.simulator.ledger
    begin = desk.world.at
    ledger.move(owner, WALLETS[KRAKEN_FUTURES], "USD", D(50), now=desk.world.at)
    first = call(desk.account.transfers(since=begin))
    desk.world.wait(hours=30)
    ledger.move(owner, WALLETS[KRAKEN_FUTURES], "USD", D(-20), now=desk.world.at)

    second = call(desk.account.transfers(since=begin))

    assert [moved.amount for moved in first] == [D(50)]
    assert [moved.amount for moved in second] == [D(50), D(-20)]
    assert call(desk.account.transfers(since=begin)) == second
    # A read from further back is one of all again.
    assert call(desk.account.transfers(since=begin - timedelta(days=9))) == second
    asked = [int(one["since"]) - int(begin.timestamp() * 1000) for one in desk.far.asked("-log")]
    minute, hour = 60_000, 3_600_000
    # Each read goes a minute beyond now; the third begins an hour before that.
    assert asked == [0, 0, 29 * hour + minute, -9 * 24 * hour]


def test_what_margins_contracts_is_told_once_with_the_dollars() -> None:
    flex = {
        "currencies": {"USDT": {"quantity": "50"}, "XBT": {"quantity": "1"}},
        "availableMargin": "60000",
        "totalUnrealized": "-12.5",
    }

    told = wallet.balances(flex, margin="availableMargin", unrealised="totalUnrealized")

    assert [(row["asset"], row["total"], row["equity"], row["free"]) for row in told] == [
        ("USDT", D(50), D(50), 0),
        ("XBT", D(1), D(1), 0),
        # Losses are owed in dollars, of which the wallet holds none.
        ("USD", 0, D("-12.5"), D(60_000)),
    ]


LEVELS = [
    {"numNonContractUnits": "0", "maintenanceMargin": "0.01"},
    {"numNonContractUnits": "50000", "maintenanceMargin": "0.02"},
]
FLEX = {"marginEquity": "10000", "maintenanceMargin": "500"}


@pytest.mark.parametrize(
    ("size", "price"),
    [
        # 9,500 are left: a long loses them, and what it has to keep, from 40,000 on.
        ("0.5", "20808.0808"),
        ("-0.5", "58811.8812"),
        # Of two the second level counts.
        ("2", "35153.0612"),
        # Of a tenth the coin cannot lose so much.
        ("0.1", None),
    ],
)
def test_where_a_position_is_liquidated_follows_from_the_wallet(
    size: str, price: str | None
) -> None:
    found = wallet.liquidated_at(D(size), "40000", LEVELS, FLEX)

    assert (None if found is None else round(found, 4)) == (None if price is None else D(price))


def test_positions_tell_where_they_are_liquidated_as_the_feed_does(desk: Desk) -> None:
    desk.submit(base_quantity=D("10"))

    [position] = call(desk.account.positions())

    told = position.liquidation_price
    assert told is not None
    # 100,000 less the fee, on 10 coins at 60,000 of which 1 % has to be kept.
    assert abs(told - D(50_530)) < 20


def test_what_is_held_is_told_whatever_letters_its_contract_is_written_in(desk: Desk) -> None:
    call(desk.client.ready())
    row = {"side": "long", "symbol": PF.lower(), "price": 60000, "size": 0.02}
    told = {"result": "success", "openPositions": [row], "serverTime": "2026-03-01T12:30:00.000Z"}
    kept, near = desk.far.answer, CannedVenue(KRAKEN_FUTURES, {"/openpositions": told})

    def answer(request: WireRequest, rule: Any) -> Any:
        is_held = request.path.endswith("/openpositions")
        return near.answer(request, rule) if is_held else kept(request, rule)

    desk.far.answer = answer  # type: ignore[method-assign]
    [held] = call(desk.account.positions())

    assert (held.symbol, held.base_quantity) == (SYMBOL, D("0.02"))


def test_a_payment_is_of_its_contract_whose_name_has_a_small_letter(desk: Desk) -> None:
    paid = entry(contract="pf_aaplxusd", realized_funding="1.5")
    desk.client.exchange.session = InProcessSession(
        lambda: CannedVenue(KRAKEN_FUTURES, {"/account-log": {"logs": [paid]}})
    )
    apple = Symbol("AAPLx/USD:USD")

    [payment] = call(desk.account.funding_payments({"PF_AAPLxUSD": apple}, since=START))

    assert (payment.symbol, payment.payment) == (apple, D("1.5"))


def test_an_unknown_right_to_move_money_is_one(desk: Desk) -> None:
    details = {
        "accountUid": "1",
        "permissions": {"general": "FULL_ACCESS", "transfer": "SOME_ACCESS"},
        "allowedCidrBlocks": [],
    }
    far = CannedVenue(KRAKEN_FUTURES, {"/api-keys/v3/check": details})
    call(desk.client.ready())
    desk.client.exchange.session = InProcessSession(lambda: far)

    with pytest.raises(CredentialRefused, match="may withdraw and move money"):
        call(desk.account.check_key())


def test_a_key_that_only_reads_is_refused_with_the_steps_to_change_it(desk: Desk) -> None:
    details = {
        "accountUid": "1",
        "permissions": {"general": "READ_ONLY", "transfer": "NO_ACCESS"},
        "allowedCidrBlocks": ["192.0.2.0/24"],
    }
    far = CannedVenue(KRAKEN_FUTURES, {"/api-keys/v3/check": details})
    call(desk.client.ready())
    desk.client.exchange.session = InProcessSession(lambda: far)

    with pytest.raises(CredentialRefused, match="General API to Full access"):
        call(desk.account.check_key())


def test_a_wrong_secret_is_a_key_that_does_not_work(desk: Desk) -> None:
    desk.client.exchange.secret = base64.b64encode(b"another").decode()

    with pytest.raises(CredentialRefused):
        call(desk.account.balances())
