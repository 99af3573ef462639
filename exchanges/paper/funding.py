"""What the settlements of a venue pay a paper account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import SettledFunding, Symbol
from exchanges.matching import funding_payment
from exchanges.paper.facts import Facts, Span, settle_of
from exchanges.paper.ledger import Ledger
from exchanges.paper.margin import mark_of
from exchanges.paper.parts import Part, holdings_of, mean_of, parts_of, spans_of
from exchanges.paper.rows import PaperFill, PaperFunding, PaperHolding

ZERO = Decimal(0)
# As fine as venues book: a row that is rounded otherwise than the balance would not add up.
PAID_TO = Decimal("0.00000001")

Parted = tuple[SettledFunding, Sequence[Span]]


def settle(ledger: Ledger, row: PaperHolding, facts: Facts) -> None:
    """Book the settlements that the venue has published since the last one that was booked.

    One of which a part is not known waits, and lets later ones be booked before it.
    """
    is_whole = True
    for one in _due(row, facts):
        is_whole = _pay(ledger, row, one, facts) and is_whole
        if is_whole:
            row.settled_until = one.settled_at
            row.save(update_fields=["settled_until"])


def parted(ledger: Ledger, facts: Facts) -> list[Parted]:
    """Return what is due of periods within which a holding changed, with the spans of each."""
    found: list[Parted] = []
    for row in ledger.unsettled():
        period = facts.periods.get(Symbol(row.symbol))
        if period is None:
            continue
        for one in _due(row, facts):
            spans = spans_of(_parts(ledger, row, one, period))
            if len(spans) > 1 and not _is_booked(ledger, row, one, period):
                found.append((one, spans))
    return found


def _due(row: PaperHolding, facts: Facts) -> list[SettledFunding]:
    published = facts.settled.get(Symbol(row.symbol), ())
    due = [one for one in published if row.settled_until < one.settled_at <= facts.now]
    return sorted(due, key=lambda settled: settled.settled_at)


def _pay(ledger: Ledger, row: PaperHolding, settled: SettledFunding, facts: Facts) -> bool:
    """Book what one settlement pays, once; tell whether all that it takes is known.

    What accrued in its period is paid where it was earned.
    """
    period, at = facts.periods.get(Symbol(row.symbol)), settled.settled_at
    if period is None:
        _credit(ledger, row, settled, at, _held_at(ledger, row, at), settled.funding_rate, facts)
        return True
    if facts.owed is not None and _is_booked(ledger, row, settled, period):
        return True
    parts, rates = _parts(ledger, row, settled, period), dict[Span, Decimal]()
    if facts.owed is not None and len(spans := spans_of(parts)) > 1:
        rates |= facts.owed.get(settled, {})
        if rates.keys() != set(spans):
            return False
    for holding in holdings_of(parts):
        held, until = mean_of(holding, period), holding[-1].until
        rate = _mean_rate(holding, held, rates) if rates and held else settled.funding_rate
        _credit(ledger, row, settled, until, held, rate, facts)
    return True


def _mean_rate(holding: Sequence[Part], held: Decimal, rates: Mapping[Span, Decimal]) -> Decimal:
    """Return at which rate of a whole period its mean earns what its parts earned at theirs."""
    return sum((part.held * rates.get(part.span, ZERO) for part in holding), ZERO) / held


def _parts(
    ledger: Ledger, row: PaperHolding, settled: SettledFunding, period: timedelta
) -> list[Part]:
    until = settled.settled_at
    since = until - period
    return parts_of(row.base_quantity, _fills(ledger, row, since), since, until)


def _is_booked(
    ledger: Ledger, row: PaperHolding, settled: SettledFunding, period: timedelta
) -> bool:
    rows = PaperFunding.objects.filter(
        paper=ledger.paper,
        symbol=row.symbol,
        settled_at__gt=settled.settled_at - period,
        settled_at__lte=settled.settled_at,
    )
    return rows.exists()


def _credit(
    ledger: Ledger,
    row: PaperHolding,
    settled: SettledFunding,
    paid_at: datetime,
    held: Decimal,
    rate: Decimal,
    facts: Facts,
) -> None:
    if not held:
        return
    price = settled.settlement_price
    used = _nearest_mark(row, settled.settled_at, facts) if price is None else price
    payment = funding_payment(
        position_base=held, settlement_price=used, funding_rate=rate
    ).quantize(PAID_TO)
    asset = settle_of(row.symbol)
    PaperFunding.objects.create(
        paper=ledger.paper,
        symbol=row.symbol,
        settled_at=paid_at,
        funding_rate=rate,
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


def _nearest_mark(row: PaperHolding, at: datetime, facts: Facts) -> Decimal:
    """Return the mark seen nearest to a settlement, where its venue does not say the price."""
    known = facts.quotes.get(Symbol(row.symbol))
    seen = [(abs(known.observed_at - at), known.mark_price)] if known is not None else []
    if row.mark_price is not None and row.marked_at is not None:
        seen.append((abs(row.marked_at - at), row.mark_price))
    return min(seen)[1] if seen else mark_of(row, facts)
