"""The events for programs: in order, each once, from where a reader stopped."""

from __future__ import annotations

import ast
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import yaml
from asgiref.sync import sync_to_async
from django.utils import timezone
from jsonschema_rs import validator_for

from arbsite.accounts.models import ApiToken, User
from arbsite.accounts.tokens import make_token
from tests.consumers.listener import Listener
from tests.consumers.page import session_of
from tests.mutants.mutant import ROOT
from tests.web.conftest import Desk, desk, own_board, redis_server
from trading import desk as commands
from trading.events import announce
from trading.models import Event, StreamEntry, Trade
from trading.services.number_events import number_events

__all__ = ["desk", "own_board", "redis_server"]

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

ASYNCAPI = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text())


def token_of(user: User) -> str:
    lasts = timedelta(days=1)
    return make_token(user=user, name="bot", scope="read", lasts=lasts, now=timezone.now())[1]


def tell(user: User, sentence: str, **facts: Any) -> Event:
    return announce(user_id=user.pk, kind="test", sentence=sentence, now=timezone.now(), **facts)


def check(message: dict[str, Any]) -> None:
    """Hold a message against its description."""
    payload = ASYNCAPI["components"]["messages"][message["type"]]["payload"]
    validator_for({**payload, "components": ASYNCAPI["components"]}).validate(message)


@pytest.mark.asyncio
async def test_a_reader_gets_a_snapshot_and_then_what_happens_in_order(desk: Desk) -> None:
    token = await sync_to_async(token_of)(desk.user)
    async with Listener(token) as reader:
        first = await reader.next()
        await sync_to_async(commands.resume)(desk.user, actor="owner", now=timezone.now())
        await sync_to_async(commands.close)(desk.position, actor="owner", now=timezone.now())
        told = [await reader.next() for _ in range(2)]
        rate = await reader.next_rate()

    assert reader.protocol == "carry.v1"
    assert first["type"] == "SNAPSHOT"
    assert first["data"]["positions"][0]["position_id"] == str(desk.position.pk)
    assert first["data"]["oldest"] == 1
    assert [message["type"] for message in told] == ["ENGINE_STATUS", "POSITION_UPDATE"]
    assert [message["seq"] for message in told] == [first["seq"] + 1, first["seq"] + 2]
    assert told[0]["data"]["status"] == "Running"
    assert told[1]["data"]["goal"] == "flat"
    assert rate["seq"] is None
    for message in (first, *told, rate):
        check(message)


@pytest.mark.asyncio
async def test_over_breaks_nothing_is_lost_and_nothing_doubled(desk: Desk) -> None:
    token = await sync_to_async(token_of)(desk.user)
    async with Listener(token) as reader:
        seen = [(await reader.next())["seq"]]
    for turn in range(3):
        for each in range(3):
            severity = Event.Severity.WARNING
            await sync_to_async(tell)(desk.user, f"{turn} {each}", severity=severity)
        async with Listener(token, after=seen[-1]) as reader:
            assert (await reader.next())["type"] == "SNAPSHOT"
            for _ in range(2 if turn < 2 else 5):
                message = await reader.next()
                check(message)
                seen.append(message["seq"])

    assert seen == list(range(seen[0], seen[0] + 10))


def test_what_happens_after_the_clock_was_set_back_is_numbered_at_once(owner: User) -> None:
    now = timezone.now()
    first = number_events(owner, now=now)
    back = now - timedelta(hours=1)
    announce(user_id=owner.pk, kind="test", sentence="an hour before the last", now=back)

    assert number_events(owner, now=back) == first + 1
    assert number_events(owner, now=back + timedelta(seconds=1)) == first + 1


def test_what_is_committed_late_gets_a_later_number(owner: User) -> None:
    now = timezone.now()
    first = number_events(owner, now=now)
    tell(owner, "second by its id, first committed")
    assert number_events(owner, now=now) == first + 1
    # A row with an older time and a smaller id shows only now.
    late = tell(owner, "late")
    Event.objects.filter(pk=late.pk).update(created_at=now - timedelta(minutes=5))

    assert number_events(owner, now=now + timedelta(seconds=1)) == first + 2
    assert number_events(owner, now=now + timedelta(seconds=2)) == first + 2
    newest = StreamEntry.objects.for_user(owner).last()
    assert newest is not None
    assert newest.event == late


def test_one_event_becomes_each_message_that_it_means(desk: Desk) -> None:
    before = number_events(desk.user, now=timezone.now())
    tell(desk.user, "held", severity=Event.Severity.CRITICAL, position=desk.position)

    number_events(desk.user, now=timezone.now())

    entries = StreamEntry.objects.for_user(desk.user).filter(sequence__gt=before)
    assert [entry.kind for entry in entries] == ["ALERT", "POSITION_UPDATE"]


@pytest.mark.asyncio
async def test_fills_are_told_as_they_were_booked(desk: Desk) -> None:
    token = await sync_to_async(token_of)(desk.user)
    async with Listener(token) as reader:
        await reader.next()
        await sync_to_async(book_again)(desk)
        told = await reader.next()

    check(told)
    assert (told["type"], told["data"]["exchange"]) == ("TRADE_EXECUTED", "binanceusdm")
    assert (told["data"]["price"], told["data"]["fee"]) == ("100.01", "0.5")


def book_again(desk: Desk) -> None:
    fill = Trade.objects.filter(leg__side="LONG").values().first()
    assert fill is not None
    again = {"id": uuid4(), "venue_trade_id": "fill-9", "booked_at": timezone.now()}
    Trade.objects.create(**fill | again)


@pytest.mark.asyncio
async def test_a_stranger_hears_nothing_of_the_owner(desk: Desk, stranger: User) -> None:
    token = await sync_to_async(token_of)(stranger)
    async with Listener(token, after=0) as reader:
        first = await reader.next()
        await sync_to_async(tell)(desk.user, "Owner's.", severity=Event.Severity.CRITICAL)
        await sync_to_async(tell)(stranger, "Stranger's.", severity=Event.Severity.CRITICAL)
        told = await reader.next()

    assert first["data"]["positions"] == []
    assert told["data"]["message"] == "Stranger's."


@pytest.mark.asyncio
async def test_only_tokens_and_our_own_pages_are_let_in(owner: User) -> None:
    session = await sync_to_async(session_of)(owner)
    async with Listener("0" * 64) as unknown:
        assert await unknown.closing_code() == 4401
    async with Listener(session=session, origin="http://localhost") as own:
        assert (await own.next())["type"] == "SNAPSHOT"
    async with Listener(session=session, origin="http://evil.example") as foreign:
        assert not foreign.accepted
    async with Listener(origin="http://localhost") as nobody:
        assert await nobody.closing_code() == 4401


@pytest.mark.asyncio
@pytest.mark.parametrize("after", ["seven", "-1", "9" * 30])
async def test_a_number_that_is_none_is_refused(owner: User, after: str) -> None:
    token = await sync_to_async(token_of)(owner)
    async with Listener(token, after=after) as reader:
        assert await reader.closing_code() == 4400


@pytest.mark.asyncio
async def test_a_revoked_token_ends_its_socket(owner: User) -> None:
    token = await sync_to_async(token_of)(owner)
    async with Listener(token) as reader:
        await reader.next()
        await sync_to_async(ApiToken.objects.all().delete)()
        assert await reader.closing_code() == 4401


def test_the_example_is_short_and_can_be_read() -> None:
    text = (ROOT / "docs/event_client.py").read_text()

    ast.parse(text)
    assert len([line for line in text.splitlines() if line.strip()]) <= 40
