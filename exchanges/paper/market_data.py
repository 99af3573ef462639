"""The venue's own market as a paper account sees it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from exchanges.access import Maintenance
from exchanges.activity import Activity
from exchanges.domain import (
    BookTop,
    BorrowRate,
    Depth,
    FundingRate,
    Instrument,
    Quote,
    SettledFunding,
    Symbol,
)
from exchanges.ports import MarketData
from exchanges.risk_tiers import TierLadder


class PaperMarketData:
    """`exchanges.ports.MarketData`, asked of the real venue."""

    def __init__(self, venue: MarketData) -> None:
        self._venue = venue

    async def instruments(self) -> Sequence[Instrument]:
        return await self._venue.instruments()

    async def funding_rates(self) -> Sequence[FundingRate]:
        return await self._venue.funding_rates()

    async def borrow_rates(self) -> Sequence[BorrowRate]:
        return await self._venue.borrow_rates()

    async def activity(self) -> Sequence[Activity]:
        return await self._venue.activity()

    async def open_interest(self, symbol: Symbol) -> Activity | None:
        return await self._venue.open_interest(symbol)

    async def risk_tiers(self, symbols: Collection[Symbol]) -> Mapping[Symbol, TierLadder]:
        return await self._venue.risk_tiers(symbols)

    async def quotes(self) -> Sequence[Quote]:
        return await self._venue.quotes()

    async def book_tops(self) -> Sequence[BookTop]:
        return await self._venue.book_tops()

    async def depth(self, symbol: Symbol, *, levels: int) -> Depth:
        return await self._venue.depth(symbol, levels=levels)

    async def settled_funding(self, symbol: Symbol, *, since: datetime) -> Sequence[SettledFunding]:
        return await self._venue.settled_funding(symbol, since=since)

    async def accrued_rate(
        self, symbol: Symbol, *, since: datetime, until: datetime
    ) -> Decimal | None:
        return await self._venue.accrued_rate(symbol, since=since, until=until)

    async def maintenance(self) -> Sequence[Maintenance]:
        return await self._venue.maintenance()

    async def server_time(self) -> datetime:
        return await self._venue.server_time()

    async def close(self) -> None:
        await self._venue.close()
