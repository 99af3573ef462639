"""Deribit's USDC-margined perpetuals as flat rows: its rates are of eight hours, paid all along."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from exchanges.ccxt_adapter.calls.deribit_account import DeribitAccountCalls
from exchanges.ccxt_adapter.calls.deribit_requests import OF_DOLLARS
from exchanges.ccxt_adapter.calls.shared_settlements import SharedSettlements
from exchanges.ccxt_adapter.instants import HOUR, hours_of
from exchanges.ccxt_adapter.numbers import exact

Request = Mapping[str, Any]
Row = dict[str, Any]

# Of all contracts, which are counted by the same hours, the one whose history tells them.
LONGEST_LISTED = "BTC_USDC-PERPETUAL"
A_FEW_HOURS = 6 * HOUR


class DeribitCalls(DeribitAccountCalls):
    """Goes between our careful base and the library's class."""

    @cached_property
    def _settlements(self) -> SharedSettlements:
        return SharedSettlements()

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        """Return the perpetuals; of linear ones the venue counts coins, in steps of a contract."""
        markets = await super().fetch_markets(OF_DOLLARS)
        found = [market for market in markets if market["swap"] and market["linear"]]
        for market in found:
            market["precision"]["amount"] = market["contractSize"]
            market["contractSize"] = Decimal(1)
            market["limits"]["leverage"]["max"] = market["info"].get("max_leverage")
        return found

    async def rate_rows(self, request: Request) -> list[Row]:
        """Return marks and the rate of now for an hour, which the venue's history counts by.

        Where that seems to count otherwise, neither interval nor settlement is known.
        """
        now = self.milliseconds()

        async def settled() -> list[int]:
            rows = await self._hours(LONGEST_LISTED, now - A_FEW_HOURS, now)
            return [row["time"] for row in rows]

        next_at, every = await self._settlements.to_come(now, settled) or (None, 0)
        if every != HOUR:
            next_at, every = None, 0
        return [
            {
                "symbol": row["instrument_name"],
                "mark_price": row["mark_price"],
                "funding_rate": of_an_hour(row["current_funding"]),
                "next_funding_at": next_at,
                "hours": hours_of(every),
                "open_interest": row["open_interest"],
                "turnover": row["volume_usd"],
            }
            for row in (await self.publicGetGetBookSummaryByCurrency(OF_DOLLARS))["result"]
            if row.get("current_funding") is not None
        ]

    async def settlement_rows(self, request: Request) -> list[Row]:
        return await self._hours(request["instrument_name"], request["since"], request["until"])

    async def accrued_rows(self, request: Request) -> list[Row]:
        """Return what was owed between two instants, as a fraction of the index."""
        answer = await self.publicGetGetFundingRateValue(
            {
                "instrument_name": request["instrument_name"],
                "start_timestamp": request["since"],
                "end_timestamp": request["until"],
            }
        )
        return [{"funding_rate": answer["result"]}]

    async def _hours(self, name: str, since: int, until: int) -> list[Row]:
        answer = await self.publicGetGetFundingRateHistory(
            {"instrument_name": name, "start_timestamp": since, "end_timestamp": until}
        )
        return [
            {
                "symbol": name,
                "funding_rate": row["interest_1h"],
                "settlement_price": row.get("index_price"),
                "time": row["timestamp"],
            }
            for row in answer["result"]
        ]


def of_an_hour(current_funding: Any) -> Decimal:
    """Return what is paid in an hour of a rate that is stated for eight."""
    return exact(current_funding) / 8
