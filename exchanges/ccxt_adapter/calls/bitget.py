"""Bitget's perpetuals, margined in USDT and USDC, as flat rows: two lists for each of both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchanges.ccxt_adapter.bad_rows import made_of
from exchanges.ccxt_adapter.calls.bitget_account import BitgetAccountCalls
from exchanges.ccxt_adapter.rows import all_of
from exchanges.ccxt_adapter.windows import newest_first

Request = Mapping[str, Any]
Row = dict[str, Any]

PRODUCTS = "USDT-FUTURES", "USDC-FUTURES"
PAGE = 100
# The state of a contract of which nothing may be opened any more.
ONLY_REDUCED = "limit_open"
DAY = 86_400_000


class BitgetCalls(BitgetAccountCalls):
    """Goes between our careful base and the library's class."""

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        """Leave out a time since when nothing may be opened where a contract still trades.

        What may be reduced and nothing else counts among what trades; its end has come.
        """
        markets: list[Any] = await super().fetch_markets(params or {})
        for market in markets:
            info, now = market["info"], self.milliseconds()
            ends = int(info.get("limitOpenTime") or 0)
            if info.get("symbolStatus") == ONLY_REDUCED:
                market["active"] = True
                info["limitOpenTime"] = ends if ends > 0 else now // DAY * DAY
            elif market["active"] and ends <= now:
                info.pop("limitOpenTime", None)
        return markets

    async def rate_rows(self, request: Request) -> list[Row]:
        tickers, rates = await all_of([self._tickers(), self._rates()])
        marks = {row["symbol"]: row for row in tickers}

        def rate(row: Row) -> Row:
            return {
                "symbol": row["symbol"],
                "mark_price": marks[row["symbol"]]["markPrice"],
                "index_price": marks[row["symbol"]]["indexPrice"],
                "funding_rate": row["fundingRate"],
                "next_funding_at": row["nextUpdate"],
                "hours": row["fundingRateInterval"],
                "cap": row["maxFundingRate"],
                "floor": row["minFundingRate"],
            }

        told = [row for row in rates if row["symbol"] in marks]
        return made_of(told, rate, "bitget rates")

    async def top_rows(self, request: Request) -> list[Row]:
        return made_of(await self._tickers(), _top, "bitget tops")

    async def settlement_rows(self, request: Request) -> list[Row]:
        [market] = self.markets_by_id[request["symbol"]]
        named = {"symbol": request["symbol"], "productType": f"{market['settle']}-FUTURES"}

        async def page(number: int) -> list[Row]:
            answer = await self.publicMixGetV2MixMarketHistoryFundRate(
                {**named, "pageSize": PAGE, "pageNo": number}
            )
            return [
                {
                    "symbol": row["symbol"],
                    "funding_rate": row["fundingRate"],
                    "time": int(row["fundingTime"]),
                }
                for row in answer["data"]
            ]

        return await newest_first(page, request, PAGE)

    async def tier_rows(self, request: Request) -> list[Row]:
        answer = await self.publicMixGetV2MixMarketQueryPositionLever(
            {"symbol": request["symbol"], "productType": f"{request['coin']}-FUTURES"}
        )
        return list(answer["data"])

    async def _tickers(self) -> list[Row]:
        return await self._of_products(self.publicMixGetV2MixMarketTickers)

    async def _rates(self) -> list[Row]:
        return await self._of_products(self.publicMixGetV2MixMarketCurrentFundRate)

    @staticmethod
    async def _of_products(ask: Any) -> list[Row]:
        answers = await all_of(ask({"productType": product}) for product in PRODUCTS)
        return [row for answer in answers for row in answer["data"]]


def _top(row: Row) -> Row:
    return {
        "symbol": row["symbol"],
        "bid": row["bidPr"],
        "bid_quantity": row["bidSz"],
        "ask": row["askPr"],
        "ask_quantity": row["askSz"],
        "open_interest": row["holdingAmount"],
        "turnover": row["usdtVolume"],
    }
