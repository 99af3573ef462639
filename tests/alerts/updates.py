"""What Telegram sends a bot when its person writes or presses a button."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

from tests.alerts.conftest import CHAT

_numbers: Iterator[int] = itertools.count(1000)


def written(text: str, chat: int = CHAT) -> dict[str, Any]:
    """Return the update of a message in a private chat."""
    number = next(_numbers)
    return {
        "update_id": number,
        "message": {
            "message_id": number,
            "date": int(time.time()),
            "chat": {"id": chat, "type": "private", "first_name": "O"},
            "from": {"id": chat, "is_bot": False, "first_name": "O"},
            "text": text,
            "entities": [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}],
        },
    }


def pressed(token: str) -> dict[str, Any]:
    """Return the update of a pressed button."""
    number = next(_numbers)
    carrier = written("/close")["message"]
    sender = {"id": CHAT, "is_bot": False, "first_name": "O"}
    query = {
        "id": "q1",
        "from": sender,
        "message": carrier,
        "chat_instance": "c1",
        "data": token,
    }
    return {"update_id": number, "callback_query": query}
