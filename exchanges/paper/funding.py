"""What the settlements of a venue pay a paper account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import SettledFunding, Symbol
from exchanges.matching import funding_payment
from exchanges.paper.facts import Facts, settle_of
from exchanges.paper.ledger import Ledger
from exchanges.paper.margin import mark_of
from exchanges.paper.rows import PaperFill, PaperFunding, PaperHolding

ZERO = Decimal(0)
# As fine as venues book: a row that is rounded otherwise than the balance would not add up.
PAID_TO = Decimal("0.00000001")
MEAN_TO = Decimal("1e-12")


def settle(ledger: Ledger, row: PaperHolding, facts: Facts) -> None:
    """Book the settlements that the venue has published since the last one that was booked."""
    published = facts.settled.get(Symbol(row.symbol), ())
    due = [one for one in published if row.settled_until < one.settled_at <= facts.now]
    for one in sorted(due, key=lambda settled: settled.settled_at):
        _pay(ledger, row, one, facts)
        row.settled_until = one.settled_at
        row.save(update_fields=["settled_until"])


def _pay(ledger: Ledger, row: PaperHolding, settled: SettledFunding, facts: Facts) -> None:
    """Book what one settlement pays; what accrued in its period is paid where it was earned."""
    period, at = facts.periods.get(Symbol(row.symbol)), settled.settled_at
    if period is None:
        earned = [(at, _held_at(ledger, row, at))]
    else:
        earned = stretches(row.base_quantity, _fills(ledger, row, at - period), at - period, at)
    for until, held in earned:
        if held:
            _credit(ledger, row, settled, until, held, facts)


def _credit(
    ledger: Ledger,
    row: PaperHolding,
    settled: SettledFunding,
    paid_at: datetime,
    held: Decimal,
    facts: Facts,
) -> None:
    price = settled.settlement_price
    used = _nearest_mark(row, settled.settled_at, facts) if price is None else price
    payment = funding_payment(
        position_base=held, settlement_price=used, funding_rate=settled.funding_rate
    ).quantize(PAID_TO)
    asset = settle_of(row.symbol)
    PaperFunding.objects.create(
        paper=ledger.paper,
        symbol=row.symbol,
        settled_at=paid_at,
        funding_rate=settled.funding_rate,
        settlement_price=used,
        is_venue_price=price is not None,
        position_base=held,
        payment=payment,
        asset=asset,
    )
    ledger.credit(asset, payment)


def _held_at(ledger: Ledger, row: PaperHolding, at: datetime) -> Decimal:
    """Return what was held at an instant: what is held now less what was filled since."""
    held: Decimal = row.base_quantity - sum((one.signed for one in _fills(ledger, row, at)), ZERO)
    return held


def _fills(ledger: Ledger, row: PaperHolding, after: datetime) -> list[PaperFill]:
    fills = PaperFill.objects.filter(paper=ledger.paper, symbol=row.symbol, filled_at__gt=after)
    return list(fills.order_by("filled_at", "pk"))


def stretches(
    held_now: Decimal, fills: Iterable[PaperFill], since: datetime, until: datetime
) -> list[tuple[datetime, Decimal]]:
    """Return when each holding in (since, until] ended, and what it was on average of all of it.

    `fills` are those after `since`, oldest first. A holding ends when it is flat or turns round, as
    a venue that owes all along pays at such a fill whom it closes; the last one ends with the span.
    """
    later = list(fills)
    held = held_now - sum((fill.signed for fill in later), ZERO)
    span, weighted, last = (until - since) // timedelta.resolution, ZERO, since
    found = []
    for fill in (fill for fill in later if fill.filled_at <= until):
        weighted += held * ((fill.filled_at - last) // timedelta.resolution)
        last, before, held = fill.filled_at, held, held + fill.signed
        if before and before * held <= 0:
            found.append((last, (weighted / span).quantize(MEAN_TO)))
            weighted = ZERO
    weighted += held * ((until - last) // timedelta.resolution)
    return [*found, (until, (weighted / span).quantize(MEAN_TO))]


def _nearest_mark(row: PaperHolding, at: datetime, facts: Facts) -> Decimal:
    """Return the mark seen nearest to a settlement, where its venue does not say the price."""
    known = facts.quotes.get(Symbol(row.symbol))
    seen = [(abs(known.observed_at - at), known.mark_price)] if known is not None else []
    if row.mark_price is not None and row.marked_at is not None:
        seen.append((abs(row.marked_at - at), row.mark_price))
    return min(seen)[1] if seen else mark_of(row, facts)
