"""`manage.py bot`: the Telegram bot, asking for commands and answering them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alerts.bot.loop import serve
from alerts.transports.secret_file import SecretFileRefused, read_secret
from exchanges import loop, registry


class Command(BaseCommand):
    help = "Take commands from linked Telegram chats; needs the database and a bot token."

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until told to end; a kill may have been driven here, so venues are closed last."""
        try:
            read_secret(settings.CARRY_TELEGRAM_TOKEN_FILE)
        except SecretFileRefused as refusal:
            raise CommandError(f"No bot token: {refusal}") from None
        try:
            asyncio.run(_until_ended())
        finally:
            registry.close_all()
            loop.close()


async def _until_ended() -> None:
    serving = asyncio.create_task(serve())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
