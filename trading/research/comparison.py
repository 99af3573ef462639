"""Every set of rules over the same recorded past."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from exchanges.domain import InstrumentKind
from trading.core.parameters import Parameters
from trading.research.ledger import ReplayResult, together
from trading.research.recorded import RecordedLeg, read_perpetual, read_spot, unpriced_spot
from trading.research.replay import Replay
from trading.research.rules import RULES, Rules
from trading.research.tape import Tape, TradingCost
from trading.strategies.base import Strategy
from trading.strategies.registry import STRATEGIES


class UnknownRules(LookupError):
    """A name is not among the sets of rules; the sentence lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be replayed. `given` are configuration values under those of each set of rules.

    Not `is_priced`: by funding alone, for years of which no prices were recorded.
    """

    folder: Path
    strategy: str
    venues: tuple[str, ...]
    bases: tuple[str, ...]
    size_usd: Decimal
    cost: TradingCost
    rules: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    given: Mapping[str, object] = field(default_factory=dict)
    is_priced: bool = True


def compare(question: Question) -> Iterator[tuple[Rules, ReplayResult]]:
    """Yield each set of rules with what it earned. Raise NothingRecorded, UnknownRules."""
    strategy = STRATEGIES[question.strategy]
    chosen = chosen_rules(question.strategy, question.rules)
    books = recorded_books(question, strategy)
    given = {
        "symbols": ",".join(f"{base}-USDT" for base in question.bases),
        "strategies": question.strategy,
        **question.given,
    }
    half_life = Parameters.from_values(given).carry_half_life
    taped = [[Tape(leg, half_life) for leg in book] for book in books]
    for rules in chosen:
        parameters = rules.parameters(given)
        results = [
            Replay(
                tapes, strategy, parameters, cost=question.cost, size_usd=question.size_usd
            ).run()
            for tapes in taped
        ]
        yield rules, together(results)


def chosen_rules(strategy: str, names: Sequence[str]) -> list[Rules]:
    """Return the sets of rules by name, all of the strategy's without names."""
    known = {rules.name: rules for rules in RULES[strategy]}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UnknownRules(f"{unknown[0]!r} is not one of {', '.join(known)}.")
    return [known[name] for name in names or known]


def recorded_books(question: Question, strategy: Strategy) -> list[list[RecordedLeg]]:
    """Return the sets of instruments that may be combined.

    Perpetuals of all venues without prices: closes of two venues are not of one instant, and a gap
    between them is no gap. Spot and perpetual of one venue with the prices of its own bars.
    """
    folder = question.folder
    if any(InstrumentKind.SPOT in leg.kinds for leg in strategy.shape):
        books = [
            _carry_book(question, venue, base)
            for venue in question.venues
            for base in question.bases
        ]
    else:
        books = [
            [read_perpetual(folder, venue, base) for venue in question.venues]
            for base in question.bases
        ]
    return [[_within(leg, question) for leg in book] for book in books]


def _carry_book(question: Question, venue: str, base: str) -> list[RecordedLeg]:
    folder = question.folder
    if not question.is_priced:
        return [unpriced_spot(venue, base), read_perpetual(folder, venue, base)]
    return _priced(
        read_spot(folder, venue, base), read_perpetual(folder, venue, base, is_priced=True)
    )


def _priced(spot: RecordedLeg, perpetual: RecordedLeg) -> list[RecordedLeg]:
    """Return the two with the settlements for which both have a price."""
    settled = (row for row in perpetual.settled if row.settled_at in spot.prices)
    priced = tuple(row for row in settled if row.settled_at in perpetual.prices)
    return [spot, replace(perpetual, settled=priced)]


def _within(leg: RecordedLeg, question: Question) -> RecordedLeg:
    since, until = question.since, question.until
    return replace(
        leg,
        settled=tuple(
            row
            for row in leg.settled
            if (since is None or row.settled_at >= since)
            and (until is None or row.settled_at < until)
        ),
    )
