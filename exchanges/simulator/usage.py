"""What venues tell of their limits in the headers of answers: how long a pause lasts."""

from __future__ import annotations

from datetime import datetime
from math import ceil


def bybit_pause(seconds: float, now: datetime) -> dict[str, str]:
    return {
        "X-Bapi-Limit-Status": "0",
        "X-Bapi-Limit-Reset-Timestamp": str(ceil((now.timestamp() + seconds) * 1000)),
    }


def gate_pause(seconds: float, now: datetime) -> dict[str, str]:
    return {
        "X-Gate-RateLimit-Requests-Remain": "0",
        "X-Gate-RateLimit-Reset-Timestamp": str(ceil(now.timestamp() + seconds)),
    }


def kucoin_pause(seconds: float, now: datetime) -> dict[str, str]:
    return {"gw-ratelimit-remaining": "0", "gw-ratelimit-reset": str(ceil(seconds * 1000))}
