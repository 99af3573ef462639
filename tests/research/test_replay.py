from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.domain import InstrumentKind, SettledFunding, SettlementKind
from tests.market import NOW, D, make_instrument
from trading.core.parameters import Parameters
from trading.research.ledger import ReplayResult, together
from trading.research.recorded import RecordedLeg
from trading.research.replay import END_OF_RECORD, Replay
from trading.research.table import comparison
from trading.research.tape import Tape, TradingCost
from trading.strategies.registry import STRATEGIES

pytestmark = pytest.mark.core

EIGHT_HOURS = timedelta(hours=8)
START = NOW.replace(hour=0)
COST = TradingCost(fee=D("0.0005"), slippage=D("0.0001"))
HALF_LIFE = timedelta(hours=72)


def perpetual(venue: str, rates: Sequence[str | None], prices: Sequence[str] = ()) -> RecordedLeg:
    """Return a leg that settles every 8 h; a rate of None was not recorded."""
    instrument = make_instrument(venue)
    settled = tuple(
        SettledFunding(
            venue=venue, symbol=instrument.symbol, funding_rate=D(rate), settled_at=at(index)
        )
        for index, rate in enumerate(rates)
        if rate is not None
    )
    return RecordedLeg(instrument=instrument, settled=settled, prices=by_time(prices))


def spot(prices: Sequence[str]) -> RecordedLeg:
    instrument = make_instrument(
        "binance", kind=InstrumentKind.SPOT, settlement=SettlementKind.NONE
    )
    return RecordedLeg(instrument=instrument, prices=by_time(prices))


def at(index: int) -> datetime:
    return START + EIGHT_HOURS * index


def by_time(prices: Sequence[str]) -> Mapping[datetime, Decimal]:
    return {at(index): D(price) for index, price in enumerate(prices)}


def replay(
    legs: Sequence[RecordedLeg], strategy: str = "funding_spread", **values: object
) -> ReplayResult:
    return Replay(
        [Tape(leg, HALF_LIFE) for leg in legs],
        STRATEGIES[strategy],
        Parameters.from_stored({"strategies": strategy, **values}),
        cost=COST,
        size_usd=D(10_000),
    ).run()


def test_a_lasting_spread_is_entered_once_and_held_to_the_end_of_the_record() -> None:
    low, high = perpetual("a", ["0.0001"] * 60), perpetual("b", ["0.0006"] * 60)

    (trade,) = replay([low, high]).trades

    assert trade.venues == ("a", "b")
    # The first row has no interval and the second no history: entered 20 minutes before the third.
    assert trade.opened_at == at(2) - timedelta(minutes=20)
    assert (trade.closed_at, trade.reason) == (at(59), END_OF_RECORD)
    # settlements 2 … 59 at 0.0005, four fees of 5 bp and four slippages of 1 bp
    assert trade.funding == 58 * D("0.0005")
    assert trade.cost == D("0.0024")
    assert trade.net == D("0.0266")


def test_the_venues_are_taken_in_whichever_order_pays() -> None:
    low, high = perpetual("a", ["0.0001"] * 60), perpetual("b", ["0.0006"] * 60)

    (trade,) = replay([high, low]).trades

    assert trade.venues == ("a", "b")


def test_out_after_one_settlement_pays_the_round_trip_each_time() -> None:
    low, high = perpetual("a", ["0"] * 12), perpetual("b", ["0.0006"] * 12)
    result = replay([low, high], entry_policy="spread_only", target_spread="0.1")

    # entered before settlements 2 … 11 and out before the next one, the last at the end
    assert [trade.funding for trade in result.trades] == [D("0.0006")] * 10
    assert result.lost == 10
    assert result.trades[0].net == D("-0.0018")
    assert result.worst == D("-0.0018")
    assert result.drawdown == D("0.018")


def test_a_flip_closes_before_it_is_paid_and_costs_the_exit() -> None:
    low, high = perpetual("a", ["0"] * 20), perpetual("b", ["0.0006"] * 10 + ["-0.002"] * 10)
    result = replay(
        [low, high], entry_policy="spread_only", negative_spread_tolerance="conservative"
    )

    first = result.trades[0]
    assert first.venues == ("a", "b")
    assert first.reason == "negative_spread"
    assert first.closed_at == at(10) - timedelta(minutes=20)
    assert first.funding == 8 * D("0.0006")
    # and the other way round it is entered 120 s later
    assert result.trades[1].venues == ("b", "a")
    assert result.trades[1].opened_at == first.closed_at + timedelta(minutes=2)


def test_nothing_is_known_within_a_gap_and_a_held_position_ends_there() -> None:
    rates: list[str | None] = ["0.0006"] * 60
    rates[20:25] = [None] * 5
    low, high = perpetual("a", ["0"] * 60), perpetual("b", rates)

    first, second = replay([low, high]).trades

    assert first.reason == END_OF_RECORD
    assert first.closed_at == at(20) - timedelta(minutes=20)
    # settlement 25 covers the gap: the next one is entered again
    assert second.opened_at == at(26) - timedelta(minutes=20)


def test_a_basis_that_closes_is_earned_beside_funding() -> None:
    prices = ["100"] * 40
    above = ["100"] * 15 + ["102"] * 5 + ["99.7"] * 20

    result = replay(
        [spot(prices), perpetual("binance", ["0"] * 40, above)], strategy="cash_and_carry"
    )

    (trade,) = result.trades
    assert trade.reason == "gap_closed"
    # bought at 100, sold at 102, bought back at 99.7: 2.3 of 100
    assert (trade.price, trade.funding) == (D("0.023"), 0)
    assert trade.net == D("0.0206")


def test_a_gap_is_decided_on_once_it_was_seen_and_filled_at_the_next_price() -> None:
    once = ["100"] * 15 + ["102"] + ["100.5"] * 24

    (trade,) = replay(
        [spot(["100"] * 40), perpetual("binance", ["0"] * 40, once)],
        strategy="cash_and_carry",
        min_closing_arbitrage_pct="0.1",
        funding_regime_exit=False,
        stop_loss_pct="",
    ).trades

    # 2 % is seen from settlement 15 on: 20 minutes before 16, where it is filled at 0.5 %.
    assert trade.opened_at == at(16) - timedelta(minutes=20)
    assert trade.price == 0


def test_the_stop_loss_counts_spot_as_paid_whole() -> None:
    # Entered at a gap of 2 %, left when it is twice as wide as the 2 % of the capital allow.
    prices = ["100"] * 15 + ["102"] * 2 + ["105"] * 2 + ["107"] * 21

    (first, *_) = replay(
        [spot(["100"] * 40), perpetual("binance", ["0"] * 40, prices)],
        strategy="cash_and_carry",
        spot_perp_leverage="1",
        leverage="2",
    ).trades

    # Both legs are paid whole: 2 % of twice the notional is 4 %. At 105 it is -3 % - 12 bp, at 107
    # -5 %: seen 20 minutes before settlement 20.
    assert first.reason == "stop_loss"
    assert first.closed_at == at(20) - timedelta(minutes=20)


def test_books_together_are_a_mean_per_notional_and_year() -> None:
    low, high = perpetual("a", ["0.0001"] * 60), perpetual("b", ["0.0006"] * 60)
    one = replay([low, high])

    both = together([one, one])

    assert both.per_year == pytest.approx(one.per_year)
    assert both.time_in_market == one.time_in_market
    assert both.funding == 2 * one.funding


def test_the_table_shows_losses_with_their_sign() -> None:
    low, high = perpetual("a", ["0"] * 12), perpetual("b", ["0.0006"] * 12)
    result = replay([low, high], entry_policy="spread_only", target_spread="0.1")

    heading, row = comparison([("bare", result)]).splitlines()

    assert heading.split()[:2] == ["%", "a"]
    # ten trades, +6 bp of funding and -24 bp of cost each
    assert row.split()[2:8] == ["10", "10", "+60", "+0", "−240", "−180"]
