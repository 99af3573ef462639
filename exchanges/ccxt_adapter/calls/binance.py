"""Binance's leverage brackets, which it tells an account of its own, as flat rows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import chain
from typing import Any

from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.bad_rows import made_of
from exchanges.ccxt_adapter.numbers import exact

Row = dict[str, Any]


class BinanceUsdmCalls(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes between our careful base and the library's class."""

    async def own_tier_rows(self, request: Mapping[str, Any]) -> list[Row]:
        """Return the brackets of all contracts, as small as the user's coefficient may mean.

        `notionalCoef` is the user's multiple of the usual brackets; whether the caps that come with
        it hold it already is not documented, and the ladder is kept for all users.
        """
        told = await self.fapiPrivateGetLeverageBracket(dict(request))
        if not isinstance(told, list):
            raise TypeError("brackets of another shape")
        return list(chain(*made_of(told, _brackets, "binanceusdm tiers")))


def _brackets(contract: Row) -> list[Row]:
    part = _prudent_part(contract.get("notionalCoef"))
    return [
        {
            "symbol": contract["symbol"],
            "notional": exact(bracket["notionalCap"]) * part,
            "leverage": bracket["initialLeverage"],
            "maintenance": bracket["maintMarginRatio"],
            "deduction": exact(bracket["cum"]) * part,
        }
        for bracket in contract["brackets"]
    ]


def _prudent_part(coefficient: Any) -> Decimal:
    """Return by what caps are multiplied: at most 1, whichever way the coefficient is meant."""
    if coefficient is None:
        return Decimal(1)
    multiple = exact(coefficient)
    return min(multiple, 1 / multiple)
