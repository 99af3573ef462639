"""Ask Telegram for what people say and answer them, for as long as the process lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from django.db import DatabaseError, connections
from django.db.models import Max
from django.utils import timezone
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.constants import ParseMode

from alerts import rules
from alerts.bot.commands import COMMANDS
from alerts.bot.gate import answer
from alerts.bot.said import Answer, Said, read
from alerts.models import BotUpdate
from alerts.transports.port import Undelivered
from alerts.transports.telegram import bot, failures_in_our_words
from alerts.wording import pages

logger = logging.getLogger(__name__)
T = TypeVar("T")

POLL = timedelta(seconds=25)
ASKED_FOR = (Update.MESSAGE, Update.CALLBACK_QUERY)
TRIES, LONGEST_WAIT = 4, timedelta(seconds=10)


async def serve() -> None:
    """Answer until cancelled; whatever Telegram or the database does only makes it wait.

    Raise Undelivered without a token.
    """
    async with bot() as client, asyncio.TaskGroup() as answers:
        answers.create_task(_introduce(client))
        offset: int | None = None
        failures = 0
        while True:
            try:
                offset = await _round(client, offset, answers)
                failures = 0
            except (Undelivered, DatabaseError) as failure:
                failures += 1
                await _wait(failure, failures)


async def _wait(failure: Undelivered | DatabaseError, failures: int) -> None:
    asked_for = failure.retry_after if isinstance(failure, Undelivered) else None
    pause = rules.pause_after(failures, asked_for)
    logger.warning("bot waits", extra={"why": str(failure), "seconds": pause.total_seconds()})
    await asyncio.sleep(pause.total_seconds())


async def _round(client: Bot, offset: int | None, answers: asyncio.TaskGroup) -> int | None:
    """Take what was said since `offset`; return the next one. Answers go out meanwhile.

    Without an offset it goes on behind what was taken last, in this process or another.
    """
    if offset is None:
        offset = await _in_a_thread(_next_offset)
    with failures_in_our_words():
        updates = await client.get_updates(
            offset=offset, timeout=POLL, allowed_updates=list(ASKED_FOR)
        )
    for update in updates:
        said = read(update)
        found = await _in_a_thread(partial(answer, said, now=timezone.now()))
        answers.create_task(_send(client, said, found))
        offset = update.update_id + 1
    return offset


async def _in_a_thread(work: Callable[[], T]) -> T:
    """Await what uses the database, on a connection that lasts no longer."""

    def turn() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.to_thread(turn)


def _next_offset() -> int | None:
    newest: int | None = BotUpdate.objects.aggregate(newest=Max("update_id"))["newest"]
    return None if newest is None else newest + 1


async def _introduce(client: Bot) -> None:
    """Have Telegram offer the commands."""
    try:
        with failures_in_our_words():
            await client.set_my_commands([(name, entry.words) for name, entry in COMMANDS.items()])
    except Undelivered as failure:
        logger.info("commands not offered", extra={"why": failure.sentence})


async def _send(client: Bot, said: Said, found: Answer | None) -> None:
    """Send an answer page by page; what was done is done, whether it can be told or not."""
    try:
        if said.press_id:
            with failures_in_our_words():
                await client.answer_callback_query(said.press_id)
    except Undelivered as failure:
        logger.info("press not answered", extra={"why": failure.sentence})
    if found is None:
        return
    texts = pages(found.lines)
    buttons = [
        [InlineKeyboardButton(button.label, callback_data=button.token)] for button in found.buttons
    ]
    for number, text in enumerate(texts, start=1):
        is_last = number == len(texts)
        keyboard = InlineKeyboardMarkup(buttons) if buttons and is_last else None
        if not await _send_page(client, said.chat_id, text, keyboard):
            return


async def _send_page(
    client: Bot, chat_id: int, text: str, keyboard: InlineKeyboardMarkup | None
) -> bool:
    for attempt in range(1, TRIES + 1):
        try:
            with failures_in_our_words():
                await client.send_message(
                    chat_id=chat_id, text=text, parse_mode=ParseMode.HTML, reply_markup=keyboard
                )
        except Undelivered as failure:
            if failure.is_final or attempt == TRIES:
                logger.warning("answer lost", extra={"why": failure.sentence})
                return False
            wait = min(rules.pause_after(attempt, failure.retry_after), LONGEST_WAIT)
            await asyncio.sleep(wait.total_seconds())
        else:
            return True
    return False
