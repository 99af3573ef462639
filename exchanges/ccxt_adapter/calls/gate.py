"""Gate's USDT-margined perpetuals as flat rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchanges.ccxt_adapter.bad_rows import made_of
from exchanges.ccxt_adapter.calls.gate_account import OF_DOLLARS, GateAccountCalls
from exchanges.ccxt_adapter.calls.gate_rows import listed
from exchanges.ccxt_adapter.instants import hours_of, of_seconds
from exchanges.ccxt_adapter.numbers import exact

Request = Mapping[str, Any]
Row = dict[str, Any]

# The state of a contract from `delisting_time` on.
ONLY_REDUCED = "delisting"
DAY = 86_400_000


class GateCalls(GateAccountCalls):
    """Goes between our careful base and the library's class."""

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        """Count among what trades what may be reduced and nothing else; its end has come."""
        markets: list[Any] = await super().fetch_markets(params or {})
        for market in markets:
            if market["contract"] and market["info"].get("status") == ONLY_REDUCED:
                market["active"] = True
                today = self.milliseconds() // DAY * DAY // 1000
                market["info"]["delisting_time"] = market["info"].get("delisting_time") or today
        return markets

    async def rate_rows(self, request: Request) -> list[Row]:
        told = listed(await self.publicFuturesGetSettleContracts(OF_DOLLARS))
        return made_of(told, _rate, "gate rates")

    async def top_rows(self, request: Request) -> list[Row]:
        told = listed(await self.publicFuturesGetSettleTickers(OF_DOLLARS))
        return made_of(told, _top, "gate tops")

    async def settlement_rows(self, request: Request) -> list[Row]:
        answer = await self.publicFuturesGetSettleFundingRate(
            {
                **OF_DOLLARS,
                "contract": request["contract"],
                "from": request["since"] // 1000,
                "to": request["until"] // 1000,
                "limit": request["limit"],
            }
        )
        return [
            {"symbol": request["contract"], "funding_rate": row["r"], "time": of_seconds(row["t"])}
            for row in listed(answer)
        ]


def _bounds(row: Row) -> Row:
    """Return how far the rate may go either way, where the venue tells it."""
    most = row.get("funding_rate_limit")
    return {"cap": exact(most), "floor": -exact(most)} if most else {}


def _rate(row: Row) -> Row:
    return {
        "symbol": row["name"],
        "mark_price": row["mark_price"],
        "index_price": row["index_price"],
        "funding_rate": row["funding_rate"],
        "next_funding_at": of_seconds(row["funding_next_apply"]),
        "hours": hours_of(exact(row["funding_interval"]) * 1000),
        **_bounds(row),
    }


def _top(row: Row) -> Row:
    return {
        "symbol": row["contract"],
        "bid": row["highest_bid"],
        "bid_quantity": row["highest_size"],
        "ask": row["lowest_ask"],
        "ask_quantity": row["lowest_size"],
        "open_interest": row["total_size"],
        "turnover": row["volume_24h_quote"],
    }
