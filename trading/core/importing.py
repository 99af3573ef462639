"""Configurations of other programs, translated into our values; nothing is saved here.

Two forms are read: hummingbot's `spot_perpetual_arbitrage`, and a trading file with `trading:`
(symbols, thresholds in fractions, leverage per pair) or `leverage:` per exchange and pair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from trading.core.leverage import ANY
from trading.core.policies import Tolerance

HUMMINGBOT = "spot_perpetual_arbitrage"
EMPTY = ("", "null", "~", "None")
SPOT_CONNECTORS = {
    "binance": "binance",
    "bitget": "bitget",
    "bybit": "bybit",
    "coinbase_advanced_trade": "coinbase",
    "coinbase_pro": "coinbase",
    "gate_io": "gate",
    "kraken": "kraken",
    "kucoin": "kucoin",
    "mexc": "mexc",
    "okx": "okx",
}
PERPETUAL_CONNECTORS = {
    "binance_perpetual": "binanceusdm",
    "bitget_perpetual": "bitget",
    "bybit_perpetual": "bybit",
    "dydx_perpetual": "dydx",
    "dydx_v4_perpetual": "dydx",
    "gate_io_perpetual": "gate",
    "hyperliquid_perpetual": "hyperliquid",
    "kucoin_perpetual": "kucoin",
    "okx_perpetual": "okx",
}
# Hummingbot's name, and ours.
SAME_NUMBERS = {
    "order_amount": "order_amount",
    "perpetual_leverage": "spot_perp_leverage",
    "min_opening_arbitrage_pct": "min_opening_arbitrage_pct",
    "min_closing_arbitrage_pct": "min_closing_arbitrage_pct",
    "spot_market_slippage_buffer": "spot_market_slippage_buffer",
    "perpetual_market_slippage_buffer": "perpetual_market_slippage_buffer",
    "next_arbitrage_opening_delay": "next_arbitrage_opening_delay",
}
HUMMINGBOT_KEYS = (
    "template_version",
    "strategy",
    "spot_connector",
    "spot_market",
    "perpetual_connector",
    "perpetual_market",
    *SAME_NUMBERS,
)
TRADING_NUMBERS = (
    "min_spread_base",
    "min_spread_per_10k",
    "entry_buffer_minutes",
    "order_fill_timeout_seconds",
    "max_position_per_pair_usd",
)
TRADING_KEYS = ("symbols", *TRADING_NUMBERS, "negative_spread_tolerance", "leverage")
# A trading file says binance and means its perpetuals.
PERPETUAL_VENUES = {"binance": "binanceusdm"}
TOLERANCES = {Decimal(0): Tolerance.CONSERVATIVE, Decimal("-0.0001"): Tolerance.MODERATE}

Raw = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a file says, as our outer values. `source` names its form."""

    source: str
    values: dict[str, object]


class ImportErrors(ValueError):
    """A file cannot be taken over. `errors`: one sentence per key as the file spells it."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


def read_configuration(raw: Raw) -> Imported:
    """Translate a file of either form. Raise ImportErrors with every unknown key at once."""
    if "trading" in raw or "leverage" in raw:
        return _trading_file(raw)
    if "strategy" in raw or "perpetual_connector" in raw:
        return _hummingbot(raw)
    raise ImportErrors(
        {
            "": f"This is neither a hummingbot {HUMMINGBOT} file (strategy: …) nor a trading file "
            "(trading: …)."
        }
    )


def _hummingbot(raw: Raw) -> Imported:
    errors = _unknown(raw, HUMMINGBOT_KEYS, f"a {HUMMINGBOT} file")
    said = {key: value for key, value in raw.items() if not _is_empty(value)}
    if said.get("strategy", HUMMINGBOT) != HUMMINGBOT:
        errors["strategy"] = f"Strategy {said['strategy']!r}: only {HUMMINGBOT} can be imported."
    values: dict[str, object] = {
        ours: said[theirs] for theirs, ours in SAME_NUMBERS.items() if theirs in said
    }
    values["strategies"] = ["cash_and_carry", "reverse_cash_and_carry"]
    symbols = [said[key] for key in ("spot_market", "perpetual_market") if key in said]
    if symbols:
        values["symbols"] = list(dict.fromkeys(map(str, symbols)))
    venues = [
        _connector(key, said[key], known, errors)
        for key, known in (
            ("spot_connector", SPOT_CONNECTORS),
            ("perpetual_connector", PERPETUAL_CONNECTORS),
        )
        if key in said
    ]
    if venues:
        values["venues"] = list(dict.fromkeys(venues))
    return _imported(f"hummingbot {HUMMINGBOT}", values, errors)


def _connector(key: str, said: object, known: Mapping[str, str], errors: dict[str, str]) -> str:
    if str(said) not in known:
        errors[key] = f"Connector {said!r} is not known: {', '.join(known)} are."
    return known.get(str(said), "")


def _trading_file(raw: Raw) -> Imported:
    errors = _unknown(raw, ("trading", "leverage"), "a trading file")
    if "exchanges" in errors:
        errors["exchanges"] = (
            "exchanges: API keys are not imported. Enter them with the account, where they are "
            "sealed; take them out of this file."
        )
    values: dict[str, object] = {}
    trading = _mapping("trading", raw.get("trading"), errors)
    errors |= _unknown(trading, TRADING_KEYS, "trading")
    for key in ("symbols", *TRADING_NUMBERS):
        if key in trading and not _is_empty(trading[key]):
            values[key] = trading[key]
    if "negative_spread_tolerance" in trading:
        values |= _reported(
            "negative_spread_tolerance", _tolerance, trading["negative_spread_tolerance"], errors
        )
    overrides: list[str] = []
    for pair, leverage in _mapping("leverage", trading.get("leverage"), errors).items():
        if pair == "default":
            values["leverage"] = leverage
        else:
            overrides.append(f"{ANY} {pair} {leverage}")
    for exchange, pairs in _mapping("leverage", raw.get("leverage"), errors).items():
        venue = PERPETUAL_VENUES.get(exchange, exchange)
        for pair, leverage in _mapping(f"leverage.{exchange}", pairs, errors).items():
            overrides.append(f"{venue} {ANY if pair == 'default' else pair} {leverage}")
    if overrides:
        values["leverage_overrides"] = overrides
    return _imported("trading file", values, errors)


def _tolerance(said: object) -> dict[str, object]:
    words = [tolerance.value for tolerance in Tolerance]
    if str(said) in words:
        return {"negative_spread_tolerance": str(said)}
    try:
        number = Decimal(str(said))
    except InvalidOperation:
        raise ValueError(
            f"negative_spread_tolerance: {said!r} is neither a number nor one of "
            f"{', '.join(words)}."
        ) from None
    known = TOLERANCES.get(number)
    if known is not None:
        return {"negative_spread_tolerance": known.value}
    return {
        "negative_spread_tolerance": Tolerance.AGGRESSIVE.value,
        "aggressive_tolerance": str(said),
    }


def _reported(
    key: str, read: Callable[[object], dict[str, object]], said: object, errors: dict[str, str]
) -> dict[str, object]:
    try:
        return read(said)
    except ValueError as error:
        errors[key] = str(error)
        return {}


def _mapping(key: str, found: object, errors: dict[str, str]) -> Mapping[str, Any]:
    if found is None or _is_empty(found):
        return {}
    if not isinstance(found, Mapping):
        errors[key] = f"{key}: {found!r} is not a block of keys and values."
        return {}
    return found


def _unknown(raw: Raw, known: tuple[str, ...], where: str) -> dict[str, str]:
    return {
        key: f"{where} has no key {key!r}; known are {', '.join(known)}."
        for key in raw
        if key not in known
    }


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in EMPTY)


def _imported(source: str, values: dict[str, object], errors: dict[str, str]) -> Imported:
    if errors:
        raise ImportErrors(errors)
    return Imported(source=source, values=values)
