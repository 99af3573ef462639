"""Telegram's Bot API: the client that sends and asks, and its failures in our words.

The bot's token is a part of every address. No error text of the library or of its HTTP client is
passed on: some contain the address or the token.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

# Before the library is used: without it reading how long to wait is a deprecated integer.
os.environ.setdefault("PTB_TIMEDELTA", "true")

from django.conf import settings
from telegram import Bot
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from alerts.transports.port import Target, Undelivered
from alerts.transports.secret_file import SecretFileRefused, read_secret
from alerts.wording import Message

SECONDS = 5.0
CONNECTIONS = 20


@asynccontextmanager
async def bot() -> AsyncIterator[Bot]:
    """Yield a client with the token of now. Raise Undelivered when there is none."""
    request = HTTPXRequest(
        connection_pool_size=CONNECTIONS,
        connect_timeout=SECONDS,
        read_timeout=SECONDS,
        write_timeout=SECONDS,
        pool_timeout=SECONDS,
    )
    root = settings.CARRY_TELEGRAM_URL.rstrip("/")
    try:
        token = read_secret(settings.CARRY_TELEGRAM_TOKEN_FILE)
    except SecretFileRefused as refusal:
        raise Undelivered(f"no bot token: {refusal}") from None
    # Not entered as a context of its own: that asks for its name first, one answer more to miss.
    async with request:
        yield Bot(token, base_url=f"{root}/bot", request=request, get_updates_request=request)


async def send(target: Target, message: Message) -> None:
    """Send one alert to a chat, a long one in several messages. Raise Undelivered."""
    async with bot() as client:
        for text in message.html_pages:
            with failures_in_our_words():
                await client.send_message(
                    chat_id=int(target.address),
                    text=text,
                    parse_mode=ParseMode.HTML,
                    disable_notification=not message.is_loud,
                )


@contextmanager
def failures_in_our_words() -> Iterator[None]:
    """Turn the library's errors into Undelivered, without their text and without their cause."""
    try:
        yield
    except RetryAfter as error:
        wait = error.retry_after
        wait = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
        sentence = f"Telegram asks to wait {wait.total_seconds():g} s"
        raise Undelivered(sentence, retry_after=wait) from None
    except TelegramError as error:
        raise _in_our_words(error) from None


def _in_our_words(error: TelegramError) -> Undelivered:
    match error:
        case InvalidToken():
            return Undelivered("Telegram does not know the bot's token")
        case Forbidden():
            return Undelivered("the chat has blocked the bot or left it", is_final=True)
        case BadRequest():
            return Undelivered("Telegram refuses the message or the chat", is_final=True)
        case TimedOut():
            return Undelivered("Telegram does not answer in time")
        case Conflict():
            return Undelivered("another process asks with the same token")
        case NetworkError():
            return Undelivered("Telegram cannot be reached or fails (5xx)")
        case _:
            return Undelivered("Telegram refuses")
