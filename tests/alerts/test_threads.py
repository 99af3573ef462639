"""The threads of the worker, from an event to the chat, in the time that is promised."""

from __future__ import annotations

import time
from collections.abc import Generator
from types import SimpleNamespace

import pytest
from django.utils import timezone

from alerts.models import Channel, Delivery
from alerts.tasks import end_alerts, start_alerts, stop_alerts
from arbsite.accounts.models import User
from tests.alerts.bot_api import BotApi
from tests.machine import wait_until
from trading.events import announce

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

SECONDS = {"critical": 3.0, "warning": 5.0, "info": 5.0}


def worker(*queues: str) -> SimpleNamespace:
    """Return what Celery hands to its signal, for a worker of these queues."""
    consumed = SimpleNamespace(consume_from=dict.fromkeys(queues))
    return SimpleNamespace(app=SimpleNamespace(amqp=SimpleNamespace(queues=consumed)))


@pytest.fixture
def threads(bot_api: BotApi) -> Generator[None]:
    start_alerts(sender=worker("close"))
    start_alerts(sender=worker("poll", "alerts"))
    yield
    stop_alerts()
    end_alerts()


@pytest.mark.usefixtures("threads")
def test_alerts_reach_the_chat_in_time_without_a_broker(
    owner: User, chat: Channel, bot_api: BotApi
) -> None:
    took = {}
    for count, severity in enumerate(SECONDS, start=1):
        started = time.monotonic()
        announce(
            user_id=owner.pk,
            kind="account.released",
            sentence=f"it is {severity}",
            severity=severity,
            now=timezone.now(),
        )
        assert bot_api.wait_for(lambda count=count: len(bot_api.sent) == count)  # type: ignore[misc]
        took[severity] = time.monotonic() - started

    assert {severity for severity in SECONDS if took[severity] > SECONDS[severity]} == set(), took
    noted = Delivery.objects.filter(state="sent")
    wait_until(lambda: noted.count() == 3, timeout=10, what="deliveries noted")
    # Two workers would send twice; one that does not serve the queue starts nothing.
    assert len(bot_api.sent) == 3
