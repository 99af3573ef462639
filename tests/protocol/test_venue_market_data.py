from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges import registry
from exchanges.domain import InstrumentKind, IntervalSource, SettlementKind, Symbol
from exchanges.errors import InvalidOrder, RateLimited, UnexpectedPayload, VenueUnavailable
from exchanges.limits.lanes import Lane, asking
from exchanges.modes import Mode
from exchanges.ports import MarketData
from tests.protocol.conftest import (
    DATED,
    DERIVATIVES,
    SECONDS,
    VENUES,
    Simulator,
    assert_exact,
    poll,
    run,
)

pytestmark = pytest.mark.protocol

MARGIN_OF_CLOCKS = timedelta(seconds=5)


@pytest.fixture(params=VENUES)
def market(request: pytest.FixtureRequest, simulator: Simulator) -> MarketData:
    return registry.market_data(request.param, Mode.REHEARSAL)


@pytest.fixture(params=DERIVATIVES)
def futures(request: pytest.FixtureRequest, simulator: Simulator) -> MarketData:
    return registry.market_data(request.param, Mode.REHEARSAL)


def test_instruments_are_exact_and_large_enough_to_trade(market: MarketData) -> None:
    instruments = run(market.instruments())

    assert {"BTC", "ETH", "SOL"} <= {instrument.base for instrument in instruments}
    for instrument in instruments:
        assert_exact(instrument)
        assert instrument.lot > 0
        assert instrument.price_tick > 0
        # OKX and Gate know a smallest quantity, and no least value.
        assert instrument.min_base_quantity > 0
        assert (instrument.min_notional > 0) is (
            instrument.venue not in ("okx", "gate", "krakenfutures", "kucoin", "deribit")
        )
        assert instrument.is_active


def test_spot_is_spot_and_contracts_are_linear(simulator: Simulator) -> None:
    spot = run(registry.market_data("binance", Mode.REHEARSAL).instruments())
    assert {instrument.kind for instrument in spot} == {InstrumentKind.SPOT}
    assert {instrument.settlement for instrument in spot} == {SettlementKind.NONE}

    for venue in DATED:
        listed = run(registry.market_data(venue, Mode.REHEARSAL).instruments())
        contracts = [i for i in listed if i.kind is not InstrumentKind.SPOT]
        assert {instrument.kind for instrument in contracts} == {
            InstrumentKind.PERPETUAL,
            InstrumentKind.FUTURE,
        }
        assert {instrument.settle for instrument in contracts} == {"USDT"}
        assert all(instrument.maintenance_margin_rate > 0 for instrument in contracts)


def test_inverse_contract_the_venue_lists_is_left_out(simulator: Simulator) -> None:
    assert "bybit:BTCUSD" in simulator.ask("GET", "/health")["listings"]

    contracts = run(registry.market_data("bybit", Mode.REHEARSAL).instruments())

    assert "BTCUSD" not in {instrument.venue_symbol for instrument in contracts}


def test_interval_of_every_contract_is_a_fact_with_its_source(simulator: Simulator) -> None:
    bybit = run(registry.market_data("bybit", Mode.REHEARSAL).funding_rates())
    okx = run(registry.market_data("okx", Mode.REHEARSAL).funding_rates())
    binance = run(registry.market_data("binanceusdm", Mode.REHEARSAL).funding_rates())

    # Bybit lists it; OKX names the next settlement and the one after.
    assert {(rate.interval_seconds, rate.interval_source) for rate in [*bybit, *okx]} == {
        (60, IntervalSource.VENUE)
    }
    # Binance lists no interval for these: the spacing of their settlements says it.
    assert {(rate.interval_seconds, rate.interval_source) for rate in binance} == {
        (60, IntervalSource.SETTLEMENT_SPACING)
    }
    for rate in [*bybit, *okx, *binance]:
        assert_exact(rate)
        assert rate.is_tradable
        assert rate.next_funding_at is not None
        assert rate.next_funding_at > rate.observed_at - MARGIN_OF_CLOCKS


def test_polling_again_costs_no_request_per_symbol(simulator: Simulator) -> None:
    market = registry.market_data("binanceusdm", Mode.REHEARSAL)
    run(market.funding_rates())
    before = simulator.last_request()

    run(market.funding_rates())

    # premiumIndex, fundingInfo, and fundingRate where a settlement has just passed.
    assert simulator.last_request() <= before + 3


def test_spot_has_no_funding(simulator: Simulator) -> None:
    market = registry.market_data("binance", Mode.REHEARSAL)

    assert run(market.funding_rates()) == []
    assert run(market.settled_funding(Symbol("BTC/USDT"), since=datetime.now(UTC))) == []


def test_quotes_and_tops_cover_every_instrument(market: MarketData) -> None:
    # OKX's list may be due again meanwhile: polls would wait 3 s for what that leaves.
    with asking(Lane.LOOK_UP, within=SECONDS):
        symbols = {instrument.symbol for instrument in run(market.instruments())}
        quotes, tops = run(market.quotes()), run(market.book_tops())

    assert {quote.symbol for quote in quotes} == symbols
    # No list of Deribit's tells how much stands at a touch.
    assert {top.symbol for top in tops} == (set() if quotes[0].venue == "deribit" else symbols)
    for value in [*quotes, *tops]:
        assert_exact(value)
    assert not any(top.is_crossed for top in tops)


def test_depth_is_exact_on_the_tick_and_deep_enough(market: MarketData) -> None:
    instrument = next(each for each in run(market.instruments()) if each.base == "BTC")

    depth = run(market.depth(instrument.symbol, levels=7))

    assert len(depth.bids) >= 7
    assert len(depth.asks) >= 7
    for level in [*depth.bids, *depth.asks]:
        assert_exact(level)
        assert level.price % instrument.price_tick == 0
        assert level.base_quantity % instrument.lot == 0
    assert [level.price for level in depth.bids] == sorted(
        (level.price for level in depth.bids), reverse=True
    )


def test_settlements_come_oldest_first_and_each_once(futures: MarketData) -> None:
    perpetual = next(
        each
        for each in run(futures.instruments())
        if (each.base, each.kind) == ("BTC", InstrumentKind.PERPETUAL)
    )
    # What is paid by the day settles each hour here too, all others each minute.
    every = timedelta(hours=1) if perpetual.venue == "deribit" else timedelta(minutes=1)
    settled = run(futures.settled_funding(perpetual.symbol, since=datetime.now(UTC) - 10 * every))

    moments = [each.settled_at for each in settled]
    assert len(moments) >= 9
    assert moments == sorted(set(moments))
    for each in settled:
        assert_exact(each)


def test_server_time_is_the_clock_of_the_venue(market: MarketData) -> None:
    assert abs(run(market.server_time()) - datetime.now(UTC)) < MARGIN_OF_CLOCKS


def test_unknown_symbol_is_named_in_the_refusal(market: MarketData) -> None:
    with pytest.raises(InvalidOrder, match="NOPE/USDT is not listed here"):
        run(market.depth(Symbol("NOPE/USDT"), levels=5))


@pytest.mark.parametrize(
    ("action", "rule", "expected"),
    [
        ("rate_limit", {"retry_after": 7}, RateLimited),
        ("ban", {}, RateLimited),
        ("server_error", {}, VenueUnavailable),
        # The connection library asks a second time when a kept connection turns out closed.
        ("drop_before_accept", {"count": 5}, VenueUnavailable),
        ("garbage", {"garbage": "truncated"}, UnexpectedPayload),
        ("garbage", {"garbage": "html"}, UnexpectedPayload),
        ("garbage", {"garbage": "null"}, UnexpectedPayload),
        ("garbage", {"garbage": "object"}, UnexpectedPayload),
    ],
)
def test_failed_read_raises_by_kind_and_is_never_empty(
    undisturbed: Simulator,
    market: MarketData,
    action: str,
    rule: dict[str, object],
    expected: type[Exception],
) -> None:
    run(poll(market))
    undisturbed.disturb(action, **rule)

    with pytest.raises(expected) as caught:
        run(poll(market))

    assert type(caught.value) is expected
    assert "http" not in str(caught.value).lower().replace("answered http", "")


def test_rate_limit_says_how_long_to_be_silent(undisturbed: Simulator, market: MarketData) -> None:
    undisturbed.disturb("rate_limit", retry_after=7)

    with pytest.raises(RateLimited) as caught:
        run(poll(market))

    # Where several lists make one answer, one of them may already know of the silence.
    assert caught.value.retry_after is not None
    # Gate tells the whole second in which it ends.
    assert 6 < caught.value.retry_after <= 8


def test_prices_are_decimals_as_the_venue_wrote_them(simulator: Simulator) -> None:
    simulator.ask("POST", "/market", venue="bybit", symbol="ETHUSDT", price="2500.10")

    quotes = run(registry.market_data("bybit", Mode.REHEARSAL).quotes())

    mark = next(quote.mark_price for quote in quotes if quote.symbol == "ETH/USDT:USDT")
    assert abs(mark - Decimal("2500.10")) < 5
