"""A person with a chat, and a Bot API on loopback."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from alerts.models import Channel
from alerts.services.channels import authority_of
from arbsite.accounts.models import User
from tests.alerts.bot_api import TOKEN, BotApi, running_bot_api

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
CHAT = 1001


@pytest.fixture
def bot_api(settings: Settings, tmp_path: Path) -> Generator[BotApi]:
    """Run a Bot API and have its token configured."""
    token_file = tmp_path / "telegram.token"
    token_file.touch(mode=0o600)
    token_file.write_text(TOKEN)
    settings.CARRY_TELEGRAM_TOKEN_FILE = token_file
    with running_bot_api() as api:
        settings.CARRY_TELEGRAM_URL = api.url
        yield api


@pytest.fixture
def chat(owner: User) -> Channel:
    """The owner's linked chat."""
    return Channel.objects.create(
        user=owner,
        kind="telegram",
        address=str(CHAT),
        authority=authority_of(owner),
        created_at=NOW,
    )


@pytest.fixture
def second(owner: User) -> Channel:
    """The owner's mailbox, for when the chat fails."""
    return Channel.objects.create(
        user=owner,
        kind="email",
        address="owner@example.com",
        is_second=True,
        confirmed_at=NOW,
        created_at=NOW,
    )
