"""Spot markets of Coinbase and Bitfinex: what the library reads otherwise, as flat rows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.numbers import exact

Request = Mapping[str, Any]
Row = dict[str, Any]

EIGHT_DECIMALS = Decimal("1e-8")
PRICE_DIGITS = 5
# Places in a row of Bitfinex's tickers.
SYMBOL, LAST = 0, 7


class CoinbaseCalls(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes between our careful base and the library's class."""

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        parsed = [self.parse_spot_market(row, {}) for row in await self._products()]
        return [market for market in parsed if market is not None]

    async def spot_top_rows(self, request: Request) -> list[Row]:
        return [
            {"symbol": row["product_id"], "mark_price": row["price"]}
            for row in await self._products()
        ]

    async def _products(self) -> list[Row]:
        answer = await self.v3PublicGetBrokerageMarketProducts({"product_type": "SPOT"})
        found: list[Row] = answer["products"]
        return found


class BitfinexCalls(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes between our careful base and the library's class."""

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        """Return the spot markets: amounts have decimals, prices five digits.

        The tick is that of the last price; without one nothing is traded.
        """
        markets = await super().fetch_markets(params or {})
        found = [market for market in markets if market["spot"]]
        lasts = {row["symbol"]: row["mark_price"] for row in await self.spot_top_rows({})}
        for market in found:
            tick = _tick_at(lasts.get(market["id"]))
            market["precision"] = {"amount": EIGHT_DECIMALS, "price": tick}
            market["active"] = market["active"] and tick is not None
            # The raw row has no names.
            market["info"] = {}
        return found

    async def spot_top_rows(self, request: Request) -> list[Row]:
        return [
            {"symbol": row[SYMBOL], "mark_price": row[LAST]}
            for row in await self.publicGetTickers({"symbols": "ALL"})
            if row[SYMBOL].startswith("t")
        ]


def _tick_at(price: Any) -> Decimal | None:
    """Return the last of the digits that a price as large as this has: 1 at 60,009."""
    if not price:
        return None
    return Decimal(1).scaleb(exact(price).adjusted() - PRICE_DIGITS + 1)
