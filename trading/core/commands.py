"""One typed line, read as one thing to open or to do: the command line of the pages.

    PAGE | SYMBOL | SYMBOL LONG SHORT SIZE | #position | CLOSE SYMBOL | CLOSE #position
    CALC SYMBOL LONG SHORT [SIZE] | SCAN | PAUSE | RESUME | KILL

Case does not matter. Reading moves no money: a ticket, a closing and a kill open their form.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

MOST_CHARACTERS = 80


class Verb(StrEnum):
    PAGE = "PAGE"
    SYMBOL = "SYMBOL"
    POSITION = "POSITION"
    TICKET = "TICKET"
    CALC = "CALC"
    CLOSE = "CLOSE"
    SCAN = "SCAN"
    PAUSE = "PAUSE"
    RESUME = "RESUME"
    KILL = "KILL"


CONTROLS = (Verb.SCAN, Verb.PAUSE, Verb.RESUME, Verb.KILL)


class Unclear(ValueError):
    """A line that names nothing; its text is the sentence to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What may be named, in capitals: codes of pages, symbols, short codes of venues."""

    pages: Collection[str]
    symbols: Collection[str]
    venues: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What was asked. `subject` is a page, a symbol or `#` and the beginning of a position's id.

    `size` is as typed; the form that opens reads it.
    """

    verb: Verb
    subject: str = ""
    long: str = ""
    short: str = ""
    size: str = ""


def parse(line: str, known: Vocabulary) -> Command:
    """Return what `line` asks for. Raise Unclear with the word that nothing is called."""
    if len(line) > MOST_CHARACTERS:
        raise Unclear(f"A command has {MOST_CHARACTERS} characters at most, not {len(line)}.")
    match line.upper().split():
        case []:
            raise Unclear("Type a page, a symbol, or SYMBOL LONG SHORT SIZE.")
        case [word] if word in CONTROLS:
            return Command(verb=Verb(word))
        case [word] if word in known.pages:
            return Command(verb=Verb.PAGE, subject=word)
        case [word] if word.startswith("#"):
            return Command(verb=Verb.POSITION, subject=word)
        case [word]:
            others = [*known.pages, *CONTROLS]
            return Command(
                verb=Verb.SYMBOL, subject=_named(word, "page or symbol", known.symbols, others)
            )
        case [Verb.CLOSE, subject]:
            return Command(verb=Verb.CLOSE, subject=subject)
        case [Verb.CALC, symbol, long, short, *size] if len(size) <= 1:
            return _pair(Verb.CALC, symbol, long, short, size, known)
        case [symbol, long, short, size]:
            return _pair(Verb.TICKET, symbol, long, short, [size], known)
        case [first, *_]:
            raise Unclear(
                f"{first} with these words is no command: a ticket is SYMBOL LONG SHORT SIZE, "
                "like BTC BIN BYB 25K."
            )
    raise AssertionError("every list of words is matched above")


def _pair(
    verb: Verb, symbol: str, long: str, short: str, size: list[str], known: Vocabulary
) -> Command:
    return Command(
        verb=verb,
        subject=_named(symbol, "symbol", known.symbols),
        long=_named(long, "venue", known.venues),
        short=_named(short, "venue", known.venues),
        size="".join(size),
    )


def _named(word: str, what: str, choices: Collection[str], others: Collection[str] = ()) -> str:
    """Return `word` when it is one of `choices`. Raise Unclear, naming what comes near it."""
    if word in choices:
        return word
    near = get_close_matches(word, [*choices, *others], n=1)
    raise Unclear(f"{word}: no such {what}.{f' Did you mean {near[0]}?' if near else ''}")
