"""Orders of one paper account."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import (
    ClientOrderId,
    Instrument,
    InstrumentKind,
    OrderReport,
    OrderRequest,
    Symbol,
    VenueOrderStatus,
)
from exchanges.errors import (
    InvalidOrder,
    OrderNotFound,
    OrderOutcomeUnknown,
    OrderRejected,
    RateLimited,
    SettingRefused,
    VenueError,
    VenueUnavailable,
)
from exchanges.limits.lanes import Lane, asking
from exchanges.order_form import off_the_grid
from exchanges.paper.engine import place
from exchanges.paper.facts import Facts
from exchanges.paper.isolated import add_margin
from exchanges.paper.ledger import Ledger
from exchanges.paper.reports import report_of
from exchanges.paper.terms import Terms
from exchanges.paper.venue import PaperVenue

# What the other venues are told, for those whose signed requests are not described.
USUAL_WINDOW = timedelta(seconds=5)


class PaperTrading:
    """`exchanges.ports.Trading` of one account; what a network may lose is never lost here."""

    def __init__(self, venue: PaperVenue) -> None:
        self._venue = venue

    async def clock_error(self) -> timedelta:
        """Return zero: the clock of a paper venue is ours."""
        return timedelta(0)

    @property
    def _name(self) -> str:
        return self._venue.profile.name

    async def prepare(self, symbol: Symbol, *, leverage: Decimal) -> None:
        with asking(Lane.ENTRY):
            instrument, facts = await self._setting(symbol)
        if instrument.kind is InstrumentKind.SPOT:
            if leverage != 1:
                raise SettingRefused(
                    f"spot is bought with leverage 1, not {leverage}", venue=self._name
                )
            return
        calls = self._venue.profile.settings
        if calls is not None and calls.whole_leverage and leverage != int(leverage):
            raise SettingRefused(
                f"leverage is a whole number here, not {leverage}", venue=self._name
            )

        def write(ledger: Ledger, facts: Facts, terms: Terms) -> Decimal:
            most = terms.max_leverage(instrument)
            if 1 <= leverage <= most:
                row = ledger.hold(symbol, facts.now)
                if row.base_quantity and row.is_isolated:
                    raise SettingRefused(
                        f"{symbol} is held on isolated margin: it is set to cross once it is flat",
                        venue=self._name,
                    )
                row.leverage, row.is_isolated = leverage, False
                row.save(update_fields=["leverage", "is_isolated"])
            return most

        most = await self._venue.step(facts, write)
        if not 1 <= leverage <= most:
            raise SettingRefused(
                f"leverage of {symbol} is 1 to {most.normalize():f} here, not {leverage}",
                venue=self._name,
            )

    async def submit(self, request: OrderRequest) -> OrderReport:
        asked_at = self._venue.now()
        try:
            instrument = await self._venue.public.instrument(request.symbol)
            if refusal := off_the_grid(request, instrument):
                raise InvalidOrder(refusal, venue=self._name)
            facts = await self._venue.facts(request.symbol)
            if request.symbol not in facts.depths:
                raise InvalidOrder(f"{request.symbol} is not listed here now", venue=self._name)
            if request.may_borrow:
                facts = replace(facts, loans=await self._venue.public.borrow_rates())
        except (RateLimited, OrderRejected):
            raise
        except VenueError as error:
            # Nothing was written yet: this is a certain no.
            raise OrderRejected(
                f"the book was not read: {error.detail}", venue=self._name
            ) from None

        def write(ledger: Ledger, facts: Facts, terms: Terms) -> OrderReport:
            if late := self._late("order", asked_at, facts.now):
                raise OrderRejected(late, venue=self._name)
            return report_of(place(ledger, request, facts, terms), facts.now)

        try:
            return await self._venue.step(facts, write)
        except VenueUnavailable as error:
            raise OrderOutcomeUnknown(error.detail, venue=self._name) from None

    async def find_order(self, client_order_id: ClientOrderId, symbol: Symbol) -> OrderReport:
        facts = await self._venue.advance(symbol)

        def look(ledger: Ledger, facts: Facts, terms: Terms) -> OrderReport | None:
            found = ledger.order(client_order_id)
            return None if found is None else report_of(found, facts.now)

        found = await self._venue.read(facts, look)
        if found is None:
            raise OrderNotFound(
                f"the venue does not know order {client_order_id} now", venue=self._name
            )
        return found

    async def cancel(self, client_order_id: ClientOrderId, symbol: Symbol) -> None:
        facts = Facts(now=self._venue.now(), instruments={})
        with asking(Lane.CLOSE), contextlib.suppress(VenueUnavailable):
            # What the market has done until now counts first; unread, it did nothing.
            facts = await self._venue.advance(symbol)

        def write(ledger: Ledger, facts: Facts, terms: Terms) -> bool:
            found = ledger.order(client_order_id)
            if found is None or found.is_final:
                return False
            ledger.finish(found, VenueOrderStatus.CANCELED, facts.now)
            return True

        if not await self._venue.step(facts, write):
            raise OrderNotFound(
                f"order {client_order_id} is unknown or final already", venue=self._name
            )

    async def open_orders(self, *symbols: Symbol) -> Sequence[OrderReport]:
        one = symbols[0] if len(symbols) == 1 else None
        facts = await self._venue.advance(one)

        def look(ledger: Ledger, facts: Facts, terms: Terms) -> list[OrderReport]:
            found = (report_of(order, facts.now) for order in ledger.orders(one))
            return [report for report in found if not symbols or report.symbol in symbols]

        return await self._venue.read(facts, look)

    async def add_margin(self, symbol: Symbol, amount: Decimal) -> None:
        asked_at = self._venue.now()
        with asking(Lane.CLOSE):
            facts = await self._venue.advance()

        def write(ledger: Ledger, facts: Facts, terms: Terms) -> None:
            if late := self._late("request", asked_at, facts.now):
                raise SettingRefused(late, venue=self._name)
            add_margin(ledger, symbol, amount, facts, terms)

        await self._venue.step(facts, write)

    async def arm_dead_man(self, symbol: Symbol, *, after: timedelta) -> None:
        switch = self._venue.profile.dead_man
        if switch is None:
            raise SettingRefused(self._venue.profile.uncounted, venue=self._name)
        if timedelta(0) < after < switch.shortest:
            raise SettingRefused(
                f"the countdown takes {switch.shortest.total_seconds():g} s and more, not "
                f"{after.total_seconds():g} s",
                venue=self._name,
            )

        def write(ledger: Ledger, facts: Facts, terms: Terms) -> None:
            row = ledger.hold(symbol, facts.now)
            row.cancels_at = facts.now + after if after else None
            row.save(update_fields=["cancels_at"])

        await self._venue.step(Facts(now=self._venue.now(), instruments={}), write)

    async def _setting(self, symbol: Symbol) -> tuple[Instrument, Facts]:
        instrument = await self._venue.public.instrument(symbol)
        return instrument, Facts(now=self._venue.now(), instruments={symbol: instrument})

    def _late(self, what: str, asked_at: datetime, now: datetime) -> str:
        """Say that something comes later than its venue still takes it; empty where it does not."""
        late = now - asked_at
        if late <= (self._venue.profile.receive_window or USUAL_WINDOW):
            return ""
        return f"the {what} came {late.total_seconds():.1f} s late"
