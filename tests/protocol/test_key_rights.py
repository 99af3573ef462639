"""What a venue says of a key: its rights, account, address, end and position mode."""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exchanges.access import KeyFacts
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue
from exchanges.errors import CredentialRefused, UnexpectedPayload
from exchanges.simulator.accounts import Account
from exchanges.simulator.faces.kraken_futures_account import account_uid
from exchanges.venues import PROFILES
from tests.simulator.nearby import call, client_at
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

VENUES = (
    *("binance", "binanceusdm", "bybit", "okx", "bitget"),
    *("gate", "krakenfutures", "kucoin", "kraken", "deribit"),
)
ONE_WAY_ONLY = ("binance", "kraken", "krakenfutures", "deribit")
# Of a key's end OKX, Bitget, Gate, Kraken Futures, KuCoin and Deribit say nothing.
TELL_THE_END = ("binance", "binanceusdm", "bybit", "kraken")


class Key:
    """One account's key at one venue, which its owner may change at the venue."""

    def __init__(self, world: World, venue: str) -> None:
        self.world, self.venue = world, venue
        self.owner: Account = world.account(venue)
        self.client = client_at(world, venue, Catalogue(PROFILES[venue]))

    def check(self) -> KeyFacts:
        return call(CcxtAccount(self.client).check_key())

    def refusal(self) -> str:
        with pytest.raises(CredentialRefused) as refused:
            self.check()
        return refused.value.detail


@pytest.fixture(params=VENUES)
def key(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Key]:
    made = Key(World(tmp_path, watched=True), request.param)
    yield made
    call(made.client.close())


def test_a_good_key_names_its_account_and_is_bound(key: Key) -> None:
    uid = account_uid(key.owner) if key.venue == "krakenfutures" else "1"

    assert key.check() == KeyFacts(venue_uid=uid, expires_at=None, is_bound_to_address=True)


def test_a_key_that_may_be_used_from_anywhere_is_told_as_such(key: Key) -> None:
    key.owner.is_bound_to_address = False

    assert key.check().is_bound_to_address is False


def test_the_end_of_a_key_is_told_where_the_venue_tells_it(key: Key) -> None:
    ends = key.world.at + timedelta(days=9)
    key.owner.key_expires_at = ends

    told = key.check().expires_at

    assert told == (ends if key.venue in TELL_THE_END else None)


def test_the_right_to_withdraw_is_refused_with_the_steps_to_take_it_away(key: Key) -> None:
    key.owner.may_withdraw = True

    said = key.refusal()

    # Kraken Futures and Deribit have one right for both.
    assert re.match("this key may withdraw( and move money)?: at ", said)
    assert said.endswith("and try again")
    assert "clear " in said or "to No access" in said


def test_the_right_to_move_money_is_refused_where_a_key_can_have_it(key: Key) -> None:
    key.owner.may_transfer = True

    if key.venue == "okx":
        key.check()
    else:
        assert "may move money" in key.refusal() or "and move money" in key.refusal()


def test_an_account_in_hedge_mode_is_refused_with_the_steps_to_leave_it(key: Key) -> None:
    key.owner.is_hedge_mode = True
    if key.venue in ("bybit", *ONE_WAY_ONLY):
        # Bybit tells it by contract: a key without a position passes, and its entry asks again.
        key.check()
    else:
        assert "One-way Mode, and try again" in key.refusal()


@pytest.mark.parametrize("answer", [{}, {"result": {}}, {"code": "0", "data": [{}]}, [], None])
def test_rights_that_are_not_told_are_not_rights_that_are_lacking(key: Key, answer: Any) -> None:
    key.client.exchange = _Answering(answer)

    with pytest.raises(UnexpectedPayload):
        key.check()


class _Answering:
    """A library that gets one answer to everything."""

    id = "venue"

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        async def answered(*_: Any) -> Any:
            return self._answer

        return answered
