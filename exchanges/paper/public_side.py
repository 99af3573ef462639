"""The public side of one venue for all paper accounts of a process, asked no more than needed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from exchanges.domain import (
    BorrowRate,
    Depth,
    FundingRate,
    Instrument,
    InstrumentKind,
    Quote,
    SettledFunding,
    Symbol,
)
from exchanges.errors import InvalidOrder, VenueError
from exchanges.paper.facts import Span
from exchanges.paper.parts import adds_up
from exchanges.ports import MarketData
from exchanges.venues.profile import VenueProfile

logger = logging.getLogger(__name__)

DEPTH_LEVELS = 50
LISTING_LASTS = timedelta(hours=1)
MISSING_LASTS = timedelta(minutes=1)
QUOTES_LAST = timedelta(seconds=3)
RATES_LAST = timedelta(seconds=20)
LOANS_LAST = timedelta(minutes=1)


def _now() -> datetime:
    return datetime.now(UTC)


class PublicSide:
    """What is listed, marks and books of a venue, with when they were read."""

    def __init__(
        self, data: MarketData, profile: VenueProfile, now: Callable[[], datetime] = _now
    ) -> None:
        self.data = data
        self.profile = profile
        self.now = now
        self._instruments: dict[Symbol, Instrument] = {}
        self._listed_at: datetime | None = None
        self.unlisted: frozenset[Symbol] = frozenset()
        self._quotes: dict[Symbol, Quote] = {}
        self._quoted_at: datetime | None = None
        self._rates: dict[Symbol, FundingRate] = {}
        self._rated_at: datetime | None = None
        self._loans: dict[str, BorrowRate] = {}
        self._lent_at: datetime | None = None
        self._lock = asyncio.Lock()

    async def instrument(self, symbol: Symbol) -> Instrument:
        """Return what is listed under a symbol. Raise InvalidOrder where nothing is."""
        found = (await self.instruments()).get(symbol)
        if found is None or symbol in self.unlisted:
            found = (await self.instruments(lasting=MISSING_LASTS)).get(symbol)
        if found is None or symbol in self.unlisted:
            raise InvalidOrder(
                f"{symbol} is not listed here as spot or linear contract", venue=self.profile.name
            )
        return found

    async def instruments(self, *, lasting: timedelta = LISTING_LASTS) -> dict[Symbol, Instrument]:
        """Return what is listed, what was delisted since the start of the process too."""
        async with self._lock:
            if self._is_old(self._listed_at, lasting):
                listed = await self.data.instruments()
                self._instruments |= {one.symbol: one for one in listed}
                named = {one.symbol for one in listed}
                self.unlisted = frozenset(self._instruments.keys() - named)
                self._listed_at = self.now()
            return self._instruments

    async def quotes(self) -> dict[Symbol, Quote]:
        """Return mark prices of now."""
        async with self._lock:
            if self._is_old(self._quoted_at, QUOTES_LAST):
                self._quotes = {one.symbol: one for one in await self.data.quotes()}
                self._quoted_at = self.now()
            return self._quotes

    async def borrow_rates(self) -> dict[str, BorrowRate]:
        """Return what borrowing each coin costs now; what is not lent is not there."""
        async with self._lock:
            if self._is_old(self._lent_at, LOANS_LAST):
                self._loans = {one.asset: one for one in await self.data.borrow_rates()}
                self._lent_at = self.now()
            return self._loans

    async def depth(self, symbol: Symbol) -> Depth | None:
        """Return the book of a symbol; None where it has left the list since that was read."""
        try:
            return await self.data.depth(symbol, levels=DEPTH_LEVELS)
        except InvalidOrder:
            await self.instruments(lasting=QUOTES_LAST)
            return None

    async def settled_since(self, symbol: Symbol, since: datetime) -> list[SettledFunding]:
        """Return the settlements after `since`; the venue is asked only when one has passed.

        Of what it lists no more it is asked nothing: should it be back, all are asked for then.
        """
        instrument = (await self.instruments()).get(symbol)
        if instrument is None or instrument.kind is not InstrumentKind.PERPETUAL:
            return []
        if symbol in self.unlisted:
            return []
        rate = (await self._funding_rates()).get(symbol)
        if rate is not None and rate.next_funding_at is not None and rate.interval_seconds:
            last = rate.next_funding_at - timedelta(seconds=rate.interval_seconds)
            if last <= since < self.now() < rate.next_funding_at:
                return []
        try:
            return list(await self.data.settled_funding(symbol, since=since))
        except InvalidOrder:
            # It has left the list since that was read.
            await self.instruments(lasting=QUOTES_LAST)
            return []

    async def owed(self, settled: SettledFunding, spans: Sequence[Span]) -> dict[Span, Decimal]:
        """Return what was owed in the spans that a period falls into, as fractions of the index.

        Nothing where the venue does not tell, or where they do not make up the period's own rate.
        """
        symbol, what = settled.symbol, {"symbol": settled.symbol, "settled_at": settled.settled_at}
        asked = (self.data.accrued_rate(symbol, since=one, until=end) for one, end in spans)
        try:
            told = await asyncio.gather(*asked)
        except VenueError as error:
            logger.warning("funding of a part is not told", extra={**what, "reason": str(error)})
            return {}
        rates = [rate for rate in told if rate is not None]
        if len(rates) < len(spans) or not adds_up(rates, settled.funding_rate):
            parts = {"parts": list(map(str, rates)), "whole": str(settled.funding_rate)}
            logger.warning("funding of parts does not add up", extra=what | parts)
            return {}
        return dict(zip(spans, rates, strict=True))

    async def period(self, symbol: Symbol) -> timedelta | None:
        """Return for how long a rate of a contract stands; None while its venue has not told."""
        rate = (await self._funding_rates()).get(symbol)
        if rate is None or not rate.interval_seconds:
            return None
        return timedelta(seconds=rate.interval_seconds)

    async def _funding_rates(self) -> dict[Symbol, FundingRate]:
        async with self._lock:
            if self._is_old(self._rated_at, RATES_LAST) or self._has_settled(self._rates.values()):
                self._rates = {one.symbol: one for one in await self.data.funding_rates()}
                self._rated_at = self.now()
            return self._rates

    def _has_settled(self, rates: Collection[FundingRate]) -> bool:
        return any(
            rate.next_funding_at is not None and rate.next_funding_at <= self.now()
            for rate in rates
        ) and self._is_old(self._rated_at, QUOTES_LAST)

    def _is_old(self, read_at: datetime | None, lasting: timedelta) -> bool:
        return read_at is None or abs(self.now() - read_at) >= lasting
