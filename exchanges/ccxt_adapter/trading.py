"""Orders of one account. What comes back from a send passes one gate before it counts as placed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2s
from typing import Any

from exchanges.ccxt_adapter import parse_account
from exchanges.ccxt_adapter.caps import has_too_many_digits, worst_price
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.rows import Row, all_of, fetch_rows, naming
from exchanges.domain import (
    ClientOrderId,
    InstrumentKind,
    OrderReport,
    OrderRequest,
    OrderType,
    Symbol,
    TimeInForce,
)
from exchanges.errors import (
    InvalidOrder,
    OrderNotFound,
    OrderOutcomeUnknown,
    SettingRefused,
    UnexpectedPayload,
)
from exchanges.limits.lanes import Lane, asking
from exchanges.order_form import off_the_grid
from exchanges.outcomes import Asked, about_orders
from exchanges.venues.profile import DeadMan, SettingCalls, VenueProfile
from exchanges.venues.rows import Rows

_TIME_IN_FORCE: dict[TimeInForce, dict[str, object]] = {
    TimeInForce.GTC: {"timeInForce": "GTC"},
    TimeInForce.IOC: {"timeInForce": "IOC"},
    TimeInForce.POST_ONLY: {"postOnly": True},
}


class CcxtTrading:
    """`exchanges.ports.Trading` of one account."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self._profile = client.profile

    async def prepare(self, symbol: Symbol, *, leverage: Decimal) -> None:
        with asking(Lane.ENTRY):
            await self._prepare(symbol, leverage)

    async def clock_error(self) -> timedelta:
        with asking(Lane.ENTRY):
            return await self._client.clock_error()

    async def _prepare(self, symbol: Symbol, leverage: Decimal) -> None:
        listing = await self._client.listing(symbol)
        calls = self._part(listing).settings
        if calls is None:
            if leverage != 1:
                raise SettingRefused(
                    f"spot is bought with leverage 1, not {leverage}", venue=self._profile.name
                )
            return
        if calls.whole_leverage and leverage != int(leverage):
            raise SettingRefused(
                f"leverage is a whole number here, not {leverage}", venue=self._profile.name
            )
        await self._refuse_hedge_mode(calls, listing)
        await self._set_cross_margin(calls, listing)
        value = format(leverage.normalize(), "f")
        request = dict.fromkeys(calls.leverage_params, value)
        await self._client.setting(self._ask(calls.set_leverage, listing, **request))

    async def submit(self, request: OrderRequest) -> OrderReport:
        listing = await self._client.listing(request.symbol)
        form = off_the_grid(request, listing.instrument)
        refusal = form or self._unpayable(request, listing)
        if refusal:
            raise InvalidOrder(refusal, venue=self._profile.name)
        request = await self._as_limit(request, listing)
        price = await self._limit(request, listing)
        return await self._client.submitting(self._place(request, listing, price))

    async def find_order(self, client_order_id: ClientOrderId, symbol: Symbol) -> OrderReport:
        listing = await self._client.ever_listed(symbol)
        return await self._client.reading(self._look_up(client_order_id, listing))

    async def cancel(self, client_order_id: ClientOrderId, symbol: Symbol) -> None:
        listing = await self._client.ever_listed(symbol)
        request = {self._profile.client_id_param: client_order_id}
        with asking(Lane.CLOSE), about_orders(Asked.CANCEL):
            await self._client.reading(
                self._ask(self._part(listing).cancel_order, listing, **request)
            )

    async def open_orders(self, *symbols: Symbol) -> Sequence[OrderReport]:
        if len(symbols) == 1:
            # Of one that nobody ever listed it raises: its orders could not be told.
            await self._client.ever_listed(symbols[0])
        listed, ever = await self._client.ready(), await self._client.all_ever_listed()
        known = [listed.by_symbol.get(symbol) for symbol in symbols]
        # One that is listed no more cannot be named; the list of all needs no names.
        named = [listing for listing in known if listing and None not in known]

        async def read(part: VenueProfile, asked: Listing | None) -> list[OrderReport]:
            rows = part.all_open_orders if asked is None else part.open_orders
            request = {} if asked is None else naming(rows, part, asked)
            listed = fetch_rows(self._client.exchange, rows, **request)
            answer, sent_at = await self._client.dated(listed)
            of_part = ever.of(is_spot=part.is_spot)
            told = ((row, of_part.get(row[part.symbol_param])) for row in answer)
            return [self._report(row, one, sent_at) for row, one in told if one is not None]

        questions = list(self._open_questions(named))
        answers = await self._client.reading(all_of(read(*question) for question in questions))
        # Parts of the list may overlap, and a list of all tells of more than was asked for.
        found = {report.venue_order_id: report for part in answers for report in part}
        return [one for one in found.values() if not symbols or one.symbol in symbols]

    def _open_questions(
        self, named: Sequence[Listing]
    ) -> Iterable[tuple[VenueProfile, Listing | None]]:
        """Return what to ask for working orders: each instrument, or all where that is lighter."""
        for part in self._profile.parts:
            own = [listing for listing in named if self._part(listing) is part]
            if not named or len(own) > part.most_asked_singly:
                yield part, None
            else:
                yield from ((part, listing) for listing in own)

    async def add_margin(self, symbol: Symbol, amount: Decimal) -> None:
        listing = await self._client.listing(symbol)
        calls = self._part(listing).isolated_margin
        if calls is None:
            raise SettingRefused("margin cannot be added here", venue=self._profile.name)
        request = {calls.amount_param: format(amount.normalize(), "f")}
        with asking(Lane.CLOSE):
            await self._client.setting(self._ask(calls.add, listing, **request))

    async def arm_dead_man(self, symbol: Symbol, *, after: timedelta) -> None:
        listing, switch = await self._client.listing(symbol), self._profile.dead_man
        if switch is None:
            raise SettingRefused(self._profile.no_dead_man, venue=self._profile.name)
        if timedelta(0) < after < switch.shortest:
            raise SettingRefused(
                f"the countdown takes {switch.shortest.total_seconds():g} s and more, not "
                f"{after.total_seconds():g} s",
                venue=self._profile.name,
            )
        request = {switch.countdown_param: str(after // switch.unit), **_tag(switch, listing)}
        if not switch.tag_param:
            request |= naming(switch.call, self._profile, listing)
        with asking(Lane.CLOSE):
            await self._client.setting(fetch_rows(self._client.exchange, switch.call, **request))

    async def _ask(self, rows: Rows, listing: Listing, **request: Any) -> list[Row]:
        named = naming(rows, self._part(listing), listing)
        return await fetch_rows(self._client.exchange, rows, **named, **request)

    def _part(self, listing: Listing) -> VenueProfile:
        return self._profile.part(listing.instrument.kind)

    def _own_params(self, request: OrderRequest, listing: Listing) -> Mapping[str, object]:
        part = self._part(listing)
        borrowing = part.borrow_params if request.may_borrow else {}
        may_open = part.dead_man is not None and not request.reduce_only
        tag = _tag(part.dead_man, listing) if may_open else {}
        return {**part.order_params, **borrowing, **tag}

    def _unpayable(self, request: OrderRequest, listing: Listing) -> str | None:
        """Say what this venue has against the order, besides its form."""
        part = self._part(listing)
        if request.may_borrow and not part.borrow_params:
            return f"{listing.instrument.base} cannot be borrowed here to sell it"
        price = request.price
        if price is not None and has_too_many_digits(listing.venue_price(price), part.price_digits):
            return f"the price {price} has more than the {part.price_digits} digits it may have"
        return None

    async def _limit(self, request: OrderRequest, listing: Listing) -> Decimal | None:
        """Return the price to send; where every order needs one, the book gives a market order's.

        Nothing was sent where the book cannot be read.
        """
        part = self._part(listing)
        if request.price is not None:
            return listing.venue_price(request.price)
        if part.market_slippage is None:
            return None
        return await self._worst_price(request, listing, part.market_slippage)

    async def _as_limit(self, request: OrderRequest, listing: Listing) -> OrderRequest:
        """Return a limit that ends at once for a market order where those are not taken now."""
        rule, is_market = self._part(listing).limits_only, request.order_type is OrderType.MARKET
        if rule is None or not (is_market and listing.instrument.limits_only):
            return request
        price = await self._worst_price(request, listing, rule.slippage)
        return replace(
            request,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.IOC,
            price=listing.price(price),
        )

    async def _worst_price(
        self, request: OrderRequest, listing: Listing, slippage: Decimal
    ) -> Decimal:
        book = await self._client.reading(self._client.exchange.fetch_order_book(request.symbol, 1))
        digits = self._part(listing).price_digits
        return worst_price(book, request.side, listing, slippage=slippage, digits=digits)

    async def _place(
        self, request: OrderRequest, listing: Listing, price: Decimal | None
    ) -> OrderReport:
        """Send the one request and let its answer through the gate."""
        placed = self._client.exchange.create_order(
            request.symbol,
            request.order_type.value,
            request.side.value,
            listing.amount(request.base_quantity),
            price,
            {**self._own_params(request, listing), **_order_params(request, listing)},
        )
        order, sent_at = await self._client.dated(placed)
        info = order["info"]
        if "reduceOnly" not in info:
            # The library makes False of what the venue did not echo.
            order = {**order, "reduceOnly": None}
        report = parse_account.order_report(order, listing, sent_at)
        echoed = info.get(self._part(listing).symbol_param) or None
        if difference := _difference(request, report, echoed, listing):
            failure = OrderOutcomeUnknown(difference, venue=self._profile.name)
            failure.symptom = None if report.venue_order_id else difference
            raise failure
        return report

    async def _look_up(self, client_order_id: ClientOrderId, listing: Listing) -> OrderReport:
        request = {self._profile.client_id_param: client_order_id}
        for rows in self._part(listing).find_order:
            answer, sent_at = await self._client.dated(self._ask(rows, listing, **request))
            for row in answer:
                report = self._report(row, listing, sent_at)
                if report.client_order_id != client_order_id or not report.venue_order_id:
                    raise UnexpectedPayload(
                        f"asked for order {client_order_id}, "
                        f"the venue answered with {report.client_order_id}",
                        venue=self._profile.name,
                    )
                return report
        raise OrderNotFound(
            f"the venue does not know order {client_order_id} now", venue=self._profile.name
        )

    def _report(self, row: Row, listing: Listing, sent_at: datetime) -> OrderReport:
        order = self._client.exchange.parse_order(row, listing.market)
        if row.get(self._part(listing).symbol_param) == listing.instrument.venue_symbol:
            # A name that is listed no more the library takes for that of something else.
            order["symbol"] = listing.symbol
        return parse_account.order_report(order, listing, sent_at)

    async def _refuse_hedge_mode(self, calls: SettingCalls, listing: Listing) -> None:
        rows = calls.position_mode
        if rows is None:
            return

        async def read() -> bool:
            answer = await self._ask(rows, listing)
            return any(parse_account.is_hedge_mode(row, rows.columns) for row in answer)

        if await self._client.reading(read()):
            raise SettingRefused(calls.hedge_mode_advice, venue=self._profile.name)

    async def _set_cross_margin(self, calls: SettingCalls, listing: Listing) -> None:
        if calls.set_margin_mode is None:
            return
        mode = calls.margin_mode
        if mode is not None and not await self._client.reading(
            self._is_isolated(mode, calls, listing)
        ):
            return
        await self._client.setting(self._of_mode(calls.set_margin_mode, calls, listing))

    async def _is_isolated(self, rows: Rows, calls: SettingCalls, listing: Listing) -> bool:
        answer = await self._of_mode(rows, calls, listing)
        return any(row[rows.columns["mode"]] == calls.isolated_name for row in answer)

    async def _of_mode(self, rows: Rows, calls: SettingCalls, listing: Listing) -> list[Row]:
        named = naming(rows, self._profile, listing) if calls.margin_mode_takes_symbol else {}
        return await fetch_rows(self._client.exchange, rows, **named)


def _tag(switch: DeadMan | None, listing: Listing) -> dict[str, str]:
    """Return the tag by which a countdown knows the orders of one symbol: 16 hex digits."""
    if switch is None or not switch.tag_param:
        return {}
    name = listing.instrument.venue_symbol.encode()
    return {switch.tag_param: blake2s(name, digest_size=8).hexdigest()}


def _order_params(request: OrderRequest, listing: Listing) -> dict[str, object]:
    params: dict[str, object] = {"clientOrderId": request.client_order_id}
    if request.order_type is OrderType.LIMIT:
        params |= _TIME_IN_FORCE[request.time_in_force]
    # Spot knows no reduce-only; there the caller sells no more than it holds.
    if request.reduce_only and listing.instrument.kind is not InstrumentKind.SPOT:
        params["reduceOnly"] = True
    return params


def _difference(
    request: OrderRequest, report: OrderReport, symbol: str | None, listing: Listing
) -> str | None:
    """Say how the answer fails to confirm the order; what the venue did not echo is no failure."""
    if not report.venue_order_id:
        return "the answer to the order carries no venue id"
    echoes: list[tuple[str, object, object]] = [
        ("client order id", request.client_order_id, report.client_order_id),
        ("symbol", request.symbol, report.symbol),
        ("symbol", listing.instrument.venue_symbol, symbol),
        ("side", request.side, report.side),
        ("quantity", request.base_quantity, report.base_quantity),
    ]
    if listing.instrument.kind is not InstrumentKind.SPOT:
        echoes.append(("reduce-only", request.reduce_only, report.reduce_only))
    for what, sent, echoed in echoes:
        if echoed is not None and echoed != sent:
            return f"the answer to the order names another {what}: sent {sent}, got {echoed}"
    return None
