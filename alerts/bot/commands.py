"""The commands by name, and what `/help` says of them."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.bot import acts, readings
from alerts.bot.said import Answer
from alerts.bot.speaker import Command, Speaker, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command; what `acts` is written to the audit log."""

    run: Command
    words: str
    acts: bool = False


def help_(speaker: Speaker) -> Answer:
    return told(*(f"/{name} {entry.words}" for name, entry in COMMANDS.items()))


COMMANDS = {
    "status": Entry(run=readings.status, words="state of the engine, equity, what waits"),
    "positions": Entry(run=readings.positions, words="what is open"),
    "rates": Entry(run=readings.rates, words="the best pairs now"),
    "pnl": Entry(run=readings.pnl, words="today and what is open, part by part"),
    "profit": Entry(run=readings.profit, words="since the first reading, part by part"),
    "daily": Entry(run=readings.daily, words="the last days"),
    "balance": Entry(run=readings.balance, words="what each account holds"),
    "performance": Entry(run=readings.performance, words="closed positions in figures"),
    "health": Entry(run=readings.health, words="venues, engine and channels"),
    "pause": Entry(run=acts.pause, words="no new entries", acts=True),
    "resume": Entry(run=acts.resume, words="entries again, after a button"),
    "scan": Entry(run=acts.scan, words="look at all markets now", acts=True),
    "close": Entry(run=acts.close, words="ID, symbol or all: close, after a button"),
    "kill": Entry(run=acts.kill, words="stop at once; a button closes everything", acts=True),
    "ack": Entry(run=acts.ack, words="NUMBER or nothing: I have read it", acts=True),
    "mute": Entry(run=acts.mute, words="30m, 2h, 1d or off: only CRITICAL meanwhile", acts=True),
    "help": Entry(run=help_, words="this list"),
}
