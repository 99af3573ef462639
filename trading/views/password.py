"""Ask the person again who they are: the password, with a limit on tries."""

from __future__ import annotations

from allauth.core.ratelimit import consume
from redis.exceptions import RedisError

from trading.views.access import SignedInRequest


def refuse_password(request: SignedInRequest) -> tuple[str, int]:
    """Return why the password that was sent does not count, with a status; empty when it does."""
    try:
        may_try = consume(request, action="reauthenticate", user=request.user)
    except RedisError:
        why = "Redis is down, so tries at the password cannot be counted and none is taken."
        return why, 503
    if not may_try:
        return "Too many tries: wait a minute before you enter the password again.", 429
    if not request.user.check_password(request.POST.get("password", "")):
        return "That is not your password; the switch stays pressed.", 422
    return "", 200
