"""Venues by name: capabilities and differences as data."""

from __future__ import annotations

from exchanges.venues import (
    binance,
    binanceusdm,
    bitfinex,
    bitget,
    bybit,
    coinbase,
    deribit,
    dydx,
    gate,
    hyperliquid,
    kraken,
    krakenfutures,
    kucoin,
    mexc,
    okx,
)
from exchanges.venues.profile import VenueProfile

TRADED = (
    *(binance, binanceusdm, bybit, okx, hyperliquid),
    *(bitget, gate, krakenfutures, kucoin, kraken, deribit),
)
WATCHED = (*(dydx, mexc, coinbase, bitfinex),)
PROFILES: dict[str, VenueProfile] = {
    module.PROFILE.name: module.PROFILE for module in (*TRADED, *WATCHED)
}


def profile(venue: str) -> VenueProfile:
    """Return what is known of `venue`. Raise KeyError for one that is not supported."""
    return PROFILES[venue]
