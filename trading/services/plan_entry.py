"""Turn a wish into a planned position: every gate asked, limits reserved, legs written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from arbsite.accounts.models import User
from exchanges.models import Instrument
from exchanges.modes import Mode
from trading.core.refusal import Refusal
from trading.core.sentence import usd
from trading.core.sizing import PlannedSize, planned_usd
from trading.core.states import PositionState
from trading.events import announce
from trading.models import IdempotencyKey, Leg, LegSide, Position
from trading.services import limits
from trading.services.appraise import leg_capacities, leverage_of
from trading.services.capital import capital_of
from trading.services.entry_legs import EntryLeg, wish_of
from trading.services.evaluate import Evaluation, evaluate
from trading.services.leg_order import ordered_legs
from trading.services.opportunities import note_taken
from trading.services.order_trial import claim_trials
from trading.services.prepare import prepared_lately
from trading.strategies.base import Candidate, EntryTrigger

USUAL = "funding_spread"


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was written; each refusal is a sentence with its value."""

    refusals: tuple[Refusal, ...]


def plan_entry(
    *,
    user: User,
    strategy: str = USUAL,
    base: str,
    legs: Sequence[EntryLeg],
    size_usd: Decimal,
    opened_by: str,
    is_manual: bool,
    idempotency_key: str | None,
    now: datetime,
    signalled_at: datetime | None = None,
) -> Position | Refused:
    """Plan a hedged position and return it, or every reason why not.

    The same `idempotency_key` with the same wish returns the position of the first time. Driving
    the planned position is the caller's doorbell and the sweep's duty.
    """
    wish = wish_of(strategy, base, legs, size_usd)
    if idempotency_key is not None:
        known = _known(user, idempotency_key, wish)
        if known is not None:
            return known
    found = evaluate(
        user=user,
        strategy=strategy,
        base=base,
        legs=legs,
        size_usd=size_usd,
        trigger=EntryTrigger.MANUAL if is_manual else EntryTrigger.PROMPT,
        now=now,
    )
    if found.refusals or found.candidate is None or found.size is None:
        return Refused(found.refusals)
    rows, why = _legs(found, [leg.instrument for leg in legs], now)
    try:
        with transaction.atomic():
            position = _write(
                user, found, found.candidate, found.size, opened_by, now, signalled_at
            )
            for row in rows:
                row.position = position
            Leg.objects.bulk_create(rows)
            _claim_trials(position, rows, now)
            note_taken(position, legs, now=now)
            _tell(position, rows, why)
            if idempotency_key is not None:
                _remember(user, idempotency_key, wish, position, now)
    except limits.LimitReached as reached:
        return Refused((reached.refusal,))
    except IntegrityError:
        return _refuse_double(user, base, idempotency_key, wish)
    return position


def _write(
    user: User,
    found: Evaluation,
    candidate: Candidate,
    size: PlannedSize,
    opened_by: str,
    now: datetime,
    signalled_at: datetime | None,
) -> Position:
    parameters = found.standing.parameters
    mode = found.standing.accounts[candidate.legs[0].facts.instrument.venue].exchange.mode
    limits.reserve(
        user.pk,
        Mode(mode),
        limits.claims_for(
            base=candidate.base,
            legs=[(leg.facts.instrument.venue, leg.ratio) for leg in candidate.legs],
            open_reason=candidate.open_reason,
            size_usd=size.size_usd,
            parameters=parameters,
        ),
    )
    refuse_overdrawn(found, size)
    position = Position.objects.create(
        user=user,
        mode=mode,
        base=candidate.base,
        strategy=candidate.strategy,
        open_reason=candidate.open_reason,
        size_usd=size.size_usd,
        target_base_quantity=size.base_quantity,
        parameters=parameters.to_values(),
        configuration_version=found.standing.configuration_version,
        entry_funding_spread=candidate.spread_8h,
        expected_net_return=candidate.net_return,
        opened_by=opened_by,
        created_at=now,
        signalled_at=signalled_at,
        entry_deadline=now + parameters.order_fill_timeout,
        reserved_usd=size.size_usd,
    )
    return position


def _claim_trials(position: Position, legs: Sequence[Leg], now: datetime) -> None:
    """Raise LimitReached where a breaker shut meanwhile, or lets another entry in."""
    if why := claim_trials(position, [leg.account.exchange for leg in legs], now):
        raise limits.LimitReached(Refusal(code="breaker_open", sentence=why))


def refuse_overdrawn(found: Evaluation, size: PlannedSize) -> None:
    """Raise LimitReached where other entries took the capital since the size was counted.

    The rows of the limits are held: of entries at once the second sees what the first wrote.
    """
    assert found.appraisal is not None  # noqa: S101  (checked by the caller)
    capital, equity = capital_of(found.standing.accounts)
    legs = [
        replace(leg, capital=capital[leg.instrument.venue])
        for leg in leg_capacities(found.appraisal, found.standing)
    ]
    left = planned_usd(legs, equity, found.standing.parameters)
    if size.size_usd > left:
        sentence = (
            f"Another entry took capital meanwhile: it carries {usd(left)} now, not the "
            f"{usd(size.size_usd)} that were planned."
        )
        raise limits.LimitReached(Refusal(code="capital_taken", sentence=sentence))


def _legs(
    found: Evaluation, instruments: Sequence[Instrument], now: datetime
) -> tuple[list[Leg], str]:
    """Return the legs, unwritten, in the order in which they work, and why it is that one."""
    appraisal = found.appraisal
    assert appraisal is not None  # noqa: S101  (checked by the caller)
    pairs, why = ordered_legs(found, instruments, now=now)
    wanted = [
        (
            found.standing.accounts[instrument.exchange.code],
            instrument,
            leverage_of(leg.facts.instrument, appraisal.legs, found.standing.parameters),
        )
        for leg, instrument in pairs
    ]
    prepared = prepared_lately(wanted, now=now)
    legs = [
        Leg(
            index=index,
            side=LegSide.LONG if leg.side.sign > 0 else LegSide.SHORT,
            account=account,
            instrument=instrument,
            ratio=leg.ratio,
            leverage=leverage,
            is_prepared=is_prepared,
            decision_entry_mid=leg.facts.mid,
            taker_fee=leg.facts.taker_fee,
        )
        for index, ((leg, _), (account, instrument, leverage), is_prepared) in enumerate(
            zip(pairs, wanted, prepared, strict=True)
        )
    ]
    return legs, why


def _tell(position: Position, legs: Sequence[Leg], why: str) -> None:
    # Long first, as people say it.
    ordered = sorted(legs, key=lambda leg: -leg.sign)
    words = [f"{leg.side.lower()} {leg.instrument.exchange.short_code}" for leg in ordered]
    announce(
        user_id=position.user_id,
        kind="position.planned",
        sentence=f"{position.base}: entering {position.size_usd:,.0f} USD per leg, "
        f"{', '.join(words)} ({position.opened_by}); {why}",
        position=position,
        now=position.created_at,
    )


def _known(user: User, key: str, wish: str) -> Position | Refused | None:
    stored = IdempotencyKey.objects.filter(user=user, key=key).first()
    if stored is None:
        return None
    if stored.request_hash != _hash(wish):
        return Refused(
            (
                Refusal(
                    code="key_reused",
                    sentence="This form was already sent with other values: reload it first.",
                ),
            )
        )
    answer: dict[str, str] = stored.answer or {}
    return Position.objects.for_user(user).get(pk=answer["position"])


def _remember(user: User, key: str, wish: str, position: Position, now: datetime) -> None:
    IdempotencyKey.objects.create(
        user=user,
        key=key,
        request_hash=_hash(wish),
        answer={"position": str(position.pk)},
        created_at=now,
    )


def _refuse_double(user: User, base: str, key: str | None, wish: str) -> Position | Refused:
    """Another request won the race: the same form's position, or the one that is live."""
    if key is not None:
        known = _known(user, key, wish)
        if known is not None:
            return known
    live = Position.objects.for_user(user).live().filter(base=base).first()
    state = live.state if live is not None else PositionState.PLANNED
    return Refused(
        (
            Refusal(
                code="position_exists",
                sentence=f"{base} already has a position ({state}): one per pair at a time.",
            ),
        )
    )


def _hash(wish: str) -> str:
    return hashlib.sha256(wish.encode()).hexdigest()
