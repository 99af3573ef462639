"""How an answer reaches the client: as it is, late, changed, or not at all.

Still free of any transport: a delivery says what a transport must do, so that sockets and an
in-process client treat every fault alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import orjson

from exchanges.simulator.faults import Action, FaultRule
from exchanges.simulator.wire import Dialect, WireResponse, retry_after


class Ending(StrEnum):
    """What the transport does with the connection."""

    ANSWER = "answer"
    HANG = "hang"
    CLOSE = "close"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An answer and how it is delivered. `delay` is in seconds."""

    ending: Ending
    response: WireResponse | None = None
    delay: float = 0.0


GARBAGE = {
    "html": (b"<html><body>Service under maintenance</body></html>", "text/html"),
    "empty": (b"", "application/json"),
    "null": (b"null", "application/json"),
    "object": (b"{}", "application/json"),
}
AFTER_ACCEPT = frozenset(
    {
        Action.ACCEPT_NO_ANSWER,
        Action.ACCEPT_THEN_RESET,
        Action.SERVER_ERROR_AFTER_ACCEPT,
        Action.GARBAGE,
        Action.HIDE_ORDER,
        Action.DELAY,
    }
)


def early_delivery(rule: FaultRule, dialect: Dialect, now: datetime) -> Delivery | None:
    """Return the delivery of a fault that strikes before the venue sees the request, or None."""
    if rule.action in AFTER_ACCEPT:
        return None
    if rule.action is Action.DROP_BEFORE_ACCEPT:
        return Delivery(ending=Ending.CLOSE)
    return Delivery(ending=Ending.ANSWER, response=_refusal(rule, dialect, now))


def late_delivery(rule: FaultRule, response: WireResponse) -> Delivery:
    """Return the delivery of a fault that strikes after the venue has acted."""
    if rule.action is Action.ACCEPT_NO_ANSWER:
        return Delivery(ending=Ending.HANG)
    if rule.action is Action.ACCEPT_THEN_RESET:
        return Delivery(ending=Ending.RESET)
    if rule.action is Action.SERVER_ERROR_AFTER_ACCEPT:
        return Delivery(ending=Ending.ANSWER, response=_server_error(rule))
    if rule.action is Action.GARBAGE:
        return Delivery(ending=Ending.ANSWER, response=_garbled(rule, response))
    delay = rule.seconds if rule.action is Action.DELAY and rule.after_accept else 0.0
    return Delivery(ending=Ending.ANSWER, response=response, delay=delay)


def _refusal(rule: FaultRule, dialect: Dialect, now: datetime) -> WireResponse:
    if rule.action is Action.SERVER_ERROR:
        return _server_error(rule)
    code, message, headers = rule.code, rule.message, {}
    status = rule.status or dialect.reject_status
    if rule.action in (Action.RATE_LIMIT, Action.BAN):
        status = 418 if rule.action is Action.BAN else 429
        if rule.retry_after is not None:
            # What blocks an address stands before the venue's own count.
            pause = retry_after if rule.action is Action.BAN else dialect.pause
            headers = pause(rule.retry_after, now)
        code, message = dialect.too_many
    return WireResponse(
        status=status,
        body=orjson.dumps(dialect.body(code, message)),
        outcome=f"fault:{code}",
        headers={**headers, **rule.headers},
    )


def _server_error(rule: FaultRule) -> WireResponse:
    body = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
    content_type = "text/html"
    if rule.code:
        body = orjson.dumps({"code": rule.code, "msg": rule.message})
        content_type = "application/json"
    status = rule.status or 502
    return WireResponse(
        status=status,
        body=body,
        outcome=f"fault:http-{status}",
        content_type=content_type,
        headers=rule.headers,
    )


def _garbled(rule: FaultRule, response: WireResponse) -> WireResponse:
    cut = response.body[: max(1, len(response.body) // 2)]
    body, content_type = GARBAGE.get(rule.garbage, (cut, "application/json"))
    if rule.body:
        body = rule.body.encode()
    return replace(
        response, status=200, body=body, content_type=content_type, outcome="fault:garbage"
    )
