"""Pauses of a pair, in which nothing is entered."""

from __future__ import annotations

from datetime import datetime, timedelta

from trading.models import CoolDown, Position

BETWEEN_ENTRIES = "the pause between two entries on one pair"


def cool_down(position: Position, pause: timedelta, reason: str, *, now: datetime) -> None:
    """Keep the position's pair from entries for `pause`; a longer one that runs stays."""
    until = now + pause
    running = CoolDown.objects.filter(user=position.user_id, base=position.base, until__gte=until)
    if running.exists():
        return
    CoolDown.objects.update_or_create(
        user_id=position.user_id,
        base=position.base,
        defaults={"until": until, "reason": reason[:300]},
    )


def lift(position: Position, reason: str) -> None:
    """End the pause of the position's pair that has this reason, and no other."""
    CoolDown.objects.filter(user=position.user_id, base=position.base, reason=reason).delete()
