"""What the ticket shows before a person opens: income, cost, break-even, what forbids it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from arbsite.accounts.models import User
from trading.core.funding import HOURS_PER_YEAR
from trading.core.refusal import Refusal
from trading.services.entry_legs import EntryLeg
from trading.services.evaluate import Evaluation, evaluate
from trading.services.plan_entry import USUAL
from trading.strategies.base import EntryTrigger

DAY = Decimal(24)
HOURS_OF_RATE = Decimal(8)
NEARLY_ALL = Decimal("0.99")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryQuote:
    """One pair at one size, for a person. Fractions of one leg's notional; USD per leg.

    Figures are None where the data behind them cannot be trusted; `refusals` say why.
    """

    size_usd: Decimal
    base_quantity: Decimal | None
    spread_8h: Decimal | None
    spread_apr: Decimal | None
    income_per_day_usd: Decimal | None
    cost: Decimal | None
    cost_usd: Decimal | None
    break_even_hours: Decimal | None
    break_even_settlements: int | None
    net_return: Decimal | None
    net_apr: Decimal | None
    hold_hours: Decimal
    depth_usd: Decimal | None
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...]


def quote_entry(
    *,
    user: User,
    strategy: str = USUAL,
    base: str,
    legs: Sequence[EntryLeg],
    size_usd: Decimal,
    now: datetime,
) -> EntryQuote:
    """Quote an entry by hand; every figure is of this moment and nothing is reserved."""
    found = evaluate(
        user=user,
        strategy=strategy,
        base=base,
        legs=legs,
        size_usd=size_usd,
        trigger=EntryTrigger.MANUAL,
        now=now,
    )
    hold = _hours(found.standing.parameters.hold_horizon)
    candidate = found.candidate
    if candidate is None:
        return _without_figures(found, size_usd, hold)
    size = found.size.size_usd if found.size is not None else size_usd
    even = candidate.break_even
    return EntryQuote(
        size_usd=size,
        base_quantity=found.size.base_quantity if found.size is not None else None,
        spread_8h=candidate.spread_8h,
        spread_apr=candidate.spread_8h / HOURS_OF_RATE * HOURS_PER_YEAR,
        income_per_day_usd=candidate.spread_8h / HOURS_OF_RATE * DAY * size,
        cost=candidate.costs.fixed,
        cost_usd=candidate.costs.fixed * size,
        break_even_hours=None if even is None else _hours(even.hold),
        break_even_settlements=None if even is None else even.settlements,
        net_return=candidate.net_return,
        net_apr=candidate.net_apr,
        hold_hours=hold,
        depth_usd=found.depth_usd,
        refusals=found.refusals,
        notes=_notes(found, size_usd),
    )


def _notes(found: Evaluation, asked_usd: Decimal) -> tuple[str, ...]:
    notes = [note.sentence for note in found.notes]
    size = found.size
    if size is not None and size.size_usd < asked_usd * NEARLY_ALL:
        notes.append(
            f"{size.size_usd:,.0f} of {asked_usd:,.0f} USD: whole lots of "
            f"{size.lot.normalize():f}, and {size.bound_by} binds."
        )
    if found.appraisal is not None:
        notes += [
            f"{venue} did not tell the fee of your account: its usual fee is assumed."
            for venue in found.appraisal.fees_assumed
        ]
        notes += [
            f"{venue} did not tell its risk tiers: a large position is judged there by the lowest."
            for venue in found.appraisal.tiers_untold
        ]
        notes += [f"Borrows {loan}." for loan in found.appraisal.loans_assumed]
    if found.candidate is not None:
        notes.append("The entry window does not bind an entry by hand.")
    return tuple(notes)


def _without_figures(found: Evaluation, size_usd: Decimal, hold: Decimal) -> EntryQuote:
    return EntryQuote(
        size_usd=size_usd,
        base_quantity=None,
        spread_8h=None,
        spread_apr=None,
        income_per_day_usd=None,
        cost=None,
        cost_usd=None,
        break_even_hours=None,
        break_even_settlements=None,
        net_return=None,
        net_apr=None,
        hold_hours=hold,
        depth_usd=None,
        refusals=found.refusals,
        notes=(),
    )


def _hours(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(seconds=1)) / 3600
