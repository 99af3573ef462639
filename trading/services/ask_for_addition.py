"""Add a quarter to a position whose price gap moved for it: `docs/DOMAIN.md` section 6, basis care.

An addition is an opening: it is asked every gate of an entry, reserves its limits and is then
driven like one. Off unless `basis_add_at` is set; asked last, after all that makes a position
smaller or ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from django.db import transaction

from exchanges.domain import Side
from exchanges.modes import Mode
from exchanges.selectors import instrument_key
from trading.core.care import favourable_steps, gap_move, quarter
from trading.core.exposure import smallest_size
from trading.core.money import plain
from trading.core.refusal import Refusal
from trading.core.sentence import percent, usd
from trading.core.sizing import PlannedSize
from trading.core.states import Goal, PositionState
from trading.doorbell import ring_drive
from trading.events import announce
from trading.models import Leg, Position
from trading.services import lasting, limits, market
from trading.services.appraise import leverage_of
from trading.services.care import Subject
from trading.services.entry_legs import EntryLeg, in_shape
from trading.services.evaluate import Evaluation, evaluate
from trading.services.gap_prices import entry_prices, exit_prices
from trading.services.holdings import closed_outside, leg_exposure
from trading.services.plan_entry import refuse_overdrawn
from trading.services.position_money import money_of
from trading.strategies.base import Candidate, EntryTrigger
from trading.strategies.registry import STRATEGIES

GAP = "favourable_gap"
CENT, A_LITTLE_MORE = Decimal("0.01"), Decimal("1.0005")


def ask_for_addition(subject: Subject) -> bool:
    """Ask for a quarter more where a favourable gap lasts; tell whether it was asked for.

    Each whole step of the gap is answered once. A gate that is shut leaves its sentence on the
    position, and the gap must last again before the next try.
    """
    wanted = _wanted(subject)
    if wanted is None:
        lasting.has_ended(subject.position, GAP)
        return False
    least = subject.parameters.exit_must_last
    if not lasting.has_lasted(subject.position, GAP, least=least, now=subject.now):
        return False
    lasting.has_ended(subject.position, GAP)
    steps, cause = wanted
    refusal = _ask(subject, steps, cause)
    if refusal:
        outcome = f"nothing is added although {cause}: {refusal}"
        rows = Position.objects.filter(pk=subject.position.pk)
        rows.update(add_outcome=outcome[:600])
    return not refusal


def _wanted(subject: Subject) -> tuple[int, str] | None:
    """Return which step is to be answered, and why; None while none is, or a price is stale."""
    step, position, now = subject.parameters.basis_add_at, subject.position, subject.now
    if step is None or not subject.may_act or position.add_quantity is not None:
        return None
    most = subject.parameters.max_book_age
    entered = entry_prices(subject.legs)
    leaving = exit_prices(subject.legs, subject.board, now=now, max_age=most)
    if entered is None or leaving is None:
        return None
    move = gap_move(entered.gap, leaving.gap)
    steps = favourable_steps(move, step)
    if steps <= position.add_steps:
        return None
    money = money_of(position, subject.legs, subject.board, now=now, max_age=most)
    if money is None or money.net_pnl_usd <= 0:
        return None
    return steps, (
        f"the price gap moved {percent(-move, 2)} for it since the entry, beyond "
        f"{percent(step * steps, 2)}, and it has earned {usd(money.net_pnl_usd)}"
    )


def _ask(subject: Subject, steps: int, cause: str) -> str:
    """Ask every gate and reserve; return why not, empty where it was asked for."""
    held = smallest_size([leg_exposure(leg) for leg in subject.legs])
    wanted = quarter(held, [(leg.instrument.snapshot(), leg.ratio) for leg in subject.legs])
    if wanted <= 0:
        return "a quarter of it is less than one lot"
    if any(closed_outside(leg) for leg in subject.legs):
        return "a leg was closed in part by its venue or by a person"
    found = _evaluate(subject, wanted)
    if found.refusals or found.candidate is None or found.size is None:
        return " ".join(refusal.sentence for refusal in found.refusals)
    if refusal := _refuse_terms(subject.legs, found):
        return refusal
    quantity = min(found.size.base_quantity, wanted)
    size_usd = found.size.size_usd * quantity / found.size.base_quantity
    # Whole cents: the limits count in them, and what is not used must leave them as they were.
    size = replace(
        found.size, base_quantity=quantity, size_usd=size_usd.quantize(CENT, ROUND_CEILING)
    )
    try:
        with transaction.atomic():
            _reserve(subject.position, found, found.candidate, size)
            _write(subject, found.candidate, held, size, steps, cause)
    except limits.LimitReached as reached:
        return reached.refusal.sentence
    subject.position.refresh_from_db()
    ring_drive(subject.position.pk)
    return ""


def _evaluate(subject: Subject, wanted: Decimal) -> Evaluation:
    """Ask the gates of an entry for what a quarter is worth, at the prices of now."""
    rules, position = STRATEGIES[subject.position.strategy], subject.position
    rows = [market.row_of(subject.board, leg.instrument) for leg in subject.legs]
    dearest = max(row.book.mid for row in rows if row is not None and row.book is not None)
    return evaluate(
        user=position.user,
        strategy=position.strategy,
        base=position.base,
        legs=in_shape(rules, [_entry_leg(leg) for leg in subject.legs]),
        # A little more: what is left of a lot would cost the whole of it.
        size_usd=wanted * dearest * A_LITTLE_MORE,
        trigger=EntryTrigger.PROMPT,
        now=subject.now,
        adds=True,
    )


def _entry_leg(leg: Leg) -> EntryLeg:
    return EntryLeg(leg.instrument, Side.BUY if leg.sign > 0 else Side.SELL, leg.ratio)


def _refuse_terms(legs: Sequence[Leg], found: Evaluation) -> str:
    """Refuse what a leg cannot grow by: another account, another leverage, or adding turned off."""
    parameters, appraisal = found.standing.parameters, found.appraisal
    if parameters.basis_add_at is None or appraisal is None:
        return "adding has been switched off since"
    for leg in legs:
        venue = leg.instrument.exchange
        if found.standing.accounts[venue.code].pk != leg.account_id:
            return f"the account at {venue.name} that holds it is not the one in use"
        leverage = leverage_of(leg.instrument.snapshot(), appraisal.legs, parameters)
        if leverage != leg.leverage:
            return (
                f"its {leg.side.lower()} leg has {plain(leg.leverage)}x and {plain(leverage)}x is "
                "configured now"
            )
    return ""


def _reserve(
    position: Position, found: Evaluation, candidate: Candidate, size: PlannedSize
) -> None:
    claims = limits.claims_for(
        base=position.base,
        legs=[(leg.facts.instrument.venue, leg.ratio) for leg in candidate.legs],
        # What it was opened for counts: that is where its exit gives everything back.
        open_reason=position.open_reason,
        size_usd=size.size_usd,
        parameters=found.standing.parameters,
    )
    limits.reserve(position.user_id, Mode(position.mode), claims)
    refuse_overdrawn(found, size)


def _write(
    subject: Subject,
    candidate: Candidate,
    held: Decimal,
    size: PlannedSize,
    steps: int,
    cause: str,
) -> None:
    """Write what is to be added. Raise LimitReached where the position is not at rest any more."""
    position, parameters = subject.position, subject.parameters
    quantity = size.base_quantity
    at_rest = Position.objects.filter(
        pk=position.pk,
        state=PositionState.OPEN,
        goal=Goal.HEDGED,
        reduce_to=None,
        add_quantity=None,
        add_steps=position.add_steps,
    )
    asked = at_rest.update(
        target_base_quantity=held + quantity,
        add_quantity=quantity,
        add_usd=size.size_usd,
        reserved_usd=position.reserved_usd + size.size_usd,
        add_cause=cause[:300],
        add_steps=steps,
        add_outcome=f"adding {plain(quantity)} {position.base} because {cause}"[:600],
        entry_deadline=subject.now + parameters.order_fill_timeout,
    )
    if asked != 1:
        moved = Refusal(code="moved", sentence="it is not at rest any more.")
        raise limits.LimitReached(moved)
    mids = {
        (leg.facts.instrument.venue, leg.facts.instrument.symbol): leg.facts.mid
        for leg in candidate.legs
    }
    for leg in subject.legs:
        mid = mids[instrument_key(leg.instrument)]
        Leg.objects.filter(pk=leg.pk).update(decision_add_mid=mid)
    announce(
        user_id=position.user_id,
        kind="position.adding",
        sentence=f"{position.base}: adding {plain(quantity)} {position.base} because {cause}",
        position=position,
        now=subject.now,
    )
