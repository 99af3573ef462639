"""The one socket of a page: who gets what, in which order, and what ends it."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone

from arbsite.accounts.models import User
from tests.consumers.page import Page, session_of
from trading.broadcast import broadcast_user
from trading.models import Event, Position
from trading.services import engine

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


async def test_anonymous_visitors_are_told_so_and_get_nothing(db: None) -> None:
    async with Page("") as page:
        assert page.accepted
        assert await page.closing_code() == 4401


async def test_another_origin_is_refused_at_the_door(owner: User) -> None:
    session = await sync_to_async(session_of)(owner)
    async with Page(session, origin="http://evil.example") as page:
        assert not page.accepted


async def test_a_page_gets_a_snapshot_then_patches_in_sequence(owner: User) -> None:
    session = await sync_to_async(session_of)(owner)
    async with Page(session) as page:
        assert page.accepted
        first, second = await page.next_json(), await page.next_json()

    assert first["snapshot"] is True
    assert [first["seq"], second["seq"]] == [1, 2]
    assert "snapshot" not in second


async def test_panels_come_out_of_band_and_again_only_when_they_changed(owner: User) -> None:
    session = await sync_to_async(session_of)(owner)
    async with Page(session, panels="state,alerts") as page:
        first = await page.next_html()
        assert 'id="state" hx-swap-oob="morph"' in first
        assert 'id="alerts"' in first

        await sync_to_async(Event.objects.create)(
            user=owner, kind="test", sentence="Funding received", created_at=timezone.now()
        )
        await sync_to_async(broadcast_user)(owner.pk, "events")
        changed = await page.next_html()

    assert "Funding received" in changed
    assert 'id="state"' not in changed


async def test_a_stranger_hears_nothing_of_the_owner(owner: User, stranger: User) -> None:
    session = await sync_to_async(session_of)(stranger)
    async with Page(session, panels="alerts") as page:
        await page.next_html()
        await sync_to_async(Event.objects.create)(
            user=owner, kind="test", sentence="Owner's", created_at=timezone.now()
        )
        await sync_to_async(broadcast_user)(owner.pk, "events")
        # The stranger's own change is rendered after the owner's, so it proves the turn was taken.
        await sync_to_async(Event.objects.create)(
            user=stranger, kind="test", sentence="Stranger's", created_at=timezone.now()
        )
        await sync_to_async(broadcast_user)(stranger.pk, "events")
        html = await page.next_html("Stranger&#x27;s")

    assert "Owner" not in html


async def test_commands_over_the_socket_do_nothing(owner: User) -> None:
    await sync_to_async(engine.resume)(user=owner, actor="owner", now=timezone.now())
    session = await sync_to_async(session_of)(owner)
    async with Page(session, panels="state") as page:
        await page.next_html()
        for text in (
            '{"cmd": "OPEN BTC 50K"}',
            '{"pause": true}',
            "nonsense",
            "[]",
            "{",
            '{"tab": 7}',
        ):
            await page.say(text)
        assert (await page.next_json())["seq"] > 1

    assert (await sync_to_async(engine.engine_for)(owner)).state == "running"
    assert await sync_to_async(Position.objects.count)() == 0


async def test_signing_out_ends_the_socket_within_seconds(owner: User) -> None:
    session = await sync_to_async(session_of)(owner)
    async with Page(session) as page:
        await page.next_json()
        client = Client()
        client.cookies["sessionid"] = session
        await sync_to_async(client.logout)()
        assert await page.closing_code() == 4401


async def test_a_disabled_user_loses_the_socket_within_seconds(owner: User) -> None:
    session = await sync_to_async(session_of)(owner)
    async with Page(session) as page:
        await page.next_json()
        owner.is_active = False
        await sync_to_async(owner.save)()
        assert await page.closing_code() == 4401
