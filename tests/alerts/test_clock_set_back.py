"""A wall clock that was set back an hour: nobody waits that long to be told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.models import Alert, Channel
from alerts.services.hear import repeat_unacknowledged
from arbsite.accounts.models import User
from tests.alerts.bot_api import BotApi
from tests.alerts.conftest import NOW
from tests.alerts.test_deliver import TELEGRAM, deliver_at, raise_alert

pytestmark = [pytest.mark.db, pytest.mark.django_db]

BACK = NOW - timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def test_what_was_about_to_be_sent_is_sent_at_once(
    owner: User, chat: Channel, bot_api: BotApi
) -> None:
    raise_alert(owner)

    assert deliver_at(TELEGRAM, BACK) == 1
    assert deliver_at(TELEGRAM, BACK) == 0
    assert len(bot_api.sent) == 1


def test_what_failed_then_is_tried_again_and_not_without_a_pause(
    owner: User, chat: Channel, bot_api: BotApi
) -> None:
    raise_alert(owner)
    bot_api.fails(502, times=2)
    assert deliver_at(TELEGRAM) == 0

    assert deliver_at(TELEGRAM, BACK) == 0
    # The second pause is four seconds.
    assert deliver_at(TELEGRAM, BACK + timedelta(seconds=3)) == 0
    assert len(bot_api.sent) == 2
    assert deliver_at(TELEGRAM, BACK + timedelta(seconds=4)) == 1


def test_a_critical_is_repeated_by_the_clock_of_now(owner: User, chat: Channel) -> None:
    alert = raise_alert(owner)
    assert alert.repeat_at is not None
    every = alert.repeat_at - NOW

    assert repeat_unacknowledged(now=BACK) == 1
    assert repeat_unacknowledged(now=BACK + every - MINUTE) == 0
    assert repeat_unacknowledged(now=BACK + every) == 1
    assert Alert.objects.get().repeats == 2
