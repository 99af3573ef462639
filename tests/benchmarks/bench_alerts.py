"""From the commit of a CRITICAL in one process to the chat, with all of Carry running."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from django.db import close_old_connections, connections
from django.utils import timezone

from alerts.models import Channel
from alerts.services.channels import authority_of
from arbsite.accounts.models import User
from tests.alerts.bot_api import TOKEN, BotApi, running_bot_api
from tests.benchmarks.bench_recovery import Result
from tests.machine import RunningCarry
from trading.events import announce
from trading.models import Event

ALERTS = 20


def measure() -> Result:
    """Return seconds of one whole Carry whose chats are a Bot API on loopback."""
    with tempfile.TemporaryDirectory() as folder, running_bot_api() as api:
        token = Path(folder) / "telegram.token"
        token.touch(mode=0o600)
        token.write_text(TOKEN)
        places = {"CARRY_TELEGRAM_TOKEN_FILE": str(token), "CARRY_TELEGRAM_URL": api.url}
        with RunningCarry(Path(folder) / "var", **places) as carry:
            connections["default"].settings_dict["NAME"] = str(carry.var / "carry.sqlite3")
            close_old_connections()
            # Carry answers before all of its workers do: the first one may wait for a start.
            first, *spans = [_told(api, number) for number in range(1 + ALERTS)]
            connections.close_all()
    p50, p99 = np.percentile(spans, [50, 99]).tolist()
    return {
        "critical_alert": {"p50": p50, "p99": p99, "unit": "s", "n": len(spans)},
        "critical_alert_at_a_start": {"p50": first, "p99": first, "unit": "s", "n": 1},
    }


def _told(api: BotApi, number: int) -> float:
    # The same news for one person would be one alert.
    user, sentence = User.objects.create_user(f"bench{number}"), f"measured {number}."
    Channel.objects.create(
        user=user,
        kind="telegram",
        address=str(1000 + number),
        authority=authority_of(user),
        created_at=timezone.now(),
    )
    started = time.monotonic()
    announce(
        user_id=user.pk,
        kind="account.released",
        sentence=sentence,
        severity=Event.Severity.CRITICAL,
        now=timezone.now(),
    )
    if not api.wait_for(lambda: any(sentence in sent["text"] for sent in api.sent), 30):
        raise RuntimeError(f"{sentence!r} did not reach the chat")
    return time.monotonic() - started


if __name__ == "__main__":
    print(measure())
