"""Tell open pages that something of a user changed; they are then rendered anew.

A hint, sent after commit and best effort: a page that missed it shows the change at its next turn.
"""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

CHANGED = "live.changed"
SECONDS = 2.0


def user_group(user_id: UUID) -> str:
    """Return the name of the group of one user's open pages."""
    return f"u.{user_id}"


def broadcast_user(user_id: UUID, what: str) -> bool:
    """Tell a user's open pages that `what` changed; return False when nobody could be told."""
    try:
        async_to_sync(_send)(user_group(user_id), {"type": CHANGED, "what": what})
    except Exception:
        # A boundary: whatever the channel layer raises, the change itself is already committed.
        logger.warning("broadcast lost", extra={"user_id": str(user_id), "what": what})
        return False
    return True


async def _send(group: str, message: dict[str, str]) -> None:
    async with asyncio.timeout(SECONDS):
        await get_channel_layer().group_send(group, message)
