"""From the death of every worker to 20 positions on two venues reconciled, driven and flat.

All of them are open and hedged; the workers are killed and all exits are asked for while they are
dead. The clock starts with the kill and stops when every account was compared with its venue and
every position was driven, and again when the venues hold nothing any more.
"""

from __future__ import annotations

import os
import secrets
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections, connections
from django.utils import timezone

from arbsite.accounts.models import User
from arbsite.celery import app
from exchanges.account_keys import store_account
from exchanges.models import Exchange, ExchangeAccount, Instrument
from tests.benchmarks.bench_event_to_orders import PRICES
from tests.machine import RunningCarry
from tests.rehearsal import SimulatorControl
from trading.core.parameters import Parameters
from trading.core.states import PositionState
from trading.models import Leg, LegSide, Position, Reconciliation
from trading.services import engine
from trading.services.demo import BALANCES, VALUES
from trading.services.exit import request_exit

POSITIONS, USERS = 20, 3
VENUES = (("binanceusdm", "binance", LegSide.LONG), ("bybit", "bybit", LegSide.SHORT))
WORKERS = ("close", "entry", "work")
GIVE_UP_SECONDS = 180.0
SIZE_USD = Decimal(1000)

Result = dict[str, dict[str, float | int | str]]


def measure() -> Result:
    """Return seconds of one whole Carry in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, RunningCarry(Path(folder) / "var") as carry:
        connections["default"].settings_dict["NAME"] = str(carry.var / "carry.sqlite3")
        close_old_connections()
        settings.CARRY_KEY_FILE = carry.var / "carry.key"
        simulator = SimulatorControl(urlsplit(carry.facts["control_url"]).port or 0)
        positions = open_all(simulator)
        epochs = {position.pk: position.lease_epoch for position in positions}
        killed_at, start = timezone.now(), time.monotonic()
        _kill(carry)
        _ask_for_exits(positions)
        wait_for(lambda: _is_recovered(killed_at, epochs), "all are recovered")
        recovered = time.monotonic() - start
        wait_for(lambda: not simulator.ledger()["positions"], "the venues hold nothing")
        flat = time.monotonic() - start
        connections.close_all()
    return {
        name: {"p50": seconds, "p99": seconds, "unit": "s", "n": POSITIONS}
        for name, seconds in {"recovery_20": recovered, "recovery_flat": flat}.items()
    }


def ring_at(redis_url: str) -> None:
    """Send what this process rings to that Carry, no more to the one measured before."""
    app.conf.broker_url = redis_url
    app._pool = app.amqp._producer_pool = None


def open_all(simulator: SimulatorControl) -> list[Position]:
    """Open 20 positions of three users and return them when all are hedged."""
    engine.pause(user=User.objects.get(username="demo"), actor="bench", now=timezone.now())
    for (base, price), (venue, _, _) in product(PRICES.items(), VENUES):
        simulator.pin(venue, base, price=price, freeze=True)
    users = [_user(number, simulator) for number in range(USERS)]
    return open_each(users)


def open_each(users: Sequence[User]) -> list[Position]:
    """Open one position after the other and return them when all are hedged."""
    for user, base in [*product(users, PRICES)][:POSITIONS]:
        wait_for(lambda user=user, base=base: _is_open(user, base), f"{base} is open")  # type: ignore[misc]
    return list(Position.objects.filter(user__in=users, state=PositionState.OPEN))


def _is_open(user: User, base: str) -> bool:
    """Plan a position where none is live, and tell whether it is hedged by now."""
    latest = Position.objects.filter(user=user, base=base).order_by("-created_at").first()
    if latest is None or latest.state in (PositionState.ABANDONED, PositionState.CLOSED):
        latest = plan(user, base)
    return latest.state == PositionState.OPEN


def _user(number: int, simulator: SimulatorControl) -> User:
    user = User.objects.create_user(f"bench{number}", password=secrets.token_hex(8))
    for code, family, _ in VENUES:
        key, secret = secrets.token_hex(16), secrets.token_hex(32)
        simulator.register(family, key, secret, BALANCES[family])
        exchange = Exchange.objects.get(code=code)
        store_account(user=user, exchange=exchange, label="main", api_key=key, secret=secret)
    return user


def plan(user: User, base: str) -> Position:
    """Write a planned position as an entry does; the sweep finds it."""
    now, price = timezone.now(), Decimal(PRICES[base])
    instruments = [
        Instrument.objects.get(exchange__code=code, symbol=f"{base}/USDT:USDT")
        for code, _, _ in VENUES
    ]
    lot = max(instrument.lot for instrument in instruments)
    position = Position.objects.create(
        user=user,
        mode="rehearsal",
        base=base,
        strategy="funding_spread",
        open_reason="funding",
        size_usd=SIZE_USD,
        target_base_quantity=SIZE_USD / price // lot * lot,
        parameters=Parameters.from_values(VALUES).to_values(),
        configuration_version=1,
        entry_funding_spread=Decimal("0.001"),
        opened_by="bench",
        created_at=now,
        entry_deadline=now + timedelta(minutes=1),
    )
    for index, ((code, _, side), instrument) in enumerate(zip(VENUES, instruments, strict=True)):
        Leg.objects.create(
            position=position,
            index=index,
            side=side,
            account=ExchangeAccount.objects.get(user=user, exchange__code=code),
            instrument=instrument,
            leverage=Decimal(2),
            decision_entry_mid=price,
            taker_fee=Decimal("0.0005"),
        )
    return position


def _kill(carry: RunningCarry) -> None:
    pids = carry.facts["processes"]
    for name in WORKERS:
        os.kill(pids[name], signal.SIGKILL)


def _ask_for_exits(positions: list[Position]) -> None:
    for position in positions:
        request_exit(
            position=position, reason="manual", sentence="bench", actor="bench", now=timezone.now()
        )


def _is_recovered(killed_at: datetime, epochs: dict[UUID, int]) -> bool:
    held = Position.objects.filter(pk__in=list(epochs))
    accounts = ExchangeAccount.objects.active()
    compared = Reconciliation.objects.filter(account__in=accounts, compared_at__gt=killed_at)
    return compared.count() == accounts.count() and all(
        position.lease_epoch > epochs[position.pk] for position in held
    )


def wait_for(is_true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not is_true():
        if time.monotonic() > deadline:
            raise RuntimeError(f"after {GIVE_UP_SECONDS:g} s still not: {what}")
        time.sleep(0.05)
