"""A mailbox is told nothing before its owner has typed the code that was mailed there."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from alerts.models import Channel, MailedCode
from alerts.services.channels import CODE_LENGTH, new_code, record
from alerts.services.wishes import one_at_a_time
from alerts.transports.email import mail

LASTS = timedelta(minutes=30)
# Whoever is written to may be a stranger: neither often nor many.
PAUSE = timedelta(seconds=60)
DAY = timedelta(days=1)
MOST_A_DAY = 10
MOST_TRIES = 5
GROUP = 4
SUBJECT = "Carry: confirm this mailbox"


class CodeRefused(ValueError):
    """A code that is not mailed now; the message is a sentence."""


def mail_code(channel: Channel, *, actor: str, now: datetime) -> None:
    """Mail a code that confirms a mailbox within half an hour; earlier ones end.

    Raise CodeRefused when too many were mailed, Undelivered when the mail server fails.
    """
    code = new_code()
    with transaction.atomic():
        one_at_a_time(channel.user)
        if why := _why_not(channel, now):
            raise CodeRefused(why)
        channel.mailed_codes.filter(expires_at__gt=now).update(expires_at=now)
        MailedCode.objects.create(
            channel=channel,
            digest=_digest(channel, code),
            created_at=now,
            expires_at=now + LASTS,
        )
        record(channel, "mailbox code mailed", actor, now)
    mail(channel.address, SUBJECT, _text(code))


def confirm(channel: Channel, code: str, *, actor: str, now: datetime) -> bool:
    """Use up the code of a mailbox and have alerts sent there; False for one that is not good.

    Wrong, expired, used, replaced, another's and tried too often are not told apart.
    """
    with transaction.atomic():
        good = MailedCode.objects.filter(
            channel=channel,
            channel__is_active=True,
            used_at=None,
            created_at__lte=now,
            expires_at__gt=now,
            tries__lt=MOST_TRIES,
        )
        row = good.order_by("-id").first()
        # Counted before it is compared: tries at once are not more tries.
        if row is None or good.filter(pk=row.pk).update(tries=F("tries") + 1) != 1:
            return False
        if not secrets.compare_digest(row.digest, _digest(channel, code)):
            record(channel, "mailbox code refused", actor, now)
            return False
        if MailedCode.objects.filter(pk=row.pk, used_at=None).update(used_at=now) != 1:
            return False
        Channel.objects.unconfirmed().filter(pk=channel.pk).update(confirmed_at=now)
        record(channel, "mailbox confirmed", actor, now)
    return True


def _why_not(channel: Channel, now: datetime) -> str:
    """Return why no code is mailed now, empty if one is."""
    if not Channel.objects.unconfirmed().filter(pk=channel.pk).exists():
        return "This mailbox waits for no code."
    mailed = MailedCode.objects.filter(channel__user=channel.user_id, created_at__gt=now - DAY)
    if mailed.count() >= MOST_A_DAY:
        return f"{MOST_A_DAY} codes were mailed for you within a day: ask again tomorrow."
    # By address: a mailbox that was removed and added again is the same one.
    same = mailed.filter(channel__address__iexact=channel.address, created_at__lte=now)
    newest = same.order_by("-created_at").first()
    if newest is not None and newest.created_at > now - PAUSE:
        seconds = int((newest.created_at + PAUSE - now).total_seconds()) + 1
        return f"A code was mailed just now: look there, or ask for another in {seconds} s."
    return ""


def _text(code: str) -> str:
    minutes = int(LASTS.total_seconds()) // 60
    return (
        "Somebody asked Carry, a trading system, to send alerts to this mailbox.\n\n"
        f"If it was you, type this code on the page Channels within {minutes} minutes:\n\n"
        f"    {_grouped(code)}\n\n"
        "If it was not you, do nothing: without the code nothing else is sent here.\n"
    )


def _grouped(code: str) -> str:
    return " ".join(code[at : at + GROUP] for at in range(0, CODE_LENGTH, GROUP))


def _digest(channel: Channel, code: str) -> str:
    """Return the digest of a typed or mailed code; with its channel, so that it fits no other."""
    signs = "".join(sign for sign in code.upper() if sign.isalnum())
    return hashlib.sha256(f"{channel.pk}:{signs}".encode()).hexdigest()
