"""Who may open the socket: pages of this site, and no others."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from arbsite.accounts.models import User
from tests.consumers.page import Page, session_of

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True), pytest.mark.asyncio]


@pytest.mark.parametrize(
    "origin",
    ["null", "", "http://localhost.evil.example", "http://evil-localhost", "file://"],
)
async def test_an_origin_that_is_not_ours_is_refused_at_the_door(owner: User, origin: str) -> None:
    session = await sync_to_async(session_of)(owner)
    async with Page(session, origin=origin) as page:
        assert not page.accepted
