"""Venues by name: capabilities and differences as data."""

from __future__ import annotations

from exchanges.venues import binance, binanceusdm, bybit, dydx, hyperliquid, okx
from exchanges.venues.profile import VenueProfile

PROFILES: dict[str, VenueProfile] = {
    module.PROFILE.name: module.PROFILE
    for module in (binance, binanceusdm, bybit, okx, hyperliquid, dydx)
}


def profile(venue: str) -> VenueProfile:
    """Return what is known of `venue`. Raise KeyError for one that is not supported."""
    return PROFILES[venue]
