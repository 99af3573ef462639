"""MEXC's linear perpetuals as flat rows. Interval and next settlement are told one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.instants import HOUR
from exchanges.ccxt_adapter.numbers import exact
from exchanges.ccxt_adapter.windows import newest_first

Request = Mapping[str, Any]
Row = dict[str, Any]

ASKED_AT_ONCE = 10
PAGE = 100


class MexcCalls(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes between our careful base and the library's class."""

    @cached_property
    def _terms(self) -> dict[str, Row]:
        """Keep what was told last of each contract's funding."""
        return {}

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        markets: list[Any] = await self.fetch_swap_markets(params or {})
        return markets

    async def rate_rows(self, request: Request) -> list[Row]:
        """Return the rates of one list; of a few contracts in each round the terms are read anew.

        Before they were told a contract has neither interval nor next settlement. Once it has
        settled its turn comes again; until then the next settlement is one interval later.
        """
        tickers = (await self.contractPublicGetTicker())["data"]
        await self._read_terms([row["symbol"] for row in tickers])
        return [
            {
                "symbol": row["symbol"],
                "mark_price": row["fairPrice"],
                "index_price": row["indexPrice"],
                "funding_rate": row["fundingRate"],
                "open_interest": row["holdVol"],
                "turnover": row["amount24"],
                **self._funding_of(row["symbol"]),
            }
            for row in tickers
        ]

    async def settlement_rows(self, request: Request) -> list[Row]:
        async def page(number: int) -> list[Row]:
            answer = await self.contractPublicGetFundingRateHistory(
                {"symbol": request["symbol"], "page_num": number, "page_size": PAGE}
            )
            return [
                {
                    "symbol": row["symbol"],
                    "funding_rate": row["fundingRate"],
                    "time": row["settleTime"],
                }
                for row in answer["data"]["resultList"]
            ]

        return await newest_first(page, request, PAGE)

    async def _read_terms(self, symbols: list[str]) -> None:
        ours, now = self.markets_by_id or {}, self.milliseconds()
        until = {name: self._terms[name]["nextSettleTime"] for name in self._terms}
        waiting = [name for name in symbols if name in ours and until.get(name, 0) <= now]
        due = sorted(waiting, key=lambda name: until.get(name, 0))
        answers = await asyncio.gather(
            *(self.contractPublicGetFundingRateSymbol({"symbol": n}) for n in due[:ASKED_AT_ONCE])
        )
        for answer in answers:
            self._terms[answer["data"]["symbol"]] = answer["data"]

    def _funding_of(self, symbol: str) -> Row:
        told = self._terms.get(symbol)
        if told is None:
            return {}
        return {
            "next_funding_at": _next_at(told, self.milliseconds()),
            "hours": told["collectCycle"],
            "cap": told["maxFundingRate"],
            "floor": told["minFundingRate"],
        }


def _next_at(told: Row, now: int) -> int | None:
    """Return the next settlement of a contract whose last known one may have passed."""
    known, every = int(told["nextSettleTime"]), int(exact(told["collectCycle"]) * HOUR)
    if known > now:
        return known
    return known + ((now - known) // every + 1) * every if every > 0 else None
