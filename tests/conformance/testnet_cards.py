"""What each card asks of a market whose venue nobody can script."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal
from itertools import count
from typing import TypeVar
from uuid import uuid4

from exchanges.client_order_ids import client_order_id, in_venue_form
from exchanges.domain import (
    Fill,
    Instrument,
    OrderReport,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
    VenueOrderStatus,
)
from exchanges.errors import (
    DuplicateClientOrderId,
    InvalidOrder,
    NothingToReduce,
    OrderNotFound,
    SettingRefused,
    VenueError,
)
from exchanges.ports import Account, MarketData, Trading
from tests.conformance.cards import Subject

T = TypeVar("T")
FAR, ROOM = Decimal("0.95"), Decimal("1.2")
PATIENCE, LOOKS_EVERY = 15.0, 0.5
CLOSING_ATTEMPTS = 3
_numbers = count(1)


class NotFlat(Exception):
    """Something is there that is not ours to close."""


@dataclass(slots=True, kw_only=True)
class Market:
    """One market at a place for practice, flat when it is opened."""

    subject: Subject
    trading: Trading
    account: Account
    data: MarketData
    instrument: Instrument
    resting_price: Decimal
    quantity: Decimal
    since: datetime
    # Of coins that were bought here, which no list of positions tells.
    coins: Decimal = Decimal(0)

    @classmethod
    async def opened(
        cls, subject: Subject, trading: Trading, account: Account, data: MarketData, most: Decimal
    ) -> Market:
        """Read the market; raise NotFlat where it is not, or its least order is worth too much."""
        symbol = subject.symbol
        instrument = next(one for one in await data.instruments() if one.symbol == symbol)
        bid = (await data.depth(symbol, levels=5)).bids[0].price
        step = max(instrument.price_tick, Decimal(1))
        price = bid * FAR // step * step
        least = max(instrument.min_base_quantity, instrument.min_notional * ROOM / price)
        quantity = (least / instrument.lot).quantize(Decimal(1), ROUND_UP) * instrument.lot
        if quantity * bid > most:
            raise NotFlat(f"the least order is worth {quantity * bid:.2f}, the most is {most}")
        market = cls(
            subject=subject,
            trading=trading,
            account=account,
            data=data,
            instrument=instrument,
            resting_price=price,
            quantity=quantity,
            since=datetime.now(UTC) - timedelta(minutes=1),
        )
        if left := await market.left():
            raise NotFlat(f"{symbol} is not flat: {left}")
        return market

    def order(
        self, side: Side = Side.BUY, *, at: Decimal | None = None, **more: bool
    ) -> OrderRequest:
        """Return the least order, at a price or at the market's."""
        own_id = client_order_id(uuid4(), 0, "open", next(_numbers))
        return OrderRequest(
            client_order_id=in_venue_form(own_id, self.subject.venue),
            symbol=self.subject.symbol,
            side=side,
            order_type=OrderType.MARKET if at is None else OrderType.LIMIT,
            base_quantity=self.quantity,
            price=at,
            time_in_force=TimeInForce.GTC,
            **more,
        )

    def resting(self) -> OrderRequest:
        return self.order(at=self.resting_price)

    async def seen(self, request: OrderRequest, *statuses: VenueOrderStatus) -> OrderReport:
        """Return the order once the venue shows it in one of these states."""

        async def look() -> OrderReport | None:
            with suppress(OrderNotFound):
                found = await self.trading.find_order(request.client_order_id, request.symbol)
                return found if found.status in statuses else None
            return None

        return await within_patience(look)

    async def held(self) -> Decimal:
        """Return what is held, short below zero."""
        if not self.subject.is_contract:
            return self.coins
        rows = await self.account.positions()
        return sum(
            (row.base_quantity for row in rows if row.symbol == self.subject.symbol), Decimal(0)
        )

    async def left(self) -> str:
        """Say what is there, nothing of a flat market."""
        orders = len(await self.trading.open_orders(self.subject.symbol))
        held = await self.held()
        said = [f"{orders} orders"] * bool(orders) + [f"{held} {self.instrument.base}"] * bool(held)
        return " and ".join(said)

    async def flatten(self) -> str:
        """Cancel what works and close what is held; say what is left all the same."""
        left = "unknown"
        for _ in range(CLOSING_ATTEMPTS):
            try:
                await self._cancel_all()
                await self._close()
                left = await self.left()
            except (VenueError, TimeoutError) as failure:
                left = f"unknown ({failure or 'no answer in time'})"
            if not left:
                break
        return left

    async def _cancel_all(self) -> None:
        for order in await self.trading.open_orders(self.subject.symbol):
            if order.client_order_id is not None:
                with suppress(OrderNotFound):
                    await self.trading.cancel(order.client_order_id, order.symbol)

    async def _close(self) -> None:
        held = await self.held() // self.instrument.lot * self.instrument.lot
        if not held:
            self.coins = Decimal(0)
            return
        side = Side.SELL if held > 0 else Side.BUY
        closing = self.order(side, reduce_only=self.subject.is_contract)
        await self.trading.submit(replace(closing, base_quantity=abs(held)))
        await self.seen(closing, VenueOrderStatus.FILLED)
        self.coins = Decimal(0)


async def within_patience(look: Callable[[], Awaitable[T | None]]) -> T:
    """Return what a look finds, looked for again and again; raise TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while (found := await look()) is None:
            await asyncio.sleep(LOOKS_EVERY)
        return found


async def refused(call: Awaitable[object], kind: type[VenueError]) -> None:
    """Await a call that has to raise this kind."""
    try:
        await call
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was to be raised, and nothing was")


# --- The cards ------------------------------------------------------------------------------------


async def placed_and_found(market: Market) -> None:
    request = market.resting()
    report = await market.trading.submit(request)
    found = await market.seen(request, VenueOrderStatus.OPEN)
    assert report.venue_order_id == found.venue_order_id, "another order was found by our id"
    assert found.filled_base_quantity == 0, f"{found.filled_base_quantity} is filled already"
    await market.trading.cancel(request.client_order_id, request.symbol)


async def cancelled_once(market: Market) -> None:
    request = market.resting()
    await market.trading.submit(request)
    await market.seen(request, VenueOrderStatus.OPEN)
    await market.trading.cancel(request.client_order_id, request.symbol)
    await market.seen(request, VenueOrderStatus.CANCELED)
    await refused(market.trading.cancel(request.client_order_id, request.symbol), OrderNotFound)


async def filled(market: Market) -> None:
    request = market.order(Side.SELL if market.subject.is_contract else Side.BUY)
    await market.trading.submit(request)
    found = await market.seen(request, VenueOrderStatus.FILLED)
    assert found.filled_base_quantity == market.quantity, f"{found.filled_base_quantity} is filled"
    if not market.subject.is_contract:
        market.coins = market.quantity


async def fills_read(market: Market) -> None:
    """The fill of the card before, with a fee that may be off the coins."""

    async def look() -> list[Fill] | None:
        return [*await market.account.fills(market.subject.symbol, since=market.since)] or None

    fills = await within_patience(look)
    assert sum(one.base_quantity for one in fills) == market.quantity, (
        f"{len(fills)} fills of other sizes"
    )
    assert all(one.price > 0 and one.fee_asset for one in fills), (
        "a fill without price or asset of its fee"
    )
    for one in fills:
        if one.fee_asset == market.instrument.base and not market.subject.is_contract:
            market.coins -= one.fee


async def short_is_negative(market: Market) -> None:
    async def look() -> Decimal | None:
        return await market.held() or None

    held = await within_patience(look)
    assert held == -market.quantity, f"{held} is held after {market.quantity} was sold"
    assert not (left := await market.flatten()), f"not flat: {left}"


async def sent_twice(market: Market) -> None:
    request = market.resting()
    await market.trading.submit(request)
    await market.seen(request, VenueOrderStatus.OPEN)
    await refused(market.trading.submit(request), DuplicateClientOrderId)
    await market.trading.cancel(request.client_order_id, request.symbol)


async def unknown_id(market: Market) -> None:
    request = market.resting()
    await refused(market.trading.find_order(request.client_order_id, request.symbol), OrderNotFound)


async def nothing_to_reduce(market: Market) -> None:
    await refused(market.trading.submit(market.order(Side.SELL, reduce_only=True)), NothingToReduce)
    assert await market.held() == 0, "a reduce-only order opened something"


async def off_the_grid(market: Market) -> None:
    request, least = market.resting(), Decimal("1e-12")
    between = replace(request, base_quantity=request.base_quantity + least)
    await refused(market.trading.submit(between), InvalidOrder)
    await refused(
        market.trading.submit(replace(request, price=market.resting_price + least)), InvalidOrder
    )


async def too_small(market: Market) -> None:
    request, lot = market.resting(), market.instrument.lot
    least = market.instrument.min_base_quantity
    if market.instrument.min_notional:
        quantity = market.instrument.min_notional / 2 / market.resting_price // lot * lot
        quantity = quantity if quantity >= least else least / 2
    else:
        quantity = least / 2
    await refused(market.trading.submit(replace(request, base_quantity=quantity)), InvalidOrder)


async def leverage(market: Market) -> None:
    await market.trading.prepare(market.subject.symbol, leverage=Decimal(1))
    wanted = market.trading.prepare(market.subject.symbol, leverage=Decimal(1000))
    await refused(wanted, SettingRefused)


async def empty_reads(market: Market) -> None:
    symbol = market.subject.symbol
    contracts = {market.instrument.venue_symbol: symbol}
    assert await market.held() == 0, "a flat market tells of a position"
    assert not await market.trading.open_orders(symbol), "a flat market tells of orders"
    if market.subject.is_contract:
        # What was paid may be none: that it can be read is what is asked here.
        await market.account.funding_payments(contracts, since=market.since)


async def balance_and_fees(market: Market) -> None:
    rows = await market.account.balances()
    assert any(row.asset == market.subject.dollar and row.total > 0 for row in rows), (
        f"no {market.subject.dollar} in the account"
    )
    tier = await market.account.fee_tier(market.subject.symbol)
    assert tier.is_fallback is not market.subject.tells_fees, "the fee is not the account's own"


async def funding_interval(market: Market) -> None:
    rates = await market.data.funding_rates()
    rate = next(one for one in rates if one.symbol == market.subject.symbol)
    assert rate.interval_seconds, "a rate without an interval"


# In this order: the fill is read, held and closed by the cards that follow it.
PLAYED: tuple[tuple[str, Callable[[Market], Awaitable[None]]], ...] = (
    ("C18", empty_reads),
    ("C19", balance_and_fees),
    ("C22", funding_interval),
    ("C08", unknown_id),
    ("C11", off_the_grid),
    ("C12", too_small),
    ("C13", leverage),
    ("C10", nothing_to_reduce),
    ("C01", placed_and_found),
    ("C07", sent_twice),
    ("C02", cancelled_once),
    ("C03", filled),
    ("C16", fills_read),
    ("C17", short_is_negative),
)
