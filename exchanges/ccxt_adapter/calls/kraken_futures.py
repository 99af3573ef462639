"""Kraken's multi-collateral perpetuals as flat rows: its rates are dollars per unit and hour.

The rate of an hour is fixed when it begins. Whether the history names an hour by its beginning or
by its end is not documented: where its newest rate is the one that the ticker tells of the hour
that runs, it is the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from itertools import chain, pairwise
from typing import Any

from exchanges.ccxt_adapter.bad_rows import made_of
from exchanges.ccxt_adapter.calls.kraken_futures_account import KrakenFuturesAccountCalls
from exchanges.ccxt_adapter.calls.kraken_futures_requests import SCHEDULE
from exchanges.ccxt_adapter.calls.kraken_schedule import windows
from exchanges.ccxt_adapter.calls.shared_settlements import SharedSettlements
from exchanges.ccxt_adapter.instants import hours_of, of_iso
from exchanges.ccxt_adapter.numbers import exact
from exchanges.risk_tiers import NO_CAP

Request = Mapping[str, Any]
Row = dict[str, Any]

# Of all contracts, which settle at once, the one whose history tells when.
LONGEST_LISTED = "PF_XBTUSD"
# Of several collaterals: what the levels of others count is not dollars.
FLEXIBLE = "flexible_futures"
ALIKE = Decimal("1e-6")
# The part of an hour, 15 s, in which lists may still tell of the one before.
TURNS_FOR = 240
RATE_DIGITS, PRICE_DIGITS = Decimal("1e-16"), Decimal("1e-8")


class KrakenFuturesCalls(KrakenFuturesAccountCalls):
    """Goes between our careful base and the library's class."""

    _names_beginnings: bool | None = None

    @cached_property
    def _settlements(self) -> SharedSettlements:
        return SharedSettlements()

    async def fetch_time(self, params: Any = None) -> int:
        """Return the venue's time, of the lightest answer that tells it."""
        answer = await self.publicGetTickersSymbol({"symbol": LONGEST_LISTED})
        return of_iso(answer["serverTime"])

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        markets = await super().fetch_markets(params or {})
        return [market for market in markets if market["swap"]]

    async def rate_rows(self, request: Request) -> list[Row]:
        tickers = await self._perpetuals()

        async def settled() -> list[int]:
            return [row["time"] for row in await self._history(LONGEST_LISTED)]

        next_at, every = await self._settlements.to_come(self.milliseconds(), settled) or (None, 0)

        def rate(row: Row) -> Row:
            return {
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

        return made_of(tickers, rate, "krakenfutures rates")

    async def status_rows(self, request: Request) -> list[Row]:
        """Return what is announced; Kraken's own list tells of its futures too."""
        answer = await self.fetch2("MaintenanceSchedule", SCHEDULE, "GET", {"version": "public"})
        return windows(answer)

    async def top_rows(self, request: Request) -> list[Row]:
        return made_of(await self._perpetuals(), _top, "krakenfutures tops")

    async def tier_rows(self, request: Request) -> list[Row]:
        """Return the margin levels of all contracts, each up to where the next begins."""
        told = await self.publicGetInstruments()
        flexible = [one for one in told["instruments"] if one.get("type") == FLEXIBLE]
        return list(chain(*made_of(flexible, _tiers, "krakenfutures tiers")))

    async def settlement_rows(self, request: Request) -> list[Row]:
        """Return what was due to who held through each whole period, at its end."""
        told = await self._history(request["symbol"])
        if await self._by_beginnings(told if request["symbol"] == LONGEST_LISTED else None):
            told = _by_ends(told)
        return [row for row in told if request["since"] <= row["time"] <= request["until"]]

    async def _by_beginnings(self, told: list[Row] | None) -> bool:
        """Tell by what the history names its hours; asked once, of the contract named above.

        Raise LookupError while an hour turns, when history and ticker need not tell of the same.
        """
        if self._names_beginnings is None:
            answer = await self.publicGetTickers()
            [now] = [row for row in answer["tickers"] if row["symbol"] == LONGEST_LISTED]
            before, last = (told or await self._history(LONGEST_LISTED))[-2:]
            every, rate = last["time"] - before["time"], exact(now["fundingRate"])
            runs_for = of_iso(answer["serverTime"]) - last["time"]
            is_last, is_before = (_is_alike(rate, one["dollars"]) for one in (last, before))
            is_turning = not every // TURNS_FOR <= runs_for < every
            if is_turning or (is_before and not is_last):
                raise LookupError("ticker and history may tell of different hours")
            if is_before:
                # Two hours alike prove nothing for the next time.
                return is_last
            self._names_beginnings = is_last
        return self._names_beginnings

    async def _perpetuals(self) -> list[Row]:
        tickers = (await self.publicGetTickers())["tickers"]
        return [row for row in tickers if row.get("tag") == "perpetual"]

    async def _history(self, symbol: str) -> list[Row]:
        """Return the rates of each hour, oldest first."""
        answer = await self.publicGetHistoricalfundingrates({"symbol": symbol})
        told = [
            {
                "symbol": symbol,
                "funding_rate": row["relativeFundingRate"],
                "dollars": exact(row["fundingRate"]),
                "settlement_price": counted_from(row["fundingRate"], row["relativeFundingRate"]),
                "time": of_iso(row["timestamp"]),
            }
            for row in answer["rates"]
        ]
        return sorted(told, key=lambda row: int(row["time"]))

    def _bounds(self, symbol: str) -> Row:
        for market in (self.markets_by_id or {}).get(symbol, ()):
            most = market["info"].get("maxRelativeFundingRate")
            if most:
                return {"cap": exact(most), "floor": -exact(most)}
        return {}


def _tiers(contract: Row) -> list[Row]:
    """Return one contract's levels by where they end; the last goes on without an end.

    The rate of its level counts for the whole position, as the wallet's own figures do here.
    """
    levels = contract["marginLevels"]
    ends = [exact(level["numNonContractUnits"]) for level in levels[1:]]
    return [
        {
            "symbol": contract["symbol"],
            "notional": end,
            "leverage": 1 / exact(level["initialMargin"]),
            "maintenance": exact(level["maintenanceMargin"]),
            "deduction": None,
        }
        for level, end in zip(levels, [*ends, NO_CAP], strict=True)
    ]


def _is_alike(rate: Decimal, other: Decimal) -> bool:
    """Tell whether both are one rate, which lists may write to more or fewer digits."""
    return abs(rate - other) <= abs(rate) * ALIKE


def _by_ends(told: list[Row]) -> list[Row]:
    """Return the rates of whole periods by their ends; the period that runs has none yet."""
    spacings = [after["time"] - before["time"] for before, after in pairwise(told)]
    every = min(spacings, default=0)
    return [{**row, "time": row["time"] + every} for row in told[:-1]]


def counted_from(absolute: Any, fraction: Any) -> Decimal | None:
    """Return the price that a rate in dollars is a fraction of, None of no rate."""
    if not exact(fraction):
        return None
    return (exact(absolute) / exact(fraction)).quantize(PRICE_DIGITS)


def relative(absolute: Any, index: Any) -> Decimal | None:
    """Return the rate as a fraction: dollars per unit by the index price they are counted from."""
    if absolute is None or not index:
        return None
    return (exact(absolute) / exact(index)).quantize(RATE_DIGITS)


def _top(row: Row) -> Row:
    return {
        "symbol": row["symbol"],
        "bid": row.get("bid"),
        "bid_quantity": row.get("bidSize"),
        "ask": row.get("ask"),
        "ask_quantity": row.get("askSize"),
    }
