from __future__ import annotations

from pathlib import Path

import pytest
from django.core.checks import CheckMessage, Tags, run_checks
from django.db import connection
from pytest_django import Settings

from exchanges.models import Exchange
from exchanges.modes import Mode

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def findings(code: str) -> list[CheckMessage]:
    found = run_checks(tags=[Tags.security, Tags.database], databases=["default"])
    return [message for message in found if message.id == f"carry.{code}"]


def test_an_enabled_live_venue_needs_postgresql() -> None:
    live = Exchange.objects.create(code="bybit", name="Bybit", short_code="BYB", mode=Mode.LIVE)

    expected = 1 if connection.vendor == "sqlite" else 0
    assert len(findings("E004")) == expected

    live.is_enabled = False
    live.save()
    assert findings("E004") == []


def test_a_damaged_key_file_forbids_every_process(settings: Settings, tmp_path: Path) -> None:
    key = tmp_path / "carry.key"
    key.write_text("not a key")
    key.chmod(0o600)
    settings.CARRY_KEY_FILE = key

    [finding] = findings("E002")

    assert "damaged or not a Carry key file" in finding.msg


def test_a_key_file_may_be_missing_on_one_machine_but_not_on_a_server(
    settings: Settings, tmp_path: Path
) -> None:
    settings.CARRY_KEY_FILE = tmp_path / "none.key"

    settings.LOCAL = True
    assert findings("E002") == []
    settings.LOCAL = False
    assert len(findings("E002")) == 1


def test_debug_pages_are_refused_on_a_server(settings: Settings) -> None:
    settings.DEBUG, settings.LOCAL = True, False

    assert len(findings("E003")) == 1
