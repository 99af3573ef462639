"""Dated futures through the real adapters: facts, orders, and what is left after delivery."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges import registry
from exchanges.ccxt_adapter.listing import delivered_listing
from exchanges.domain import (
    BookTop,
    Fill,
    FillCause,
    Instrument,
    InstrumentKind,
    MarketFact,
    Quote,
    SettlementKind,
    Side,
    Symbol,
)
from exchanges.errors import InvalidOrder
from exchanges.modes import Mode
from exchanges.venues import profile
from tests.protocol.conftest import DATED, Desk, OpenDesk, Simulator, run
from tests.protocol.test_streams_venues import account_of, is_of, market_of

pytestmark = pytest.mark.protocol

BTC = Decimal("0.01")


def dated(venue: str, base: str) -> list[Instrument]:
    """Return the dated futures of one asset, the first to expire first."""
    listed = run(registry.market_data(venue, Mode.REHEARSAL).instruments())
    found = [i for i in listed if i.kind is InstrumentKind.FUTURE and i.base == base]
    return sorted(found, key=lambda i: i.expires_at or datetime.max.replace(tzinfo=UTC))


def at(desk: Desk, symbol: Symbol) -> Desk:
    return replace(desk, symbol=symbol)


@pytest.mark.parametrize("venue", DATED)
def test_two_quarters_are_listed_with_their_expiry_and_no_funding(
    simulator: Simulator, venue: str
) -> None:
    futures = dated(venue, "BTC")

    assert len(futures) == 2
    for future in futures:
        assert future.expires_at is not None
        assert future.expires_at.hour == 8
        assert future.symbol == f"BTC/USDT:USDT-{future.expires_at:%y%m%d}"
        assert future.settlement is SettlementKind.NONE
        assert future.funding_interval_seconds is None
        assert future.maintenance_margin_rate > 0
    rates = run(registry.market_data(venue, Mode.REHEARSAL).funding_rates())
    assert futures[0].symbol not in {rate.symbol for rate in rates}


@pytest.mark.parametrize("venue", DATED)
def test_mark_and_book_come_by_rest_and_by_stream_alike(simulator: Simulator, venue: str) -> None:
    symbol = dated(venue, "BTC")[1].symbol
    data = registry.market_data(venue, Mode.REHEARSAL)

    async def story() -> list[MarketFact]:
        quotes, tops = await data.quotes(), await data.book_tops()
        async with market_of(venue) as heard:
            streamed = [
                await heard.first(is_of(symbol, Quote)),
                await heard.first(is_of(symbol, BookTop)),
            ]
        read_quotes = [quote for quote in quotes if quote.symbol == symbol]
        read_tops = [top for top in tops if top.symbol == symbol]
        return [*read_quotes, *read_tops, *streamed]

    read_quote, read_top, quote, top = run(story())

    assert isinstance(read_quote, Quote)
    assert isinstance(quote, Quote)
    assert isinstance(read_top, BookTop)
    assert isinstance(top, BookTop)
    assert read_quote.index_price is not None
    for told, mid in ((read_quote.mark_price, read_top.mid), (quote.mark_price, top.mid)):
        assert abs(told / mid - 1) < Decimal("0.001")


@pytest.mark.parametrize("futures_desk", DATED, indirect=True)
def test_future_is_bought_held_and_told_like_any_contract(futures_desk: Desk) -> None:
    future = dated(futures_desk.venue, "BTC")[0]
    desk = at(futures_desk, future.symbol)
    run(desk.trading.prepare(desk.symbol, leverage=Decimal(2)))
    since = datetime.now(UTC) - timedelta(minutes=1)

    async def story() -> Decimal:
        async with account_of(desk) as heard:
            order = desk.order("0.01")
            report = await desk.trading.submit(order)
            assert report.venue_order_id
            fill: Fill = await heard.first(is_of(desk.symbol, Fill))
        return fill.price

    price = run(story())

    [position] = run(desk.account.positions())
    fills = run(desk.account.fills(desk.symbol, since=since))
    assert (position.symbol, position.base_quantity) == (desk.symbol, BTC)
    assert position.leverage == 2
    assert [(fill.price, fill.cause) for fill in fills] == [(price, FillCause.ORDER)]
    assert run(desk.account.fee_tier(desk.symbol)).taker > 0


@pytest.mark.parametrize(
    ("venue", "base"), [("binanceusdm", "ETH"), ("bybit", "ETH"), ("okx", "ETH")]
)
def test_delivery_closes_the_position_and_its_fill_is_still_read(
    simulator: Simulator, open_desk: OpenDesk, venue: str, base: str
) -> None:
    future = dated(venue, base)[0]
    desk = at(open_desk(venue), future.symbol)
    since = datetime.now(UTC) - timedelta(minutes=1)
    run(desk.trading.submit(desk.order("0.1", Side.SELL)))

    simulator.ask("POST", "/expire", venue=venue, symbol=future.symbol, price="3000")

    assert run(desk.account.positions()) == []
    assert len(dated(venue, base)) == 1
    fills = [
        run(desk.account.trace(fill))
        for fill in run(desk.account.fills(future.symbol, since=since))
    ]
    assert [(fill.side, fill.cause) for fill in fills] == [
        (Side.SELL, FillCause.ORDER),
        (Side.BUY, FillCause.SETTLEMENT),
    ]
    assert (fills[1].price, fills[1].base_quantity) == (Decimal(3000), Decimal("0.1"))
    with pytest.raises(InvalidOrder, match="not listed"):
        run(desk.trading.submit(desk.order("0.1")))


def test_delivered_contract_is_known_by_its_name_alone() -> None:
    now, symbol = datetime(2026, 4, 1, tzinfo=UTC), Symbol("BTC/USDT:USDT-260327")

    names = {}
    for venue in ("binance", "binanceusdm", "bybit"):
        listing = delivered_listing(profile(venue), symbol, now, {})
        names[venue] = listing.instrument.venue_symbol if listing else None
    assert names == {
        "binance": None,
        "binanceusdm": "BTCUSDT_260327",
        "bybit": "BTCUSDT-27MAR26",
    }
    usdm = profile("binanceusdm")
    assert delivered_listing(usdm, Symbol("BTC/USDT:USDT-260626"), now, {}) is None
    assert delivered_listing(usdm, Symbol("BTC/USDT:USDT"), now, {}) is None


def test_delivered_contract_of_okx_was_as_large_as_those_of_its_perpetual(
    simulator: Simulator,
) -> None:
    now, symbol = datetime(2026, 4, 1, tzinfo=UTC), Symbol("BTC/USDT:USDT-260327")
    client = registry._client(("okx", Mode.REHEARSAL, registry.MARKET_DATA))
    listed = run(client.ready()).by_symbol

    found = delivered_listing(profile("okx"), symbol, now, listed)

    assert found is not None
    assert found.instrument.venue_symbol == "BTC-USDT-260327"
    assert found.base_quantity(Decimal(3)) == Decimal("0.03")
    # Without the perpetual nobody can tell what its numbers mean.
    assert delivered_listing(profile("okx"), symbol, now, {}) is None
