"""Who may say what: only the linked person, in their private chat, firsthand, now and once.

What is refused is written to the audit log and, to strangers, not answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from alerts.bot import acts
from alerts.bot.commands import COMMANDS
from alerts.bot.confirm import redeem
from alerts.bot.said import Answer, Said
from alerts.bot.speaker import Speaker, told
from alerts.models import BotUpdate, Channel
from alerts.services.channels import authority_of, link_chat
from arbsite.accounts import audit
from arbsite.accounts.models import AuditEntry
from trading.services.apart import apart

START = "start"
REFUSED = "telegram refused"
# Said while the bot was away: the person sees another market now.
OLDEST = timedelta(minutes=5)
# Of the same stranger for the same reason one entry an hour tells enough.
TOLD_AGAIN = timedelta(hours=1)
MOST_WRONG_CODES = 5
FAILED = "This failed, and the log says why. Look at the page before you try again."


def answer(said: Said, *, now: datetime) -> Answer | None:
    """Do what was said, if whoever said it may, and return the answer; None is silence."""
    if why := _not_once(said, now) or _not_firsthand(said):
        _refuse(said, why, now)
        return None
    name, argument = _parsed(said.text)
    if name == START:
        return _start(said, argument, now)
    channel = (
        Channel.objects.active()
        .filter(kind=Channel.Kind.TELEGRAM, address=str(said.chat_id))
        .select_related("user")
        .first()
    )
    if channel is None or not channel.user.is_active:
        _refuse(said, "chat is not linked" if channel is None else "user is disabled", now)
        return None
    if channel.authority != authority_of(channel.user):
        _refuse(said, "password was changed", now)
        return told("Your password was changed: link this chat again under Alerts.")
    speaker = Speaker(user=channel.user, chat_id=str(said.chat_id), now=now, argument=argument)
    if said.button:
        return _press(said, speaker)
    if said.at is None or now - said.at > OLDEST:
        _refuse(said, "old message", now)
        return told("I was away when you said this. Say it again if you still want it.")
    return _run(said, speaker, name)


def _not_once(said: Said, now: datetime) -> str:
    """Take an update, once for all time that Telegram may send it again; say if it was taken."""
    _, is_new = BotUpdate.objects.get_or_create(
        update_id=said.update_id, defaults={"taken_at": now}
    )
    return "" if is_new else "replayed update"


def _not_firsthand(said: Said) -> str:
    """Return why nobody in particular said this to the bot; empty if somebody did."""
    if not said.chat_id:
        return "no message"
    if not said.is_private:
        return "not a private chat"
    if said.is_bot or said.sender_id != said.chat_id:
        return "sender is not the chat"
    return "forwarded message" if said.is_forwarded else ""


def _parsed(text: str) -> tuple[str, str]:
    """Return the command and its argument of `/close@carry_bot BTC`; empty without a slash."""
    # PostgreSQL keeps no text with a zero character in it.
    head, _, argument = text.replace("\0", "").strip().partition(" ")
    name = head.removeprefix("/").partition("@")[0].lower() if head.startswith("/") else ""
    return name, argument.strip()


def _start(said: Said, code: str, now: datetime) -> Answer | None:
    if not code:
        return told("Open Alerts in Carry and press Link a Telegram chat: it shows a code.")
    recent = AuditEntry.objects.filter(
        action=REFUSED, subject=str(said.chat_id), at__gt=now - TOLD_AGAIN
    )
    if recent.filter(details__why="wrong code").count() >= MOST_WRONG_CODES:
        return None
    channel = link_chat(code, str(said.chat_id), now=now)
    if channel is None:
        _audit(str(said.chat_id), REFUSED, str(said.chat_id), {"why": "wrong code"}, now)
        return told("This code is not good: it was used, or it is older than ten minutes.")
    return told(f"This chat is linked to {channel.user.get_username()}. /help lists the commands.")


def _press(said: Said, speaker: Speaker) -> Answer:
    act = redeem(speaker, said.button)
    if act is None:
        _refuse(said, "button is old, used or another's", speaker.now)
        return told("This button is not good any more: give the command again.")
    answered = apart(lambda: acts.carry_on(speaker, act), "act failed", act=act) or told(FAILED)
    details = {"chat": speaker.chat_id, "act": act}
    _audit(speaker.user.get_username(), "telegram act", act[:150], details, speaker.now)
    return answered


def _run(said: Said, speaker: Speaker, name: str) -> Answer:
    entry = COMMANDS.get(name)
    if entry is None:
        return told("I know no such command. /help lists them.")
    answered = apart(lambda: entry.run(speaker), "command failed", command=name) or told(FAILED)
    if entry.acts:
        details = {"chat": speaker.chat_id, "argument": speaker.argument[:100]}
        _audit(speaker.user.get_username(), "telegram act", name, details, speaker.now)
    return answered


def _refuse(said: Said, why: str, now: datetime) -> None:
    """Write down that something was refused; the same of the same chat once an hour."""
    same = AuditEntry.objects.filter(
        action=REFUSED, subject=str(said.chat_id), details__why=why, at__gt=now - TOLD_AGAIN
    )
    if not same.exists():
        details = {"why": why, "sender": said.sender_id, "update": said.update_id}
        _audit(str(said.sender_id), REFUSED, str(said.chat_id), details, now)


def _audit(
    actor: str, action: str, subject: str, details: Mapping[str, object], now: datetime
) -> None:
    with transaction.atomic():
        audit.record(actor=actor, action=action, subject=subject, details=details, now=now)
