"""Queues, routes and limits of the workers; the schedule is `arbsite/schedules.py`.

Tasks are doorbells: they carry ids, expire, and are acknowledged before they run, so that a worker
that dies takes its message with it. What the message would have done is found by the sweep.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arbsite.settings")

CLOSE = "close"  # reducing risk; a process of its own, so that entries never delay a close
ENTRY = "entry"
POLL = "poll"  # public and private reads where streams are down
BOOKS = "books"  # funding, reconciling, equity
ALERTS = "alerts"
BATCH = "batch"

app = Celery("arbsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_default_queue=BATCH,
    task_routes={
        "exchanges.tasks.*": {"queue": POLL},
        "trading.tasks.scan": {"queue": POLL},
        "trading.tasks.read_books": {"queue": POLL},
        "trading.tasks.watch_stablecoins": {"queue": POLL},
        "trading.tasks.close_position": {"queue": CLOSE},
        "trading.tasks.drive_position": {"queue": ENTRY},
        "trading.tasks.enter": {"queue": ENTRY},
        "trading.tasks.switch": {"queue": ENTRY},
        "trading.tasks.relay_events": {"queue": ALERTS},
        "trading.tasks.refit_betas": {"queue": BATCH},
        "trading.tasks.*": {"queue": BOOKS},
    },
    task_serializer="json",
    accept_content=["json"],
    task_acks_late=False,
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_max": 0.2},
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    # A Redis that takes the connection and never answers must not keep a person's press waiting.
    broker_transport_options={
        "socket_connect_timeout": 2,
        "socket_timeout": 3,
        "socket_keepalive": True,
    },
    enable_utc=True,
    timezone="UTC",
)
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Stop Celery from replacing the log handlers that settings installed."""
