"""What the library does not read at dYdX v4: coming rates, marks and exact times of settlements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.instants import of_iso, of_seconds
from exchanges.ccxt_adapter.numbers import exact

Request = Mapping[str, Any]
Row = dict[str, Any]

# Blocks that settle come some seconds after the minute; settlements are whole minutes apart.
MINUTE = 60_000
SETTLEMENTS_NEEDED = 3


class DydxCalls(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes between our careful base and the library's class."""

    _settled: tuple[int, ...] = ()

    async def fetch_time(self, params: Any = None) -> int:
        """Return the venue's clock: the library takes its seconds for milliseconds."""
        return of_seconds((await self.indexerGetTime())["epoch"])

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        """Return the markets of plain tickers; those named by a contract's address are others'."""
        markets = await super().fetch_markets(params or {})
        return [market for market in markets if "," not in market["id"]]

    async def rate_rows(self, request: Request) -> list[Row]:
        """Return each market's oracle price, which is its mark too, and the rate of this hour."""
        told = await self._markets()
        told.sort(key=lambda row: int(row["clobPairId"]))
        upcoming, seconds = await self._settlement_to_come(told)
        hours = exact(seconds) / 3600 if seconds else None
        return [
            {
                "symbol": row["ticker"],
                "mark_price": row["oraclePrice"],
                "index_price": row["oraclePrice"],
                "funding_rate": row["nextFundingRate"],
                "next_funding_at": upcoming,
                "hours": hours,
                "open_interest": row["openInterest"],
                "turnover": row["volume24H"],
            }
            for row in told
        ]

    async def settlement_rows(self, request: Request) -> list[Row]:
        until = datetime.fromtimestamp(request["until"] / 1000, UTC)
        answer = await self.indexerGetHistoricalFundingMarket(
            {
                "market": request["market"],
                "limit": request["limit"],
                "effectiveBeforeOrAt": until.isoformat(timespec="milliseconds")[:-6] + "Z",
            }
        )
        rows = [
            {
                "symbol": row["ticker"],
                "funding_rate": row["rate"],
                "settlement_price": row["price"],
                "time": of_iso(row["effectiveAt"]),
            }
            for row in answer["historicalFunding"]
        ]
        return [row for row in rows if row["time"] >= request["since"]]

    async def _markets(self) -> list[Row]:
        return list((await self.indexerGetPerpetualMarkets())["markets"].values())

    async def _settlement_to_come(self, markets: Sequence[Row]) -> tuple[int | None, int | None]:
        """Return when all markets settle next and how many seconds apart, by what has settled.

        The chain settles all of them at once, which the oldest market's history tells. None for
        both where the last settlements were not evenly spaced, or are missing.
        """
        now = self.milliseconds()
        if self._upcoming(now) is None:
            answer = await self.indexerGetHistoricalFundingMarket(
                {"market": markets[0]["ticker"], "limit": SETTLEMENTS_NEEDED}
            )
            rows = answer["historicalFunding"]
            stamps = {of_iso(row["effectiveAt"]) // MINUTE * MINUTE for row in rows}
            self._settled = tuple(sorted(stamps)[-SETTLEMENTS_NEEDED:])
        every = self._spacing()
        # Just after a settlement its row is not written yet.
        upcoming = self._upcoming(now) or self._upcoming(now, ahead=2)
        return (upcoming, every // 1000) if upcoming and every else (None, None)

    def _spacing(self) -> int | None:
        gaps = {after - before for before, after in pairwise(self._settled)}
        return gaps.pop() if len(self._settled) == SETTLEMENTS_NEEDED and len(gaps) == 1 else None

    def _upcoming(self, now: int, *, ahead: int = 1) -> int | None:
        every = self._spacing()
        if every is None:
            return None
        upcoming = self._settled[-1] + every * ahead
        return upcoming if upcoming > now else None
