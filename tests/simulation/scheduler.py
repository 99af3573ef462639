"""Draws a list of actions from a seed: a trading day with bad luck in it."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.simulation.actions import Action
from tests.simulation.disturbances import KINDS
from tests.simulation.markets import BASES, MARKETS, PERPETUALS
from tests.simulation.venue_side import USERS

LEAST, MOST = 5, 12
# The part of the days that trade something else than perpetuals at two venues.
ELSEWHERE = 0.5
# How often each kind of thing happens, relative to one another.
WEIGHTS = {
    "open": 14,
    "close": 7,
    "fault": 18,
    "crash": 8,
    "stall": 8,
    "doorbell": 4,
    "weather": 4,
    "time": 6,
    "settle": 3,
    "kill": 2,
    "rearm": 2,
    "engine": 1,
    "configure": 4,
    "down": 3,
    "stale": 2,
    "outage": 3,
    "skew": 2,
    "price": 4,
    "gap": 2,
    "depth": 3,
    "foreign": 2,
    "liquidate": 1,
    "deleverage": 1,
    "release": 2,
    "resolve": 3,
    "unhold": 2,
    "force": 1,
    "sweep": 2,
    "reconcile": 3,
    "fund": 1,
    "flush": 1,
    "flood": 2,
}


def scheduled(seed: int) -> list[Action]:
    """Return the actions of a seed; the first one always opens something."""
    draws = Random(f"actions {seed}")  # noqa: S311 - it must repeat
    # One user trades one asset first, so that disturbances meet positions more often.
    user, base = draws.choice(USERS), draws.choice(BASES)
    names = [
        # What is configured before the first entry is what the day is about.
        *(["configure"] if draws.random() < 0.5 else []),
        "open",
        *draws.choices(list(WEIGHTS), list(WEIGHTS.values()), k=draws.randint(LEAST, MOST)),
    ]
    return [*_market(seed), *(_drawn(name, draws, user, base) for name in names)]


def _market(seed: int) -> list[Action]:
    draws = Random(f"market {seed}")  # noqa: S311 - it must repeat
    if draws.random() >= ELSEWHERE:
        return []
    kind = draws.choice([name for name, market in MARKETS.items() if market != PERPETUALS])
    return [Action(do="market", kind=kind)]


def _drawn(name: str, draws: Random, user: str, base: str) -> Action:
    if draws.random() < 0.25:
        user, base = draws.choice(USERS), draws.choice(BASES)
    common: dict[str, Any] = {
        "user": user,
        "base": base,
        "venue": draws.choice(PERPETUALS.venues),
        "wait": round(draws.choice((0.3, 1.0, 2.0, 4.0, 8.0)) * (0.5 + draws.random()), 2),
    }
    return Action(**{**common, "do": name, **_details(name, draws, base)})


def _details(name: str, draws: Random, base: str) -> dict[str, Any]:
    match name:
        case "open":
            kind = "manual" if draws.random() < 0.8 else "scheduler"
            return {"amount": str(draws.choice((3000, 6000, 12000))), "kind": kind}
        case "fault":
            return {"kind": draws.choice(KINDS), "number": draws.choice((1, 1, 1, 2, 3, 6))}
        case "crash":
            return {"number": draws.randrange(60)}
        case "stall":
            kind = draws.choice(("", "", "kill", "kill", "close", "foreign"))
            amount = draws.choice((0, 0, 3)) if kind else draws.choice((0.5, 3, 12, 40, 120))
            return {"number": draws.randrange(70), "amount": str(amount), "kind": kind}
        case "doorbell":
            return {"number": draws.randint(1, 3)}
        case "weather":
            return {"options": _weather(draws), "amount": str(draws.choice((0, 0.5, 1)))}
        case "time" | "settle":
            amount = draws.choice((5, 20)) if name == "time" else 230
            return {"do": "time", "amount": str(amount), "wait": 0.5}
        case "kill":
            kind = "global" if draws.random() < 0.2 else ""
            return {"kind": kind, "number": int(draws.random() < 0.85)}
        case "engine":
            return {"kind": draws.choice(("pause", "resume"))}
        case "configure":
            return {"options": draws.choice(CONFIGURATIONS)}
        case "down":
            kind = draws.choice(("server_error", "drop_before_accept", "rate_limit"))
            return {"kind": kind, "amount": str(draws.choice((5, 30, 90)))}
        case _:
            return _of_market(name, draws, base)


def _of_market(name: str, draws: Random, base: str) -> dict[str, Any]:
    match name:
        case "stale":
            return {"amount": str(draws.choice((4, 20)))}
        case "outage":
            return {"amount": str(draws.choice((5, 40, 400)))}
        case "skew":
            return {"amount": str(draws.choice((-3600, -5, -0.5, 0.5, 5, 3600, 0, 0)))}
        case "price" | "gap":
            size = draws.choice(("0.0005", "0.003", "0.02"))
            return {"amount": size if draws.random() < 0.5 else f"-{size}"}
        case "depth":
            return {"amount": str(draws.choice(("0.005", "0.02", "0.2", "1")))}
        case "deleverage":
            return {"amount": draws.choice(("0.3", "1"))}
        case "resolve":
            return {"number": draws.randrange(2)}
        case "foreign":
            amount = {"BTC": ("0.01", "0.05"), "ETH": ("0.2", "1")}[base]
            return {"amount": draws.choice(amount), "number": draws.randrange(2)}
        case _:
            return {}


def _weather(draws: Random) -> dict[str, float]:
    return draws.choice(
        (
            {},
            {"lost": 1.0},
            {"lost": 0.4},
            {"doubled": 0.5, "late": 0.5, "most_late": 5.0},
            {"late": 1.0, "most_late": 25.0},
        )
    )


CONFIGURATIONS: tuple[dict[str, object], ...] = (
    {"max_position_per_pair_usd": "4000"},
    {"hedge_escalation_seconds": "0"},
    {"max_orders_per_position_minute": "4"},
    {"leverage": "3"},
    {"order_fill_timeout_seconds": "4"},
    {"entry_style": "maker", "maker_reprice_budget": "2"},
    {"entry_style": "maker", "order_fill_timeout_seconds": "30"},
    {"entry_style": "both_at_once"},
    {"entry_style": "both_at_once", "hedge_escalation_seconds": "0"},
    {"entry_style": "limit_at_mid"},
    {"first_leg": "long"},
    {"first_leg": "short"},
    # At once: the watch of the simulation comes too seldom for anything to be seen to last.
    {
        "basis_reduce_at": "0.001",
        "basis_add_at": "0.001",
        "exit_must_last_seconds": "0",
        "entry_policy": "spread_only",
        "entry_window_closes_minutes": "0",
    },
    {"trim_drift": "0.001", "rebalance_threshold": "0.002"},
)
