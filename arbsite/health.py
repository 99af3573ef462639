"""`GET /api/health`: is this installation up, for launchers and load balancers."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from redis import RedisError
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.request import Request

from arbsite.schedules import slot_intervals
from exchanges.selectors import board_redis, market_board
from trading.services.late_slots import late_jobs
from trading.services.schema import misfit


@extend_schema(
    tags=["Engine"],
    summary="Is this installation up",
    auth=[],
    responses={200: OpenApiTypes.OBJECT, 503: OpenApiTypes.OBJECT},
)
@api_view(["GET"])
@authentication_classes([])
@permission_classes([])
@never_cache
def health(request: Request) -> JsonResponse:
    """Answer without sign-in and without internals: 503 without a database that fits, else 200."""
    database = database_answers()
    fits = database and not misfit()
    redis = redis_answers()
    lag = slot_lag_seconds() if fits else None
    healthy = fits and redis and lag is None
    status = "ok" if healthy else "degraded" if fits else "down"
    body = {
        "status": status,
        "version": settings.VERSION,
        "database": "ok" if database else "down",
        "schema": "ok" if fits else "differs" if database else "unknown",
        "redis": "ok" if redis else "down",
        "market_age_seconds": market_age_seconds() if database and redis else None,
        "slot_lag_seconds": lag,
    }
    return JsonResponse(body, status=200 if fits else 503)


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
        return bool(board_redis().ping())
    except RedisError:
        return False


def slot_lag_seconds() -> float | None:
    """Return how long ago the most overdue scheduled job ran, None when all are in time."""
    late = late_jobs(slot_intervals(), since=None, now=timezone.now())
    longest = max(late.values(), default=None)
    return None if longest is None else round(longest.total_seconds(), 1)


def market_age_seconds() -> float | None:
    """Return how long ago the newest market fact was observed, None when there is none."""
    try:
        observed = market_board().heartbeats.values()
    except RedisError:
        return None
    newest = max(observed, default=None)
    return None if newest is None else round((timezone.now() - newest).total_seconds(), 1)
