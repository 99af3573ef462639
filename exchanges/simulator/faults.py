"""Scripted faults: which request is disturbed, and how. Rules live in memory only.

A rule may wait before the venue sees the request, replace the answer, withhold it, or change what
later queries see. Counters and draws are per rule, so that a script replays the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

from exchanges.simulator.wire import Json, WireRequest


class Action(StrEnum):
    """What a matching rule does; the venue has accepted where the name says so."""

    DROP_BEFORE_ACCEPT = "drop_before_accept"
    ACCEPT_NO_ANSWER = "accept_no_answer"
    ACCEPT_THEN_RESET = "accept_then_reset"
    REJECT = "reject"
    DELAY = "delay"
    RATE_LIMIT = "rate_limit"
    BAN = "ban"
    SERVER_ERROR = "server_error"
    SERVER_ERROR_AFTER_ACCEPT = "server_error_after_accept"
    GARBAGE = "garbage"
    HIDE_ORDER = "hide_order"
    SOCKET_STALL = "socket_stall"
    SOCKET_CLOSE = "socket_close"


SOCKET_ACTIONS = frozenset({Action.SOCKET_STALL, Action.SOCKET_CLOSE})


@dataclass(slots=True, kw_only=True)
class FaultRule:
    """One rule. Empty fields match everything; `count` matches are disturbed, from the `nth` on."""

    rule_id: int
    action: Action
    venue: str = ""
    method: str = ""
    path: str = ""
    client_order_id: str = ""
    contains: str = ""
    topic: str = ""
    nth: int = 1
    count: int | None = 1
    probability: float = 1.0
    seed: int = 0
    seconds: float = 0.0
    # For so long no look-up shows the order, whatever became of the answer.
    hidden_seconds: float = 0.0
    after_accept: bool = False
    # A number, or a word at venues that name their refusals.
    code: Any = 0
    message: str = "simulated refusal"
    status: int = 0
    retry_after: float | None = None
    # Sent with a refusal or a server error.
    headers: dict[str, str] = field(default_factory=dict)
    garbage: str = "truncated"
    body: str = ""
    seen: int = 0
    fired: int = 0
    draws: Random = field(default_factory=Random)

    @classmethod
    def read(cls, rule_id: int, body: Json) -> FaultRule:
        """Build a rule from its JSON; raise ValueError or TypeError for what is none."""
        action = Action(body.get("action", ""))
        known = {
            name: value for name, value in body.items() if name in RULE_FIELDS and name != "action"
        }
        unknown = set(body) - set(known) - {"action"}
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        rule = cls(rule_id=rule_id, action=action, **known)
        # A predictable generator is the point here: a fault script must replay.
        rule.draws = Random(rule.seed)  # noqa: S311
        return rule

    def matches(self, request: WireRequest, venue: str, client_order_id: str) -> bool:
        text = f"{request.query}&{request.body.decode(errors='replace')}"
        return (
            self.action not in SOCKET_ACTIONS
            and self.venue in ("", venue)
            and self.method.upper() in ("", request.method)
            and self.path in request.path
            and self.client_order_id in client_order_id
            and self.contains in text
        )

    def fires(self) -> bool:
        """Count one match and tell whether this one is disturbed."""
        self.seen += 1
        if self.seen < self.nth or (self.count is not None and self.fired >= self.count):
            return False
        if self.draws.random() >= self.probability:
            return False
        self.fired += 1
        return True


RULE_FIELDS = frozenset(FaultRule.__slots__) - {"rule_id", "seen", "fired", "draws"}


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: dict[int, FaultRule] = {}
        self._last_id = 0

    def add(self, body: Json) -> FaultRule:
        self._last_id += 1
        rule = FaultRule.read(self._last_id, body)
        self._rules[rule.rule_id] = rule
        return rule

    def clear(self) -> int:
        """Forget all rules; return how many there were."""
        count = len(self._rules)
        self._rules.clear()
        return count

    def listed(self) -> list[dict[str, Any]]:
        return [
            {name: getattr(rule, name) for name in FaultRule.__slots__ if name != "draws"}
            for rule in self._rules.values()
        ]

    def of_request(
        self, request: WireRequest, venue: str, client_order_id: str
    ) -> FaultRule | None:
        """Return the first rule that disturbs this request."""
        for rule in self._rules.values():
            if rule.matches(request, venue, client_order_id) and rule.fires():
                return rule
        return None

    def closing(self) -> FaultRule | None:
        """Return a rule that closes sockets now; each such call counts as one match."""
        for rule in self._rules.values():
            if rule.action is Action.SOCKET_CLOSE and rule.fires():
                return rule
        return None

    def of_socket(self, action: Action, venue: str, topic: str) -> FaultRule | None:
        """Return the rule of `action` in force for a stream; `topic` is matched by substring."""
        for rule in self._rules.values():
            if rule.action is action and rule.venue in ("", venue) and rule.topic in topic:
                return rule
        return None
