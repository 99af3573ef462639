"""Close asked for from many places at once is one close."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection

from arbsite.accounts.models import User
from exchanges.models import Instrument
from tests.web.rows import make_account, make_exchange, make_instrument, make_position
from trading.models import Event, Position
from trading.services.exit import request_exit

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
PLACES = ("web", "web again", "rest", "telegram", "kill", "rules")


def listed(owner: User, code: str) -> Instrument:
    exchange = make_exchange(code, code[:3].upper(), code)
    instrument = make_instrument(exchange, "BTC", NOW)
    make_account(owner, exchange, NOW)
    return instrument


def test_one_of_many_requests_closes_and_the_others_do_nothing() -> None:
    owner = User.objects.create_user("owner")
    long, short = listed(owner, "binanceusdm"), listed(owner, "bybit")
    position = make_position(owner, long, short, NOW)
    together = threading.Barrier(len(PLACES))

    def ask(place: str) -> bool:
        try:
            own = Position.objects.get(pk=position.pk)
            together.wait()
            return request_exit(position=own, reason=place, sentence=place, actor=place, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(PLACES)) as places:
        asked = list(places.map(ask, PLACES))

    assert asked.count(True) == 1
    position.refresh_from_db()
    assert position.close_reason == PLACES[asked.index(True)]
    assert Event.objects.filter(kind="position.exit_requested").count() == 1
