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
            login = seed_demo(register=_register, now=timezone.now())
        finally:
            registry.close_all()
        if login.password is not None:
            self.stdout.write(f"Sign in as {login.username} with password {login.password}")


def _register(venue: str, api_key: str, secret: str, balances: Mapping[str, object]) -> None:
    """Open an account at the simulated venue through its control port."""
    control = urlsplit(settings.CARRY_SIMULATOR_CONTROL_URL)
    body = {"venue": venue, "api_key": api_key, "api_secret": secret, "balances": balances}
    connection = HTTPConnection(str(control.hostname), control.port, timeout=TIMEOUT_SECONDS)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/accounts", json.dumps(body), headers)
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise CommandError(f"The simulator refused an account: {answer.read().decode()}")
    finally:
        connection.close()
