"""Intervals of contracts whose venue lists none: the spacing of their last settlements.

Most of Binance's contracts are such. One request tells the latest settlements of all of them; a
symbol is asked for alone only where that is not enough, a few per round.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from exchanges.ccxt_adapter.parse import moment
from exchanges.ccxt_adapter.rows import Row, fetch_rows
from exchanges.funding_intervals import (
    SETTLEMENTS_NEEDED,
    UNKNOWN,
    FundingInterval,
    from_spacing,
)
from exchanges.venues.rows import Rows

SYMBOLS_PER_ROUND = 40
# A settlement may be listed some seconds after it happened, and a new contract has none for hours.
ASK_AGAIN_AFTER = timedelta(seconds=10)
ASK_ALONE_AGAIN_AFTER = timedelta(minutes=10)


class SettlementSpacing:
    """Remembers the last settlements of each venue symbol and asks only when they no longer fit."""

    def __init__(self, exchange: Any, rows: Rows) -> None:
        self._exchange = exchange
        self._rows = rows
        self._settled: dict[str, list[datetime]] = {}
        self._asked_for: dict[str, datetime | None] = {}
        self._asked_at: datetime | None = None
        self._alone_at: dict[str, datetime] = {}

    async def intervals(
        self, upcoming: Mapping[str, datetime | None], now: datetime
    ) -> dict[str, FundingInterval]:
        """Return the interval of each venue symbol, given its next settlement."""
        if self._is_due(self._unresolved(upcoming), upcoming, now):
            self._asked_at = now
            self._learn(await fetch_rows(self._exchange, self._rows, limit=self._rows.page_size))
            await self._ask_alone(self._unresolved(upcoming), now)
            self._asked_for = dict(upcoming)
        return {symbol: self._interval(symbol, after) for symbol, after in upcoming.items()}

    def _interval(self, symbol: str, upcoming: datetime | None) -> FundingInterval:
        settled = self._settled.get(symbol)
        return from_spacing(settled, upcoming) if settled else UNKNOWN

    def _unresolved(self, upcoming: Mapping[str, datetime | None]) -> list[str]:
        return [
            symbol
            for symbol, after in upcoming.items()
            if after is not None and self._interval(symbol, after).seconds is None
        ]

    def _is_due(
        self, unresolved: list[str], upcoming: Mapping[str, datetime | None], now: datetime
    ) -> bool:
        """Tell whether asking may help: a settlement has passed, or the last answer is old."""
        if not unresolved:
            return False
        if self._asked_at is None or now - self._asked_at >= ASK_AGAIN_AFTER:
            return True
        return any(self._asked_for.get(symbol) != upcoming[symbol] for symbol in unresolved)

    async def _ask_alone(self, symbols: list[str], now: datetime) -> None:
        never = now - ASK_ALONE_AGAIN_AFTER
        due = [
            symbol
            for symbol in symbols
            if len(self._settled.get(symbol, ())) < SETTLEMENTS_NEEDED
            and now - self._alone_at.get(symbol, never) >= ASK_ALONE_AGAIN_AFTER
        ][:SYMBOLS_PER_ROUND]
        answers = await asyncio.gather(*(self._latest(symbol) for symbol in due))
        for symbol, rows in zip(due, answers, strict=True):
            self._alone_at[symbol] = now
            self._learn(rows)

    async def _latest(self, symbol: str) -> list[Row]:
        return await fetch_rows(self._exchange, self._rows, symbol=symbol, limit=SETTLEMENTS_NEEDED)

    def _learn(self, rows: list[Row]) -> None:
        columns = self._rows.columns
        for row in rows:
            known = self._settled.setdefault(row[columns["symbol"]], [])
            settled_at = moment(row[columns["time"]])
            if settled_at not in known:
                known.append(settled_at)
                known.sort()
                del known[:-SETTLEMENTS_NEEDED]
