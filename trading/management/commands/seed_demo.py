"""Set the rehearsal demo up: venues, one user, accounts at the simulator, automation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arbsite.schedules import install_schedules
from exchanges import registry
from trading.services.demo import seed_demo

TIMEOUT_SECONDS = 10


class Command(BaseCommand):
    help = "Create what is missing of the rehearsal demo and print a new login once."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.CARRY_SIMULATOR_CONTROL_URL:
            raise CommandError("CARRY_SIMULATOR_CONTROL_URL is not set: start Carry with `up`.")
        install_schedules()
        try:
            login = seed_demo(register=_register, listed=_listed(), now=timezone.now())
        finally:
            registry.close_all()
        if login.password is not None:
            self.stdout.write(f"Sign in as {login.username} with password {login.password}")


def _listed() -> set[str]:
    """Return the venues that list anything: those of a recording are fewer."""
    listings: list[str] = _control("GET", "/health")["listings"]
    return {venue for venue, _, _ in (listing.partition(":") for listing in listings)}


def _register(
    venue: str,
    api_key: str,
    secret: str,
    balances: Mapping[str, object],
    passphrase: str = "",
) -> None:
    body = {"venue": venue, "api_key": api_key, "api_secret": secret, "balances": balances}
    _control("POST", "/accounts", {**body, "api_passphrase": passphrase})


def _control(method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
    """Ask the simulator's control port. Raise CommandError when it refuses."""
    control = urlsplit(settings.CARRY_SIMULATOR_CONTROL_URL)
    connection = HTTPConnection(str(control.hostname), control.port, timeout=TIMEOUT_SECONDS)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != HTTPStatus.OK:
            raise CommandError(f"The simulator refused {path}: {said.decode()}")
        return json.loads(said)
    finally:
        connection.close()
