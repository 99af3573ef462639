"""Kraken's multi-collateral perpetuals as flat rows: its rates are dollars per unit and hour."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.calls.shared_settlements import SharedSettlements
from exchanges.ccxt_adapter.instants import hours_of, of_iso
from exchanges.ccxt_adapter.numbers import exact

Request = Mapping[str, Any]
Row = dict[str, Any]

# Of all contracts, which settle at once, the one whose history tells when.
LONGEST_LISTED = "PF_XBTUSD"
RATE_DIGITS = Decimal("1e-16")


class KrakenFuturesCalls(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes between our careful base and the library's class."""

    @cached_property
    def _settlements(self) -> SharedSettlements:
        return SharedSettlements()

    async def fetch_time(self, params: Any = None) -> int:
        return of_iso((await self.publicGetTickers())["serverTime"])

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        markets = await super().fetch_markets(params or {})
        return [market for market in markets if market["swap"]]

    async def rate_rows(self, request: Request) -> list[Row]:
        tickers = await self._perpetuals()

        async def settled() -> list[int]:
            return [row["time"] for row in await self._history(LONGEST_LISTED)]

        next_at, every = await self._settlements.to_come(self.milliseconds(), settled) or (None, 0)
        return [
            {
                "symbol": row["symbol"],
                "mark_price": row["markPrice"],
                "index_price": row["indexPrice"],
                "funding_rate": relative(row.get("fundingRate"), row.get("indexPrice")),
                "next_funding_at": next_at,
                "hours": hours_of(every),
                "open_interest": row["openInterest"],
                "volume": row["vol24h"],
                "price": row.get("last"),
                **self._bounds(row["symbol"]),
            }
            for row in tickers
        ]

    async def top_rows(self, request: Request) -> list[Row]:
        return [
            {
                "symbol": row["symbol"],
                "bid": row.get("bid"),
                "bid_quantity": row.get("bidSize"),
                "ask": row.get("ask"),
                "ask_quantity": row.get("askSize"),
            }
            for row in await self._perpetuals()
        ]

    async def settlement_rows(self, request: Request) -> list[Row]:
        rows = await self._history(request["symbol"])
        return [row for row in rows if request["since"] <= row["time"] <= request["until"]]

    async def _perpetuals(self) -> list[Row]:
        tickers = (await self.publicGetTickers())["tickers"]
        return [row for row in tickers if row.get("tag") == "perpetual"]

    async def _history(self, symbol: str) -> list[Row]:
        answer = await self.publicGetHistoricalfundingrates({"symbol": symbol})
        return [
            {
                "symbol": symbol,
                "funding_rate": row["relativeFundingRate"],
                "time": of_iso(row["timestamp"]),
            }
            for row in answer["rates"]
        ]

    def _bounds(self, symbol: str) -> Row:
        for market in (self.markets_by_id or {}).get(symbol, ()):
            most = market["info"].get("maxRelativeFundingRate")
            if most:
                return {"cap": exact(most), "floor": -exact(most)}
        return {}


def relative(absolute: Any, index: Any) -> Decimal | None:
    """Return the rate as a fraction: dollars per unit by the index price they are counted from."""
    if absolute is None or not index:
        return None
    return (exact(absolute) / exact(index)).quantize(RATE_DIGITS)
