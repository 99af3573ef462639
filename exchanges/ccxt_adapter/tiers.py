"""Maintenance rates where a venue tells its risk tiers by families of contracts, a few a call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from exchanges.ccxt_adapter.feeds.facts import chunks
from exchanges.ccxt_adapter.numbers import exact
from exchanges.ccxt_adapter.rows import fetch_rows
from exchanges.venues.profile import FamilyTiers

Family = tuple[str, str]


class FamilyRates:
    """Remembers the rate of each family and asks only for those it has not met."""

    def __init__(self, tiers: FamilyTiers) -> None:
        self._tiers = tiers
        self._rates: dict[Family, Decimal] = {}

    async def by_venue_symbol(
        self, exchange: Any, markets: Iterable[Mapping[str, Any]]
    ) -> dict[str, Decimal]:
        """Return the maintenance rate of the lowest tier of each linear contract."""
        families = {
            market["id"]: self._family(market) for market in markets if market.get("linear")
        }
        unknown = set(families.values()) - self._rates.keys()
        for number, (kind, some) in enumerate(self._requests(unknown), start=1):
            await self._learn(exchange, kind, some)
            if number % self._tiers.burst == 0:
                await asyncio.sleep(self._tiers.burst_every.total_seconds())
        return {
            symbol: self._rates[family]
            for symbol, family in families.items()
            if family in self._rates
        }

    def _family(self, market: Mapping[str, Any]) -> Family:
        info = market["info"]
        return info[self._tiers.kind_key], info[self._tiers.family_key]

    def _requests(self, families: set[Family]) -> Iterator[tuple[str, list[str]]]:
        for kind in sorted({kind for kind, _ in families}):
            names = sorted(name for of_kind, name in families if of_kind == kind)
            for some in chunks(names, self._tiers.most):
                yield kind, some

    async def _learn(self, exchange: Any, kind: str, families: list[str]) -> None:
        call, columns = self._tiers.call, self._tiers.call.columns
        asked = {self._tiers.kind_key: kind, self._tiers.family_key: ",".join(families)}
        for row in await fetch_rows(exchange, call, **asked):
            self._rates[kind, row[columns["family"]]] = exact(row[columns["maintenance"]])
