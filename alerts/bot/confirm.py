"""Buttons that do one thing once: for one user, in one chat, within a minute."""

from __future__ import annotations

from datetime import timedelta

from alerts.bot.said import Button
from alerts.bot.speaker import Speaker
from alerts.models import Confirmation

LASTS = timedelta(seconds=60)


def button(speaker: Speaker, label: str, act: str) -> Button:
    """Return a button that stands for `act`."""
    row = Confirmation.objects.create(
        user=speaker.user,
        chat_id=speaker.chat_id,
        act=act,
        created_at=speaker.now,
        expires_at=speaker.now + LASTS,
    )
    return Button(label=label, token=row.token)


def redeem(speaker: Speaker, token: str) -> str | None:
    """Return the act of a button and use it up; None for another's, a used or an old one."""
    good = Confirmation.objects.filter(
        token=token,
        user=speaker.user,
        chat_id=speaker.chat_id,
        used_at=None,
        created_at__lte=speaker.now,
        expires_at__gt=speaker.now,
    )
    row = good.first()
    if row is None or good.update(used_at=speaker.now) != 1:
        return None
    return row.act
