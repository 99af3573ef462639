"""How a message reads: the layout of the messages, figures in it, pages of a long one; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import escape

from alerts.rules import Severity

GLYPHS = {Severity.INFO: "🟢", Severity.WARNING: "🟡", Severity.CRITICAL: "🔴"}
MINUS = "\N{MINUS SIGN}"
# Telegram takes 4096 characters, counted after its markup was read.
PAGE_LENGTH = 3500


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One alert on its way to one channel; `repeat` counts how often it was said before."""

    alert_id: int
    delivery_id: int
    kind: str
    severity: Severity
    title: str
    lines: tuple[str, ...]
    created_at: datetime
    count: int = 1
    repeat: int = 0
    is_loud: bool = True

    @property
    def headline(self) -> str:
        return f"{GLYPHS[self.severity]} {self.severity.upper()} | {self.title}"

    @property
    def text(self) -> str:
        """Return the whole message without markup."""
        return "\n".join([self.headline, *self.lines, *self._footer()])

    @property
    def html_pages(self) -> list[str]:
        """Return it for Telegram, cut where it is too long, with all markup in it escaped."""
        first, *others = pages(self.text.split("\n"))
        headline = escape(self.headline)
        return [f"<b>{headline}</b>{first.removeprefix(headline)}", *others]

    def _footer(self) -> Iterator[str]:
        if self.count > 1:
            yield f"Said {self.count} times."
        if self.severity is Severity.CRITICAL:
            again = f" Said again, time {self.repeat + 1}." if self.repeat else ""
            yield f"Answer /ack {self.alert_id} or press Acknowledge.{again}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFacts:
    venue: str
    price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFacts:
    """What messages tell of a position; money in USD, None is unknown. `spread` is a fraction."""

    pair: str
    long: LegFacts
    short: LegFacts
    size_usd: Decimal
    spread: Decimal
    expected_funding: Decimal | None
    net: Decimal
    price_pnl: Decimal
    funding: Decimal
    fees: Decimal
    held: str


def opened(facts: PositionFacts) -> list[str]:
    """Return the lines of an opened position."""
    return [
        f"Pair: {facts.pair}",
        f"Long: {facts.long.venue} @ {price(facts.long.price)}",
        f"Short: {facts.short.venue} @ {price(facts.short.price)}",
        f"Size: ${facts.size_usd:,.0f} | Spread: {facts.spread * 100:.3f}%",
        f"Expected funding: {usd(facts.expected_funding)}",
    ]


def closed(facts: PositionFacts) -> list[str]:
    """Return the lines of a closed position: what it earned, part by part."""
    return [
        f"Pair: {facts.pair}",
        f"Long: {facts.long.venue} | Short: {facts.short.venue}",
        f"Size: ${facts.size_usd:,.0f} | Held: {facts.held}",
        f"P&L: {usd(facts.net, with_sign=True)} (price {usd(facts.price_pnl, with_sign=True)}, "
        f"funding {usd(facts.funding, with_sign=True)}, fees {usd(-facts.fees, with_sign=True)})",
    ]


def struck(facts: PositionFacts, word: str, sentence: str) -> list[str]:
    """Return the lines of a leg that its venue took away: which, how, the loss, what follows.

    `word` says what the venue did; its name begins the sentence.
    """
    happened, _, action = sentence.partition("; ")
    sides = {"LONG": facts.long.venue, "SHORT": facts.short.venue}
    hit = [side for side, venue in sides.items() if happened.startswith(f"{venue} ")]
    # Both legs at one venue: the sentence alone does not tell which.
    which = [f"{word}: {hit[0]} on {sides[hit[0]]}"] if len(hit) == 1 else []
    loss = f"{'Loss' if facts.net < 0 else 'P&L so far'}: {usd(facts.net, with_sign=True)}"
    lines = [f"Pair: {facts.pair}", *which, happened, loss]
    return [*lines, f"Action: {action}"] if action else lines


def price(value: Decimal | None) -> str:
    """Return a price: cents from one dollar on, else as many digits as it has."""
    if value is None:
        return "?"
    return f"${value:,.2f}" if abs(value) >= 1 else f"${value.normalize():f}"


def usd(value: Decimal | None, *, with_sign: bool = False) -> str:
    """Return money in USD: `$8.00`, `−$1,234.56`, with a plus where a sign was asked for."""
    if value is None:
        return "?"
    shown = round(value, 2)
    sign = MINUS if shown < 0 else "+" if with_sign and shown else ""
    return f"{sign}${abs(shown):,.2f}"


def pages(lines: Iterable[str], length: int = PAGE_LENGTH) -> list[str]:
    """Cut lines into messages of at most `length` signs, between lines where possible; escaped."""
    found: list[list[str]] = [[]]
    size = 0
    for line in lines:
        for part in _parts(line, length):
            if size + len(part) + 1 > length and found[-1]:
                found.append([])
                size = 0
            found[-1].append(part)
            size += len(part) + 1
    return [escape("\n".join(page)) for page in found if page]


def _parts(line: str, length: int) -> Sequence[str]:
    if len(line) < length:
        return [line]
    return [line[at : at + length - 1] for at in range(0, len(line), length - 1)]
