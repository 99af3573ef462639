"""The bot against a Bot API on loopback: outages, duplicates, and a kill without a queue."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Generator

import pytest
from django.utils import timezone

from alerts.bot.loop import serve
from alerts.models import BotUpdate, Channel
from alerts.services.channels import authority_of
from alerts.services.deliver import deliver
from alerts.services.hear import hear
from arbsite.accounts.models import AuditEntry, User
from tests.alerts.bot_api import BotApi
from tests.alerts.conftest import CHAT
from tests.alerts.updates import pressed, written
from tests.broker import broker_away
from tests.machine import wait_until
from tests.web.rows import make_entering
from trading.doorbell import ring_scan
from trading.events import announce
from trading.models import Engine, KillSwitch, Position
from trading.services import engine

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bot(owner: User, bot_api: BotApi) -> Generator[BotApi]:
    """Run the bot on a thread, as its process does, for a linked owner whose engine runs."""
    Channel.objects.create(
        user=owner,
        kind="telegram",
        address=str(CHAT),
        authority=authority_of(owner),
        created_at=timezone.now(),
    )
    engine.beat(now=timezone.now())
    engine.resume(user=owner, actor="owner", now=timezone.now())
    ending, ends = threading.Event(), list[object]()

    async def until_told() -> None:
        serving = asyncio.create_task(serve())
        await asyncio.to_thread(ending.wait)
        serving.cancel()
        [ended] = await asyncio.gather(serving, return_exceptions=True)
        ends.append(ended)

    thread = threading.Thread(target=lambda: asyncio.run(until_told()), daemon=True)
    thread.start()
    yield bot_api
    ending.set()
    thread.join(10)
    assert [type(end) for end in ends] == [asyncio.CancelledError], ends


def texts(api: BotApi) -> list[str]:
    return [message["text"] for message in api.sent]


def test_a_command_is_answered_and_the_list_of_commands_offered(bot: BotApi) -> None:
    bot.gives(written("/pause"))

    assert bot.wait_for(lambda: bool(bot.sent))
    assert texts(bot)[0].startswith("Paused")
    assert bot.sent[0]["chat_id"] == str(CHAT)
    assert any(method == "setMyCommands" for method, _ in bot.asked)


def test_updates_that_telegram_gives_out_again_are_done_once(bot: BotApi, owner: User) -> None:
    bot.gives(written("/pause"))
    assert bot.wait_for(lambda: bool(bot.sent))
    engine.resume(user=owner, actor="owner", now=timezone.now())

    bot.forgets_offsets = True
    bot.gives(written("/help"))
    assert bot.wait_for(lambda: len(bot.sent) == 2)

    assert Engine.objects.get(user=owner).state == "running"
    assert [text.partition(" ")[0] for text in texts(bot)] == ["Paused:", "/status"]
    assert AuditEntry.objects.get(action="telegram refused").details["why"] == "replayed update"


def test_an_outage_makes_the_bot_wait_and_what_was_said_meanwhile_is_done(
    bot_api: BotApi, request: pytest.FixtureRequest, owner: User
) -> None:
    bot_api.fails(502, method="getUpdates")
    bot_api.fails(429, retry_after=1)
    bot_api.gives(written("/pause"))

    bot = request.getfixturevalue("bot")

    # The first question fails and the first answer is to wait: 2 s each.
    assert bot.wait_for(lambda: len(bot.sent) == 2, seconds=30)
    assert len(set(texts(bot))) == 1
    assert Engine.objects.get(user=owner).state == "paused"
    assert BotUpdate.objects.count() == 1


def test_names_and_long_answers_arrive_escaped_and_in_pages(bot: BotApi, owner: User) -> None:
    bot.gives(written("/close <b>&"))

    assert bot.wait_for(lambda: bool(bot.sent))
    assert "&lt;b&gt;&amp;" in texts(bot)[0]


@pytest.fixture
def queue_is_down() -> Generator[None]:
    with broker_away():
        yield


@pytest.mark.usefixtures("queue_is_down")
def test_a_kill_is_carried_out_by_the_bot_itself_while_the_queue_is_down(
    bot: BotApi, owner: User
) -> None:
    position = make_entering(owner, timezone.now())
    assert not ring_scan()

    bot.gives(written("/kill"))
    assert bot.wait_for(lambda: bool(bot.sent), seconds=20)
    assert KillSwitch.objects.get().user == owner
    [[[button]]] = [json.loads(bot.sent[0]["reply_markup"])["inline_keyboard"]]
    bot.gives(pressed(button["callback_data"]))
    assert bot.wait_for(lambda: len(bot.sent) == 2, seconds=20)

    assert KillSwitch.objects.get().closes_positions
    deadline = time.monotonic() + 20
    while Position.objects.get(pk=position.pk).is_live and time.monotonic() < deadline:
        time.sleep(0.1)
    assert Position.objects.get(pk=position.pk).state == "abandoned"
    # The watch of the press looks once more; it must not meet the next test's database.
    wait_until(
        lambda: not any(thread.name == "flatten" for thread in threading.enumerate()),
        timeout=30,
        what="the watch ends",
    )


def test_an_alert_reaches_the_chat_within_two_turns_of_the_threads(
    bot: BotApi, owner: User
) -> None:
    started = time.monotonic()
    announce(user_id=owner.pk, kind="test", sentence="x", severity="critical", now=timezone.now())

    assert hear(now=timezone.now()) == 1
    assert deliver(Channel.Kind.TELEGRAM) == 1

    # The threads turn every half second: a second more, and 3 s are promised.
    assert time.monotonic() - started < 2
    assert texts(bot)[0].startswith("<b>🔴 CRITICAL | Test</b>")
