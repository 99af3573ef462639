"""What the worker of the queue `alerts` does by itself: threads that poll rows, as the sweep is.

No message is needed: an alert raised in any process is delivered while the broker is away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.utils import timezone

from alerts.models import Channel
from alerts.services.deliver import deliver, transport
from alerts.services.hear import hear
from alerts.services.heartbeat import beat
from alerts.services.report import report_all
from alerts.services.watch import watch
from arbsite.celery import ALERTS
from trading.services.sweep import run_every

# Twice this, and what the channel needs, from an event to a person.
HEAR_SECONDS = DELIVER_SECONDS = 0.5
WATCH_SECONDS = 15.0
REPORT_SECONDS = 30.0
BEAT_SECONDS = 60.0
# A message on its way has so long to be noted as sent.
DRAIN_SECONDS = 5.0

_stop = threading.Event()
_rounds: list[threading.Thread] = []


@worker_ready.connect
def start_alerts(sender: Any, **_: Any) -> None:
    """Start the threads in the worker that serves the queue of alerts."""
    if ALERTS not in sender.app.amqp.queues.consume_from:
        return
    started = timezone.now()
    _start(lambda: hear(now=timezone.now()), HEAR_SECONDS, "hear")
    for kind in Channel.Kind:
        # Loaded now: the first CRITICAL must not wait for it.
        work = partial(deliver, kind, send=transport(kind))
        _start(work, DELIVER_SECONDS, f"deliver-{kind}")
    _start(lambda: watch(since=started, now=timezone.now()), WATCH_SECONDS, "alert-watch")
    _start(lambda: report_all(now=timezone.now()), REPORT_SECONDS, "report")
    _start(lambda: beat(now=timezone.now()), BEAT_SECONDS, "heartbeat")


def _start(work: Callable[[], object], seconds: float, name: str) -> None:
    _rounds.append(run_every(work, seconds, _stop, name=name))


@worker_shutting_down.connect
def stop_alerts(**_: Any) -> None:
    _stop.set()


@worker_shutdown.connect
def end_alerts(**_: Any) -> None:
    """Wait for the rounds that are under way."""
    deadline = time.monotonic() + DRAIN_SECONDS
    for thread in _rounds:
        thread.join(max(0.0, deadline - time.monotonic()))
