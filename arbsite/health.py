"""`GET /api/health`: is this installation up, for launchers and load balancers."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET


@cache
def impatient_client(url: str) -> redis.Redis:
    """Return this process's client for liveness questions; a second is an answer too."""
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)


def database_answers() -> bool:
    """Ask the database for one constant."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def redis_answers() -> bool:
    """Ask Redis for a sign of life."""
    try:
        return bool(impatient_client(settings.REDIS_URL).ping())
    except redis.RedisError:
        return False


@require_GET
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Answer without sign-in and without internals: 503 without a database, else 200."""
    database, redis_up = database_answers(), redis_answers()
    status = "ok" if database and redis_up else "degraded" if database else "down"
    body = {
        "status": status,
        "version": settings.VERSION,
        "database": "ok" if database else "down",
        "redis": "ok" if redis_up else "down",
    }
    return JsonResponse(body, status=200 if database else 503)
