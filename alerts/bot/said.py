"""What came from a chat and what goes back, apart from the library that carries it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from telegram import Message, Update
from telegram.constants import ChatType


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One update. A pressed button has a `button`, its token; a message has `text` and `at`."""

    update_id: int
    chat_id: int = 0
    sender_id: int = 0
    is_private: bool = False
    is_forwarded: bool = False
    is_bot: bool = False
    text: str = ""
    at: datetime | None = None
    button: str = ""
    press_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    label: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Plain lines for one chat, escaped when they are sent, with buttons below."""

    lines: tuple[str, ...]
    buttons: tuple[Button, ...] = ()


def read(update: Update) -> Said:
    """Return what an update says; one of a kind that is not asked for says nothing."""
    press = update.callback_query
    message = press.message if press is not None else update.message
    if message is None:
        return Said(update_id=update.update_id)
    sender = press.from_user if press is not None else update.message and update.message.from_user
    written = message if press is None and isinstance(message, Message) else None
    return Said(
        update_id=update.update_id,
        chat_id=message.chat.id,
        sender_id=sender.id if sender else 0,
        is_private=message.chat.type == ChatType.PRIVATE,
        is_forwarded=written is not None and written.forward_origin is not None,
        is_bot=bool(sender and sender.is_bot),
        text=(written.text or "") if written is not None else "",
        at=written.date if written is not None else None,
        button=(press.data or "") if press is not None else "",
        press_id=press.id if press is not None else "",
    )
