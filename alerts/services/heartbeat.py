"""A sign of life to somebody outside, who cries when it stays away."""

from __future__ import annotations

import logging
from datetime import datetime

import httpx
from django.conf import settings

from alerts.services.watch import engine_is_silent
from trading.selectors.engine import last_beat

logger = logging.getLogger(__name__)

SECONDS = 5.0


def beat(*, now: datetime) -> bool:
    """Call the address of the settings while trade workers sweep; return whether it answered.

    That this runs at all says that the database answers and that alerts are delivered.
    """
    if not settings.CARRY_HEARTBEAT_URL or last_beat() is None:
        return False
    if engine_is_silent(since=None, now=now):
        return False
    try:
        answer = httpx.get(settings.CARRY_HEARTBEAT_URL, timeout=SECONDS, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Its address may hold a key: only the kind of error is told.
        logger.warning("heartbeat lost", extra={"error": type(error).__name__})
        return False
    return answer.is_success
