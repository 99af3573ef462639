"""Make a failing list of actions as short as it can be while it still fails the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import orjson

from tests.simulation.actions import Action

KEPT = Path(__file__).parent / "kept"
Fails = Callable[[list[Action]], bool]


def shrunk(actions: list[Action], fails: Fails) -> list[Action]:
    """Drop ever smaller parts, then shorten waits, as long as `fails` still says so."""
    size = max(1, len(actions) // 2)
    while True:
        start, has_dropped = 0, False
        while start < len(actions):
            shorter = actions[:start] + actions[start + size :]
            if shorter and fails(shorter):
                actions, has_dropped = shorter, True
            else:
                start += size
        if size == 1 and not has_dropped:
            return _with_short_waits(actions, fails)
        size = max(1, size // 2)


def _with_short_waits(actions: list[Action], fails: Fails) -> list[Action]:
    for index, action in enumerate(actions):
        quicker = [*actions]
        quicker[index] = replace(action, wait=0.5)
        if action.wait > 0.5 and fails(quicker):
            actions = quicker
    return actions


def keep(seed: int, actions: list[Action], why: str, folder: Path = KEPT) -> Path:
    """Write a case to be replayed from now on."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{why.partition(':')[0].lower()}-{seed}.json"
    body = {"seed": seed, "why": why, "actions": [asdict(action) for action in actions]}
    path.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n")
    return path


def kept(path: Path) -> tuple[int, list[Action]]:
    """Read a case back."""
    body = orjson.loads(path.read_bytes())
    return body["seed"], [Action(**action) for action in body["actions"]]
