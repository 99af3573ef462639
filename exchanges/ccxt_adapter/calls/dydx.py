"""What the library does not read at dYdX v4: coming rates, marks and exact times of settlements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.calls.shared_settlements import SETTLEMENTS_NEEDED, SharedSettlements
from exchanges.ccxt_adapter.instants import hours_of, of_iso, of_seconds

Request = Mapping[str, Any]
Row = dict[str, Any]


class DydxCalls(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes between our careful base and the library's class."""

    @cached_property
    def _settlements(self) -> SharedSettlements:
        return SharedSettlements()

    async def fetch_time(self, params: Any = None) -> int:
        """Return the venue's clock: the library takes its seconds for milliseconds."""
        return of_seconds((await self.indexerGetTime())["epoch"])

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        """Return the markets of plain tickers; those named by a contract's address are others'."""
        markets = await super().fetch_markets(params or {})
        return [market for market in markets if "," not in market["id"]]

    async def rate_rows(self, request: Request) -> list[Row]:
        """Return each market's oracle price, which is its mark too, and the rate of this hour.

        The chain settles all of them at once, as the history of the oldest tells.
        """
        told = list((await self.indexerGetPerpetualMarkets())["markets"].values())
        told.sort(key=lambda row: int(row["clobPairId"]))

        async def settled() -> list[int]:
            asked = {"market": told[0]["ticker"], "limit": SETTLEMENTS_NEEDED}
            answer = await self.indexerGetHistoricalFundingMarket(asked)
            return [of_iso(row["effectiveAt"]) for row in answer["historicalFunding"]]

        next_at, every = await self._settlements.to_come(self.milliseconds(), settled) or (None, 0)
        return [
            {
                "symbol": row["ticker"],
                "mark_price": row["oraclePrice"],
                "index_price": row["oraclePrice"],
                "funding_rate": row["nextFundingRate"],
                "next_funding_at": next_at,
                "hours": hours_of(every),
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
