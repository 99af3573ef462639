"""Which silences are told, of whom and of what, by the answer that asks for them."""

from __future__ import annotations

import asyncio

import pytest

from exchanges.ccxt_adapter.faults import Answer
from exchanges.ccxt_adapter.pace import Asker, Pace
from exchanges.errors import Block
from exchanges.limits.limiter import Limiter
from exchanges.venues import PROFILES

pytestmark = pytest.mark.protocol

TOO_MANY = {"gate": "TOO_MANY_REQUESTS", "binanceusdm": "-1003", "okx": "50011"}


@pytest.mark.parametrize(
    ("venue", "group", "status", "seconds", "told"),
    [
        ("gate", "private", 429, 600, Block(seconds=600, tenant="alice")),
        ("okx", "private", 429, 60, Block(seconds=60, tenant="alice")),
        ("gate", "public", 429, 600, Block(seconds=600, is_of_reads=True)),
        # The address is counted there, whoever asks.
        ("binanceusdm", "fapiPrivate", 429, 600, Block(seconds=600)),
        ("gate", "private", 418, 30, Block(seconds=30)),
        # A ban lasts; what is down or wants a pause is asked again, whatever it names.
        ("gate", "private", 418, 86_400, Block(seconds=86_400)),
        ("gate", "private", 503, 86_400, Block(seconds=600)),
        ("okx", "private", 429, 604_800, Block(seconds=600, tenant="alice")),
        # Down, for all that is asked so.
        ("gate", "private", 503, 600, Block(seconds=600)),
        ("okx", "public", 503, 600, Block(seconds=600, is_of_reads=True)),
        ("gate", "private", 429, 59, None),
        ("gate", "private", 503, 59, None),
        ("gate", "private", 503, None, None),
        ("gate", "private", 400, 600, None),
    ],
)
def test_a_long_silence_is_told_to_those_who_must_be_silent(
    venue: str, group: str, status: int, seconds: float | None, told: Block | None
) -> None:
    pace = Pace(PROFILES[venue], Limiter(), Asker(address="here", key="one", tenant="alice"))
    code = "" if status in (400, 503) else TOO_MANY[venue]
    answer = Answer(status=status, code=code, message="", retry_after=seconds)

    assert asyncio.run(pace.refused(group, answer)) == told
