"""From a board update to both orders at the venues, with everything running on this machine.

The simulator is made to list one symbol after another with a rate worth entering; the clock starts
when the streaming process has that fact on its board and stops when the simulator has received the
second leg's order. Spreads are one tick, so that the first leg is marketable and filled at once.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from django.db import close_old_connections, connections
from django.utils import timezone

from arbsite.accounts.models import User
from tests.machine import RunningCarry
from trading.core.states import PositionState
from trading.models import Position
from trading.services import configure
from trading.services.exit import request_exit

SAMPLES, WARM_UP = 40, 8
WAIT_SECONDS, GIVE_UP_SECONDS = 20.0, 420.0
# Prices between two ticks at which the simulated spread is exactly one tick.
PRICES = {
    "BTC": "48000.05",
    "ETH": "2400.005",
    "SOL": "140.005",
    "XRP": "1.90005",
    "DOGE": "0.160005",
    "ADA": "0.65005",
    "LINK": "9.0005",
    "AVAX": "8.0005",
}
VENUES = ("binanceusdm", "bybit")
CALM, WORTH_IT = "0.00001", "0.003"
ALWAYS_IN_THE_WINDOW: dict[str, object] = {
    "venues": list(VENUES),
    "entry_window_opens_minutes": "1440",
    "entry_buffer_minutes": "1440",
    "entry_window_closes_minutes": "0",
    "next_arbitrage_opening_delay": "0",
    "failed_entry_cooldown": "0",
    "persistence": "0",
    "take_profit_usd": "",
    "max_position_per_pair_usd": "5000",
}


class Venues:
    """The simulator's control port."""

    def __init__(self, url: str) -> None:
        control = urlsplit(url)
        self._connection = HTTPConnection(str(control.hostname), control.port, timeout=10)

    def ask(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        self._connection.request(method, path, json.dumps(body) if body else None)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(text.decode())
        return json.loads(text)

    def pin(self, venue: str, base: str, **values: str) -> None:
        self.ask("POST", "/market", {"venue": venue, "symbol": f"{base}USDT", **values})

    def received(self, after: int) -> tuple[dict[str, datetime], int]:
        """Return when each create request arrived, by client order id, and the last entry seen."""
        arrived: dict[str, datetime] = {}
        while entries := self.ask("GET", f"/access-log?after={after}&limit=1000")["entries"]:
            for entry in entries:
                after = entry["number"]
                if entry["method"] == "POST" and entry.get("client_order_id"):
                    arrived.setdefault(
                        entry["client_order_id"], datetime.fromisoformat(entry["time"])
                    )
        return arrived, after


def measure() -> dict[str, dict[str, float | int | str]]:
    """Return p50 and p99 in ms of one whole Carry in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, RunningCarry(Path(folder) / "var") as carry:
        connections["default"].settings_dict["NAME"] = str(carry.var / "carry.sqlite3")
        close_old_connections()
        venues = Venues(carry.facts["control_url"])
        spans = list(_samples(venues))
        connections.close_all()
    if len(spans) < SAMPLES // 2:
        raise RuntimeError(f"only {len(spans)} entries of {SAMPLES} were seen")
    p50, p99 = np.percentile(spans, [50, 99]).tolist()
    return {"event_to_orders": {"p50": p50, "p99": p99, "unit": "ms", "n": len(spans)}}


def _samples(venues: Venues) -> Iterator[float]:
    """Yield milliseconds; the first entry of each symbol also sets leverage and is not counted."""
    user = User.objects.get(username="demo")
    for base, price in PRICES.items():
        for venue in VENUES:
            venues.pin(venue, base, price=price, funding_rate=CALM)
    configure.save(
        user=user,
        values=ALWAYS_IN_THE_WINDOW,
        expected_version=configure.current(user).version,
        actor="bench",
        now=timezone.now(),
    )
    deadline, seen = time.monotonic() + GIVE_UP_SECONDS, 0
    for number, base in enumerate(cycle(PRICES)):
        if number >= SAMPLES + WARM_UP or time.monotonic() > deadline:
            return
        venues.pin("bybit", base, funding_rate=WORTH_IT)
        position = _await(lambda base=base: _open_position(user, base))  # type: ignore[misc]
        venues.pin("bybit", base, funding_rate=CALM)
        if position is None:
            continue
        arrived, seen = venues.received(seen)
        span = _span(position, arrived)
        if number >= WARM_UP and span is not None:
            yield span
        _close(position)


def _open_position(user: User, base: str) -> Position | None:
    return Position.objects.for_user(user).filter(base=base, state=PositionState.OPEN).first()


def _span(position: Position, arrived: dict[str, datetime]) -> float | None:
    # One that closed too late is seen again, its orders arrived long ago.
    ids = position.orders.values_list("client_order_id", flat=True)
    times = [arrived[own] for own in ids if own in arrived]
    if position.signalled_at is None or len(times) != 2:
        return None
    return (max(times) - position.signalled_at).total_seconds() * 1000


def _close(position: Position) -> None:
    request_exit(
        position=position, reason="manual", sentence="bench", actor="bench", now=timezone.now()
    )
    closed = Position.objects.filter(pk=position.pk, state=PositionState.CLOSED)
    _await(closed.first)


def _await(found: Callable[[], Position | None]) -> Position | None:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if (position := found()) is not None:
            return position
        time.sleep(0.02)
    return None
