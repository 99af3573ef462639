"""How much one user may ask: counted in the cache, and no reason to refuse a kill."""

from __future__ import annotations

import logging

from django.conf import settings
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class PerUser(SimpleRateThrottle):
    """So many requests a minute, reading and changing apart; sessions and tokens count as one."""

    def __init__(self) -> None:
        # The rate depends on the request; the parent reads one from its settings here.
        self.duration = 60

    def allow_request(self, request: Request, view: APIView) -> bool:
        kind = "read" if request.method in ("GET", "HEAD") else "write"
        self.num_requests: int = settings.CARRY_API_RATES[kind]
        self.key = f"api.{kind}.{request.user.pk}"
        self.now = self.timer()
        try:
            self.history: list[float] = self.cache.get(self.key, [])
            while self.history and self.history[-1] <= self.now - self.duration:
                self.history.pop()
            if len(self.history) >= self.num_requests:
                return False
            return self.throttle_success()
        except RedisError:
            # Without a cache nothing is counted, and trading goes on.
            logger.warning("requests are not counted: the cache does not answer")
            return True
