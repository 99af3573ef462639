"""The parts of an equity change add up against an account that keeps its own, plainer books."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.domain import Side
from exchanges.matching import Holding, book_fill
from trading.core.equity_bridge import (
    AccountReading,
    BookedFill,
    Booking,
    Bridge,
    HeldAtVenue,
    HeldCoins,
    LegBook,
    account_bridge,
)
from trading.core.pnl import EXACT

pytestmark = pytest.mark.core

D = Decimal
FLAT = Holding()
STAKE = D(10_000)
START = datetime(2026, 1, 5, tzinfo=UTC)
DUST = D("1E-40")
quick = settings(max_examples=150, deadline=None)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def fill(hours: float, side: Side, price: str, quantity: str, fee: str = "0") -> BookedFill:
    return BookedFill(
        at=at(hours), side=side, price=D(price), base_quantity=D(quantity), fee_usd=D(fee)
    )


def reading(
    hours: float, wallet: str, unrealised: str = "0", **positions: tuple[str, str]
) -> AccountReading:
    return AccountReading(
        at=at(hours),
        wallet_usd=D(wallet),
        equity_usd=D(wallet) + D(unrealised),
        positions={
            symbol: HeldAtVenue(base_quantity=D(quantity), unrealised_usd=D(gain))
            for symbol, (quantity, gain) in positions.items()
        },
    )


def test_a_partial_exit_in_parts() -> None:
    # 2 bought at 100 for a fee of 0.20; +3.00 funding; 1 sold at 110 for 0.11; 1 open at 105
    book = LegBook(
        symbol="BTC",
        fills=[fill(1, Side.BUY, "100", "2", "0.20"), fill(3, Side.SELL, "110", "1", "0.11")],
        payments=[Booking(at=at(2), amount_usd=D(3))],
    )
    bridge = account_bridge(reading(0, "1000"), reading(4, "1012.69", "5", BTC=("1", "5")), [book])

    assert bridge == Bridge(
        equity_change=D("17.69"),
        price_pnl=D(15),
        funding=D(3),
        fees=D("0.31"),
        notional_usd=D(310),
    )
    assert bridge.net_pnl == D("17.69") and bridge.unexplained == 0


def test_a_position_that_was_open_before_counts_only_what_it_gained_since() -> None:
    book = LegBook(symbol="BTC", fills=[fill(-5, Side.SELL, "100", "2", "0.20")])
    bridge = account_bridge(
        reading(0, "999.80", "10", BTC=("-2", "10")),
        reading(1, "999.80", "-4", BTC=("-2", "-4")),
        [book],
    )

    assert (bridge.price_pnl, bridge.fees, bridge.unexplained) == (D(-14), 0, 0)
    assert bridge.notional_usd == D(200)


def test_a_failed_attempt_costs_on_a_line_of_its_own() -> None:
    failed = LegBook(
        symbol="BTC",
        fills=[fill(1, Side.BUY, "100", "1", "0.05"), fill(1.1, Side.SELL, "99", "1", "0.05")],
        is_failed_attempt=True,
    )
    bridge = account_bridge(reading(0, "1000"), reading(2, "998.90"), [failed])

    assert bridge == Bridge(
        equity_change=D("-1.10"), failed_attempts=D("1.10"), notional_usd=D(199)
    )
    assert bridge.unexplained == 0


def test_transfers_are_no_gain() -> None:
    bridge = account_bridge(
        reading(0, "1000"), reading(2, "1250"), [], [Booking(at=at(1), amount_usd=D(250))]
    )
    assert (bridge.net_pnl, bridge.transfers, bridge.unexplained) == (0, D(250), 0)


def test_a_strangers_gain_is_unexplained_while_it_is_open_and_after() -> None:
    ours = LegBook(symbol="BTC", fills=[fill(-1, Side.BUY, "100", "1")])
    before = reading(0, "1000", "0", BTC=("1", "0"))
    # somebody bought 3 more: three quarters of the 8 are not ours
    beside = account_bridge(before, reading(1, "1000", "8", BTC=("4", "8")), [ours])
    other = account_bridge(before, reading(1, "1000", "8", BTC=("1", "0"), ETH=("9", "8")), [ours])

    assert (beside.price_pnl, beside.unexplained) == (D(2), D(6))
    assert (other.price_pnl, other.unexplained) == (0, D(8))


@pytest.mark.parametrize(
    ("unexplained", "notional", "alerts"),
    [("0.5", "4999", True), ("0.5", "5000", False), ("0.009", "0", False), ("-1", "0", True)],
)
def test_more_than_a_basis_point_of_notional_is_an_alert(
    unexplained: str, notional: str, alerts: bool
) -> None:
    bridge = Bridge(equity_change=D(unexplained), notional_usd=D(notional))
    assert bridge.needs_alert is alerts


@dataclass
class VenueAccount:
    """An account as the venue books it, and our books of the same happenings."""

    wallet: Decimal = STAKE
    holdings: dict[str, Holding] = field(default_factory=lambda: {"BTC": FLAT, "ETH": FLAT})
    fills: dict[str, list[BookedFill]] = field(default_factory=lambda: {"BTC": [], "ETH": []})
    payments: dict[str, list[Booking]] = field(default_factory=lambda: {"BTC": [], "ETH": []})
    transfers: list[Booking] = field(default_factory=list)

    def trade(self, symbol: str, row: BookedFill) -> None:
        booked = book_fill(
            self.holdings[symbol], side=row.side, price=row.price, base_quantity=row.base_quantity
        )
        self.holdings[symbol] = booked.holding
        self.wallet += booked.realised_pnl - row.fee_usd
        self.fills[symbol].append(row)

    def pay(self, symbol: str, row: Booking) -> None:
        self.wallet += row.amount_usd
        self.payments[symbol].append(row)

    def move(self, row: Booking) -> None:
        self.wallet += row.amount_usd
        self.transfers.append(row)

    def read(self, moment: datetime, marks: dict[str, Decimal]) -> AccountReading:
        gains = {symbol: self.holdings[symbol].unrealised_pnl(marks[symbol]) for symbol in marks}
        return AccountReading(
            at=moment,
            wallet_usd=self.wallet,
            equity_usd=self.wallet + sum(gains.values(), D(0)),
            positions={
                symbol: HeldAtVenue(base_quantity=held.base_quantity, unrealised_usd=gains[symbol])
                for symbol, held in self.holdings.items()
            },
        )

    def books(self, *, failed: bool) -> list[LegBook]:
        return [
            LegBook(
                symbol=symbol,
                fills=self.fills[symbol],
                payments=self.payments[symbol],
                is_failed_attempt=failed and symbol == "ETH",
            )
            for symbol in self.holdings
        ]


def amounts(low: str, high: str) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=8, allow_nan=False, allow_infinity=False)


symbols = st.sampled_from(["BTC", "ETH"])
steps = st.one_of(
    st.tuples(
        symbols,
        st.builds(
            BookedFill,
            at=st.just(START),
            side=st.sampled_from(list(Side)),
            price=amounts("1", "90000"),
            base_quantity=amounts("0.001", "3"),
            fee_usd=amounts("-5", "5"),
        ),
    ),
    st.tuples(symbols, st.builds(Booking, at=st.just(START), amount_usd=amounts("-50", "50"))),
    st.tuples(
        st.just("transfer"), st.builds(Booking, at=st.just(START), amount_usd=amounts("-9", "9"))
    ),
)
marks = st.fixed_dictionaries({"BTC": amounts("1", "90000"), "ETH": amounts("1", "9000")})


@quick
@given(st.lists(st.tuples(steps, marks), min_size=2, max_size=12), st.data())
def test_nothing_is_unexplained_whatever_was_filled_paid_charged_and_moved(
    happened: list[tuple[tuple[str, BookedFill | Booking], dict[str, Decimal]]],
    data: st.DataObject,
) -> None:
    account, readings = VenueAccount(), []
    with localcontext(EXACT):
        for hour, ((name, step), prices) in enumerate(happened):
            row = replace(step, at=at(hour))
            if isinstance(row, BookedFill):
                account.trade(name, row)
            elif name == "transfer":
                account.move(row)
            else:
                account.pay(name, row)
            readings.append(account.read(at(hour + 0.5), prices))

    books = account.books(failed=data.draw(st.booleans()))
    middle = data.draw(st.sampled_from(readings))
    whole = account_bridge(readings[0], readings[-1], books, account.transfers)
    first = account_bridge(readings[0], middle, books, account.transfers)
    second = account_bridge(middle, readings[-1], books, account.transfers)

    for bridge in (whole, first, second):
        assert abs(bridge.unexplained) < DUST
    assert abs((first + second).net_pnl - whole.net_pnl) < DUST
    with localcontext(EXACT):
        assert whole.equity_change == readings[-1].equity_usd - readings[0].equity_usd


def test_coins_that_are_gone_are_moved_out_at_what_they_are_written_off_at() -> None:
    # 2 bought at 100, both withdrawn while worth 110 and written off at 112: 12 each were earned.
    gone = replace(fill(3, Side.SELL, "112", "2"), is_moved=True)
    book = LegBook(symbol="BTC", fills=[fill(-5, Side.BUY, "100", "2"), gone], is_spot=True)
    held = replace(
        reading(0, "800"),
        equity_usd=D(1000),
        coins={"BTC": HeldCoins(base_quantity=D(2), mid=D(100))},
    )

    bridge = account_bridge(held, reading(4, "800"), [book])

    assert bridge == Bridge(
        equity_change=D(-200), price_pnl=D(24), transfers=D(-224), notional_usd=D(200)
    )
    assert bridge.unexplained == 0


def test_a_debt_that_is_gone_is_moved_in() -> None:
    # 1 sold at 100, worth 90 now; somebody paid the debt back with coins of his own.
    gone = replace(fill(3, Side.BUY, "90", "1"), is_moved=True)
    book = LegBook(symbol="BTC", fills=[fill(-5, Side.SELL, "100", "1"), gone], is_spot=True)
    owed = replace(
        reading(0, "1100"),
        equity_usd=D(1000),
        coins={"BTC": HeldCoins(base_quantity=D(-1), mid=D(100))},
    )

    bridge = account_bridge(owed, reading(4, "1100"), [book])

    assert (bridge.price_pnl, bridge.transfers, bridge.unexplained) == (D(10), D(90), 0)
