"""The ways to a person: linked, added, taken away."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from alerts.models import Channel, Delivery, LinkCode
from alerts.transports.port import Target
from arbsite.accounts import audit
from arbsite.accounts.models import User
from exchanges.sealing import seal

PURPOSE = "alert-channel"
CODE_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 12
CODE_LASTS = timedelta(minutes=10)
MOST_CHANNELS = 10


class ChannelRefused(ValueError):
    """A channel that cannot be added; the message is a sentence."""


def new_code() -> str:
    """Return a random code of signs that nobody takes for another."""
    return "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))


def new_link_code(user: User, *, now: datetime) -> str:
    """Return a code that links one chat within ten minutes; earlier ones of the user end."""
    code = new_code()
    with transaction.atomic():
        LinkCode.objects.filter(user=user).delete()
        LinkCode.objects.create(
            digest=_digest(code), user=user, created_at=now, expires_at=now + CODE_LASTS
        )
    return code


def link_chat(code: str, chat_id: str, *, now: datetime) -> Channel | None:
    """Link a private chat to the user of an unused code; None when the code is not good.

    A chat that was another user's becomes this one's: whoever writes in it holds the code.
    """
    with transaction.atomic():
        good = LinkCode.objects.filter(
            digest=_digest(code), used_at=None, expires_at__gt=now, user__is_active=True
        )
        row = good.select_related("user").first()
        if row is None or good.update(used_at=now) != 1:
            return None
        for earlier in Channel.objects.active().filter(kind=Channel.Kind.TELEGRAM, address=chat_id):
            _end(earlier)
        channel = Channel.objects.create(
            user=row.user,
            kind=Channel.Kind.TELEGRAM,
            address=chat_id,
            authority=authority_of(row.user),
            created_at=now,
        )
        record(channel, "alert channel linked", row.user.get_username(), now)
    return channel


def authority_of(user: User) -> str:
    """Return what changes with a user's password: commands of a chat end with it."""
    return hashlib.sha256(user.get_session_auth_hash().encode()).hexdigest()


def add_mailbox(user: User, address: str, *, is_second: bool, now: datetime) -> Channel:
    """Add a mailbox that waits to be confirmed (`mailboxes.mail_code`). Raise ChannelRefused."""
    return _add(user, Channel.Kind.EMAIL, address, is_second=is_second, secret="", now=now)


def add_webhook(user: User, url: str, *, is_second: bool, now: datetime) -> tuple[Channel, str]:
    """Add an address that takes POSTs; return it with the secret that signs them.

    The secret is shown once. Raise ChannelRefused.
    """
    secret = secrets.token_urlsafe(32)
    channel = _add(user, Channel.Kind.WEBHOOK, url, is_second=is_second, secret=secret, now=now)
    return channel, secret


def remove(channel: Channel, *, actor: str, now: datetime) -> None:
    """End a channel; what waits to be sent there is dropped."""
    with transaction.atomic():
        _end(channel)
        record(channel, "alert channel removed", actor, now)


def target_of(channel: Channel) -> Target:
    """Return where messages of a channel go. Raise SealBroken for a secret that stays shut."""
    secret = ""
    if channel.secret is not None:
        opened = channel.secret.reveal(owner_id=channel.user_id, purpose=PURPOSE)
        secret = opened["secret"]
    return Target(address=channel.address, secret=secret)


def _add(
    user: User, kind: Channel.Kind, address: str, *, is_second: bool, secret: str, now: datetime
) -> Channel:
    if Channel.objects.for_user(user).active().count() >= MOST_CHANNELS:
        raise ChannelRefused(f"You have {MOST_CHANNELS} channels: remove one first.")
    sealed = seal({"secret": secret}, owner_id=user.pk, purpose=PURPOSE) if secret else None
    try:
        with transaction.atomic():
            channel = Channel.objects.create(
                user=user,
                kind=kind,
                address=address,
                is_second=is_second,
                secret=sealed,
                created_at=now,
            )
            record(channel, "alert channel added", user.get_username(), now)
    except IntegrityError:
        raise ChannelRefused(f"{address} is a channel of yours already.") from None
    return channel


def _end(channel: Channel) -> None:
    Channel.objects.filter(pk=channel.pk).update(is_active=False, secret=None)
    channel.deliveries.filter(state=Delivery.State.PENDING).update(
        state=Delivery.State.DROPPED, last_error="the channel was removed"
    )


def record(channel: Channel, action: str, actor: str, now: datetime) -> None:
    """Write to the audit log what is done with a channel, in the transaction that does it."""
    audit.record(
        actor=actor,
        action=action,
        subject=channel.user.get_username(),
        # Not the address: whoever knows that of a webhook may be able to write there.
        details={"kind": channel.kind, "channel": str(channel.pk)},
        now=now,
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.strip().upper().encode()).hexdigest()
