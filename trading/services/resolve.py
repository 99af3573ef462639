"""What a person decides about a difference between a venue and our book."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from exchanges.models import ExchangeAccount
from trading.core.money import plain
from trading.core.refusal import Refusal
from trading.core.sentence import usd
from trading.core.states import PositionEvent, PositionState
from trading.doorbell import ring_drive
from trading.events import announce
from trading.models import Discrepancy, Position
from trading.services import lease
from trading.services.exit import request_exit
from trading.services.halt import release_account
from trading.services.outside_fills import adopt_fills
from trading.services.transition import apply_to_position
from trading.services.venues import REAL, Venues
from trading.services.write_off import write_off as write_off_missing

Resolution = Discrepancy.Resolution


def choices(discrepancy: Discrepancy) -> tuple[Resolution, ...]:
    """Return what a person may choose, the safest first; empty once it is resolved."""
    if discrepancy.resolved_at is not None:
        return ()
    if discrepancy.difference == 0:
        return (Resolution.VANISHED,)
    if discrepancy.takes_from_ours:
        # A suspicion may be lag: what is there cannot be written off.
        is_sure = discrepancy.confirmed_at is not None
        gone = (Resolution.WRITTEN_OFF,) if is_sure else ()
        return (Resolution.ADOPTED, Resolution.CLOSED, *gone)
    if discrepancy.position is None or not discrepancy.position.is_live:
        return (Resolution.IGNORED,)
    return (Resolution.IGNORED, Resolution.CLOSED)


def adopt(
    discrepancy: Discrepancy, *, actor: str, now: datetime, venues: Venues = REAL
) -> Refusal | None:
    """Book foreign fills that made our leg smaller as trades of that leg; None when it is done.

    The plan then brings the other leg to the same size. Refused where the venue does not list the
    fills that explain the whole difference.
    """
    if (refusal := _refusal(discrepancy, Resolution.ADOPTED)) is not None:
        return refusal
    if (refusal := adopt_fills(discrepancy, venues=venues, now=now)) is not None:
        return refusal
    sentence = f"{plain(discrepancy.difference)} was booked as a trade of its owner"
    return _resolve(discrepancy, Resolution.ADOPTED, sentence, actor=actor, now=now)


def ignore(discrepancy: Discrepancy, *, actor: str, now: datetime) -> Refusal | None:
    """Accept what the venue holds beyond our book as not ours, as long as it stays as it is.

    A difference that has gone away meanwhile is only acknowledged.
    """
    if discrepancy.difference == 0 and discrepancy.resolved_at is None:
        sentence = "the difference has gone away"
        return _resolve(discrepancy, Resolution.VANISHED, sentence, actor=actor, now=now)
    if (refusal := _refusal(discrepancy, Resolution.IGNORED)) is not None:
        return refusal
    extra = discrepancy.difference
    sentence = f"{plain(extra)} is not ours and is left alone"
    return _resolve(discrepancy, Resolution.IGNORED, sentence, actor=actor, now=now, ignored=extra)


def close(
    discrepancy: Discrepancy, *, actor: str, now: datetime, venues: Venues = REAL
) -> Refusal | None:
    """Ask for the end of our position, our own quantity only; what is not ours is left alone."""
    if (refusal := _refusal(discrepancy, Resolution.CLOSED)) is not None:
        return refusal
    extra = Decimal(0)
    if discrepancy.takes_from_ours:
        # What the venue no longer holds cannot be closed: it is booked as gone first.
        if (refusal := adopt_fills(discrepancy, venues=venues, now=now)) is not None:
            return refusal
    else:
        extra = discrepancy.difference
    position = discrepancy.position
    assert position is not None  # noqa: S101  (choices() offers closing only with a position)
    request_exit(
        position=position,
        reason="discrepancy",
        sentence=f"closed after a difference in {discrepancy.symbol}",
        actor=actor,
        now=now,
    )
    sentence = "our position is being closed"
    return _resolve(discrepancy, Resolution.CLOSED, sentence, actor=actor, now=now, ignored=extra)


def write_off(
    discrepancy: Discrepancy, *, actor: str, now: datetime, venues: Venues = REAL
) -> Refusal | None:
    """Book what is missing of our leg as gone at its present price; None when it is done.

    For what no fill explains; the plan then brings the other leg to the same size.
    """
    if (refusal := _refusal(discrepancy, Resolution.WRITTEN_OFF)) is not None:
        return refusal
    gone = write_off_missing(discrepancy, venues=venues, now=now)
    if isinstance(gone, Refusal):
        return gone
    sentence = (
        f"{plain(gone.base_quantity)} {gone.asset} that no fill explains was written off at "
        f"{plain(gone.price)}, worth {usd(gone.value_usd)}"
    )
    return _resolve(discrepancy, Resolution.WRITTEN_OFF, sentence, actor=actor, now=now)


def release_if_clear(account: ExchangeAccount, *, actor: str, now: datetime) -> bool:
    """Release an account that only differences had halted, and its held positions, if none is left.

    Return False, changing nothing, while one is open or something else had halted the account.
    """
    rows = Discrepancy.objects.filter(account=account)
    if rows.confirmed().exists():
        return False
    account.refresh_from_db()
    if account.is_halted:
        if not rows.filter(sentence__startswith=account.halted_reason).exists():
            return False
        release_account(account, actor=actor, now=now)
    held = Position.objects.filter(state=PositionState.HELD, discrepancies__in=rows).distinct()
    for position in held:
        _release_position(position, actor=actor, now=now)
    return True


def release_resolved(*, now: datetime) -> None:
    """Release what was being driven just when the last difference that held it was resolved."""
    rows = Discrepancy.objects.exclude(resolved_at=None).filter(position__state=PositionState.HELD)
    for row in rows.select_related("account").order_by("resolved_at"):
        release_if_clear(row.account, actor=row.resolved_by, now=now)


def _release_position(position: Position, *, actor: str, now: datetime) -> None:
    """Release a position that nothing but resolved differences held, and have it driven."""
    rows = Discrepancy.objects.filter(position=position)
    if rows.confirmed().exists():
        return
    if not rows.filter(sentence__startswith=position.held_reason).exists():
        return
    taken = lease.take(position.pk, owner=lease.owner_name(), now=now)
    if taken is None:
        return
    try:
        if taken.state == PositionState.HELD:
            apply_to_position(
                taken, PositionEvent.RELEASED, cause=f"resolved by {actor}"[:300], now=now
            )
    finally:
        lease.give_back(taken)
    ring_drive(position.pk)


def _refusal(discrepancy: Discrepancy, wanted: Resolution) -> Refusal | None:
    discrepancy.refresh_from_db()
    if discrepancy.resolved_at is not None:
        by, how = discrepancy.resolved_by, discrepancy.get_resolution_display().lower()
        return Refusal(code="resolved", sentence=f"This difference was {how} by {by} already.")
    if wanted in choices(discrepancy):
        return None
    ours, theirs = plain(discrepancy.ours), plain(discrepancy.theirs)
    words = f"the venue holds {theirs} {discrepancy.symbol} and our fills say {ours}"
    sentence = {
        Resolution.ADOPTED: f"Only what made our leg smaller can be adopted: {words}.",
        Resolution.IGNORED: f"Only a quantity beyond ours can be ignored: {words}.",
        Resolution.CLOSED: f"No position of ours is left to close: {words}.",
        Resolution.WRITTEN_OFF: f"Only what is surely missing of our leg is written off: {words}.",
    }[wanted]
    return Refusal(code="not_possible", sentence=sentence)


def _resolve(
    discrepancy: Discrepancy,
    resolution: Resolution,
    sentence: str,
    *,
    actor: str,
    now: datetime,
    ignored: Decimal = Decimal(0),
) -> Refusal | None:
    """Close the row once, say who did it, and release what nothing else holds."""
    with transaction.atomic():
        resolved = Discrepancy.objects.unresolved().filter(pk=discrepancy.pk)
        if ignored:
            _lapse(discrepancy, now)
        columns = {"resolved_at": now, "resolution": resolution, "resolved_by": actor[:150]}
        if resolved.update(**columns, ignored_base=ignored) != 1:
            discrepancy.refresh_from_db()
            return _refusal(discrepancy, resolution)
        announce(
            user_id=discrepancy.user_id,
            kind="discrepancy.resolved",
            sentence=f"{discrepancy.account}: {discrepancy.symbol}, {sentence} ({actor})",
            position=discrepancy.position,
            now=now,
        )
    discrepancy.refresh_from_db()
    release_if_clear(discrepancy.account, actor=actor, now=now)
    return None


def _lapse(discrepancy: Discrepancy, now: datetime) -> None:
    """One quantity is ignored in a symbol at a time: the newest says it all."""
    Discrepancy.objects.ignored().filter(
        account=discrepancy.account_id, symbol=discrepancy.symbol
    ).update(lapsed_at=now)
