"""KuCoin's linear perpetuals as flat rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchanges.ccxt_adapter.bad_rows import made_of
from exchanges.ccxt_adapter.calls.kucoin_account import KucoinAccountCalls
from exchanges.ccxt_adapter.instants import hours_of
from exchanges.ccxt_adapter.windows import in_halves

Request = Mapping[str, Any]
Row = dict[str, Any]

# No answer has more settlements.
MOST_SETTLEMENTS = 100
MINUTE = 60_000
PERPETUAL, UNTOLD = "FFWCSX", -1


class KucoinCalls(KucoinAccountCalls):
    """Goes between our careful base and the library's class."""

    async def fetch_markets(self, params: Any = None) -> Any:
        """Return the contracts; with a key the library would ask what spot may be margined too."""
        return await super().fetch_markets({"marginables": False})

    async def futuresPublicGetContractsActive(self, params: Any = None) -> Any:
        """Return the list; of what tells no coming settlement the library would make a future."""
        answer = await super().futuresPublicGetContractsActive(params or {})
        for row in answer["data"]:
            if row.get("type") == PERPETUAL and row.get("nextFundingRateTime") is None:
                row["nextFundingRateTime"] = UNTOLD
        return answer

    async def rate_rows(self, request: Request) -> list[Row]:
        answer, now = await self.futuresPublicGetContractsActive(), self.milliseconds()

        def rate(row: Row) -> Row:
            return {
                "symbol": row["symbol"],
                "mark_price": row["markPrice"],
                "index_price": row["indexPrice"],
                "funding_rate": row["fundingFeeRate"],
                "next_funding_at": _next_at(row, now),
                "hours": hours_of(row.get("fundingRateGranularity")),
                "cap": row.get("fundingRateCap"),
                "floor": row.get("fundingRateFloor"),
                "open_interest": row["openInterest"],
                "turnover": row["turnoverOf24h"],
            }

        return made_of(answer["data"], rate, "kucoin rates")

    async def status_rows(self, request: Request) -> list[Row]:
        """Return the mode that trading is in now, all that the venue tells of maintenance."""
        told = (await self.futuresPublicGetStatus())["data"]
        mode = told["status"]
        return [{"status": mode, "title": told.get("msg") or f"KuCoin's futures are {mode}"}]

    async def top_rows(self, request: Request) -> list[Row]:
        return made_of((await self.futuresPublicGetAllTickers())["data"], _top, "kucoin tops")

    async def settlement_rows(self, request: Request) -> list[Row]:
        async def ask(since: int, until: int) -> list[Row]:
            asked = {"symbol": request["symbol"], "from": since, "to": until}
            answer = await self.futuresPublicGetContractFundingRates(asked)
            return [
                {
                    "symbol": row["symbol"],
                    "funding_rate": row["fundingRate"],
                    "time": row["timepoint"],
                }
                for row in answer["data"] or []
            ]

        return await in_halves(ask, request["since"], request["until"], MOST_SETTLEMENTS)


def _next_at(row: Row, now: int) -> int | None:
    """Return the next settlement: the venue tells how long it is until then, it settles by minute.

    None of a contract that settles no funding.
    """
    left = row["nextFundingRateTime"]
    return None if left in (None, UNTOLD) else (now + int(left) + MINUTE // 2) // MINUTE * MINUTE


def _top(row: Row) -> Row:
    return {
        "symbol": row["symbol"],
        "bid": row["bestBidPrice"],
        "bid_quantity": row["bestBidSize"],
        "ask": row["bestAskPrice"],
        "ask_quantity": row["bestAskSize"],
    }
