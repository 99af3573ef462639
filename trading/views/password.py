"""Ask the person again who they are: the password, with a limit on tries."""

from __future__ import annotations

from typing import cast

from allauth.core.ratelimit import consume
from django.http import HttpRequest
from redis.exceptions import RedisError

from arbsite.accounts.models import User


def refuse_password(request: HttpRequest, password: str) -> tuple[str, int]:
    """Return why the password that was sent does not count, with a status; empty when it does."""
    user = cast(User, request.user)
    try:
        may_try = consume(request, action="reauthenticate", user=user)
    except RedisError:
        why = "Redis is down, so tries at the password cannot be counted and none is taken."
        return why, 503
    if not may_try:
        return "Too many tries: wait a minute before you enter the password again.", 429
    if not user.check_password(password):
        return "That is not your password; nothing was changed.", 422
    return "", 200
