"""`manage.py bot` says what it lacks instead of asking Telegram without a token."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

pytestmark = pytest.mark.core


def test_without_a_token_the_bot_does_not_start(settings: Settings, tmp_path: Path) -> None:
    settings.CARRY_TELEGRAM_TOKEN_FILE = tmp_path / "telegram.token"

    with pytest.raises(CommandError, match="No bot token"):
        call_command("bot", skip_checks=True)


def test_a_token_that_others_can_read_is_refused(settings: Settings, tmp_path: Path) -> None:
    token = tmp_path / "telegram.token"
    token.touch(mode=0o644)
    token.write_text("1:canary")
    settings.CARRY_TELEGRAM_TOKEN_FILE = token

    with pytest.raises(CommandError, match="chmod 600") as refused:
        call_command("bot", skip_checks=True)
    assert "canary" not in str(refused.value)
