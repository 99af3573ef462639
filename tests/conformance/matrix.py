"""Writes docs/VENUES.md: which card each market passes, and what its venue does in its own way.

python -m tests.conformance.matrix
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from exchanges.venues import PROFILES
from exchanges.venues.profile import UNASKED, IntervalRule, VenueProfile
from tests.conformance.cards import CARDS, SUBJECTS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "VENUES.md"
HEAD = """# Venues

Written by `python -m tests.conformance.matrix`; a test fails when it is stale. Each card is a test
in `tests/conformance/`, run by the real adapter against the venue simulator's face of that venue.
A paper account stands on that venue's market alone, Bybit's and Deribit's here; its own books are
the database's.
✓ passed there, – does not apply. No testnet and no real venue has been asked: `python -m
tests.conformance.testnet MARKET` plays on a testnet the cards that need no scripted venue, by hand,
with a key of it in the environment.
"""
INTERVALS = {
    IntervalRule.NONE: "no funding",
    IntervalRule.LISTED_MINUTES: "listed minutes",
    IntervalRule.ADJUSTED_HOURS_OR_SPACING: "listed hours, else spacing of settlements",
    IntervalRule.HOURS_WITH_THE_RATE: "hours told with each rate",
    IntervalRule.HOURS_BY_SETTLEMENTS: "between settlements that have passed",
    IntervalRule.NEXT_TWO_SETTLEMENTS: "from the next settlement to the one after",
}


READ_ONLY = (
    "Of these venues the market and the history are read and shown; no key is taken and no real",
    "order is sent there. Paper accounts trade them and pairs are planned for their owners. They",
    "are off until staff run `manage.py watch_venue` or open a paper account. What they answer is",
    "tested in `tests/protocol/`, on recorded payloads where there are some, else on payloads",
    "written after the venue's documentation, marked so; `test_paper_round_trips.py` buys and",
    "sells at each. None of them was ever asked.",
    "",
)


def document() -> str:
    """Return the whole file as it should be."""
    sections = {"Cards": _matrix(), "Differences": _facts(), "Read-only": _read_only()}
    return "\n".join([HEAD, *(line for part in sections.items() for line in _section(*part))])


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield from (f"## {title}", "", *lines, "")


def _matrix() -> Iterator[str]:
    yield _row("card", "port", "what is promised", *(subject.name for subject in SUBJECTS))
    yield _row(*["---"] * (3 + len(SUBJECTS)))
    for card in CARDS:
        marks = ["✓" if subject in card.subjects else "–" for subject in SUBJECTS]
        yield _row(card.number, card.port, card.title, *marks)


def _facts() -> Iterator[str]:
    yield _row(
        *("venue", "funding interval", "orders act within", "fees", "risk tiers"),
        "countdown of orders",
    )
    yield _row(*["---"] * 6)
    for profile in PROFILES.values():
        if profile.read_only:
            continue
        yield _row(
            profile.title,
            INTERVALS[profile.interval_rule],
            f"{profile.receive_window // timedelta(seconds=1)} s",
            "negative where paid" if profile.fee_sign < 0 else "positive where paid",
            _tiers(profile),
            _countdown(profile),
        )


def _read_only() -> Iterator[str]:
    yield from READ_ONLY
    yield _row(
        *("venue", "markets", "funding interval", "settlement", "cap and floor", "book tops"),
        *("rates read every", "why no real order is sent"),
    )
    yield _row(*["---"] * 8)
    for profile in PROFILES.values():
        if profile.read_only:
            contracts, spot = not profile.is_spot, any(part.is_spot for part in profile.parts)
            every = profile.polled_every
            yield _row(
                profile.title,
                " and ".join(["perpetuals"] * contracts + ["spot"] * spot),
                INTERVALS[profile.interval_rule],
                profile.settlement,
                "where told" if profile.funding_bounds else "–",
                " and ".join(dict.fromkeys(map(_tops, profile.parts))),
                "–" if every is None else f"{every / timedelta(seconds=1):g} s",
                profile.read_only,
            )


def _tops(part: VenueProfile) -> str:
    return "streamed, silent ones read" if part.book_tops == UNASKED else "streamed"


def _tiers(profile: VenueProfile) -> str:
    rows = profile.risk_tiers or profile.own_risk_tiers
    if rows is None:
        return "–" if profile.is_spot else "the lowest one, as listed"
    told = "of all contracts" if rows.lists_all else "of one contract"
    return told if profile.risk_tiers is not None else f"{told}, to a key alone"


def _countdown(profile: VenueProfile) -> str:
    if profile.dead_man is None:
        return profile.no_dead_man
    return "by a tag of the symbol" if profile.dead_man.tag_param else "by symbol"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
