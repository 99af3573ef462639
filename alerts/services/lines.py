"""The lines of a message, from an event and the position it is of."""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts import wording
from alerts.wording import LegFacts, PositionFacts
from trading.events import Event
from trading.selectors.board import load_board
from trading.selectors.positions import PositionLine, get_position_for_user, position_line
from trading.templatetags.carry_format import held

OPENED, CLOSED = "position.open", "position.closed"
STRUCK = {"venue.liquidation": "Liquidated", "venue.adl": "Auto-deleveraged"}
# A position that is hedged again after a disturbance was not opened just now.
JUST_OPENED = timedelta(minutes=1)
HEDGED_AGAIN = "Position Hedged Again"


def title_and_lines(event: Event, title: str, now: datetime) -> tuple[str, list[str]]:
    """Return the title and lines that tell of an event; reads the market, so outside transactions.

    `title` is what the rules call its kind.
    """
    told = event.payload.get("lines")
    if told:
        return title, [str(line) for line in told]
    line = _line(event, now)
    if line is None:
        return title, [event.sentence]
    facts = facts_of(line)
    if event.kind == OPENED:
        entered = line.position.entry_timestamp
        if entered is None or event.created_at - entered > JUST_OPENED:
            return HEDGED_AGAIN, [f"Pair: {facts.pair}", event.sentence]
        return title, wording.opened(facts)
    if event.kind == CLOSED:
        return title, wording.closed(facts)
    if event.kind in STRUCK:
        return title, wording.struck(facts, STRUCK[event.kind], event.sentence)
    return title, [f"Pair: {facts.pair}", event.sentence]


def _line(event: Event, now: datetime) -> PositionLine | None:
    """Return the position of an event with the marks of now; None where it has not two sides."""
    if event.position is None:
        return None
    position = get_position_for_user(event.user, event.position.pk)
    legs = list(position.legs.all())
    if {leg.sign for leg in legs} != {1, -1}:
        return None
    board = load_board({leg.instrument.exchange.code for leg in legs})
    return position_line(position, {}, board, now)


def facts_of(line: PositionLine) -> PositionFacts:
    """Return what messages tell of a position."""
    return PositionFacts(
        pair=f"{line.position.base}-{line.long.leg.instrument.quote}",
        long=LegFacts(venue=line.long.leg.instrument.exchange.name, price=line.long.entry_price),
        short=LegFacts(venue=line.short.leg.instrument.exchange.name, price=line.short.entry_price),
        size_usd=line.position.size_usd,
        spread=line.position.entry_funding_spread,
        expected_funding=line.expected_cash,
        net=line.pnl.total,
        price_pnl=line.pnl.price_pnl,
        funding=line.pnl.funding,
        fees=line.pnl.fees + line.pnl.borrow,
        held=held(line.age),
    )
