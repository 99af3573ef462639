"""For how long an answer asks for silence, as an observer reads it who is not Carry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

# Who serves nobody here is asked about once a minute.
BARRED_SECONDS = {403: 55.0, 451: 55.0}


def asked_seconds(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds, None where the answer names none."""
    if "Retry-After" in headers:
        return float(headers["Retry-After"])
    if "X-Bapi-Limit-Reset-Timestamp" in headers:
        return int(headers["X-Bapi-Limit-Reset-Timestamp"]) / 1000 - now.timestamp()
    if "X-Gate-RateLimit-Reset-Timestamp" in headers:
        return int(headers["X-Gate-RateLimit-Reset-Timestamp"]) - now.timestamp()
    if "gw-ratelimit-reset" in headers:
        return int(headers["gw-ratelimit-reset"]) / 1000
    return BARRED_SECONDS.get(status)
