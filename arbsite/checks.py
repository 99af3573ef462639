"""What must hold before any process of ours starts; run by every `manage.py` command and worker."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.models import Field

from exchanges.models import Exchange
from exchanges.modes import Mode
from exchanges.sealing import KeyFileRefused, check_key_file

OUR_APPS = ("accounts", "alerts", "exchanges", "trading")


@register(Tags.models)
def no_float_columns(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse columns that would round money."""
    return [
        Error(
            f"{model.__name__}.{field.name} is a float column; use an exact decimal one.",
            id="carry.E001",
        )
        for model in apps.get_models()
        if model._meta.app_label in OUR_APPS
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.get_internal_type() == "FloatField"
    ]


@register(Tags.security)
def usable_key_file(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a damaged or readable key file, and on a server a missing one."""
    # Before the first `manage.py up` a machine has none, and nothing is sealed yet.
    if settings.LOCAL and not Path(settings.CARRY_KEY_FILE).exists():
        return []
    try:
        check_key_file()
    except KeyFileRefused as refusal:
        return [Error(str(refusal), id="carry.E002")]
    return []


@register(Tags.security)
def no_debug_pages_on_a_server(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse DEBUG where others can reach the pages: its error pages show settings."""
    if settings.DEBUG and not settings.LOCAL:
        return [Error("DEBUG is on and CARRY_LOCAL is off; unset DEBUG.", id="carry.E003")]
    return []


@register(Tags.database)
def live_only_on_postgresql(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Refuse enabled live venues on SQLite, which has no row locks and may lose last commits."""
    if not databases or "default" not in databases:
        return []
    connection = connections["default"]
    if connection.vendor != "sqlite" or not _has_exchanges_table():
        return []
    return [
        Error(
            f"{exchange.name} is enabled in live mode, but the database is SQLite.",
            hint="Set DATABASE_URL to PostgreSQL, or disable the venue.",
            id="carry.E004",
        )
        for exchange in Exchange.objects.filter(mode=Mode.LIVE, is_enabled=True)
    ]


def _has_exchanges_table() -> bool:
    return Exchange._meta.db_table in connections["default"].introspection.table_names()
