"""A message broker that is away, for tests in one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from arbsite.celery import app


@contextmanager
def broker_away() -> Iterator[None]:
    """Have doorbells ring where nobody listens for the length of the block."""
    before = app.conf.broker_url
    app.conf.broker_url = "redis://127.0.0.1:1/0"
    _forget_connections()
    try:
        yield
    finally:
        app.conf.broker_url = before
        _forget_connections()


def _forget_connections() -> None:
    app._pool = app.amqp._producer_pool = None
