from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pytest_django import Settings

from exchanges import loop, registry
from exchanges.modes import Mode
from exchanges.registry import AccountKey, ModeRefused, VenueUnknown
from exchanges.venues import PROFILES
from tests.machine import ROOT

pytestmark = pytest.mark.db

NOBODY_LISTENS = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def rehearsal(settings: Settings) -> None:
    settings.CARRY_SIMULATOR_URL = NOBODY_LISTENS


def key(mode: Mode = Mode.REHEARSAL, credential_id: str = "1") -> AccountKey:
    return AccountKey(
        credential_id=credential_id,
        venue="bybit",
        mode=mode,
        api_key="visible-key",
        secret="visible-secret",
    )


def test_live_is_refused_with_a_sentence() -> None:
    with pytest.raises(ModeRefused, match="use rehearsal"):
        registry.trading(key(Mode.LIVE))
    with pytest.raises(ModeRefused, match="use rehearsal"):
        registry.market_data("bybit", Mode.LIVE)


def test_rehearsal_without_a_simulator_is_refused(settings: Settings) -> None:
    settings.CARRY_SIMULATOR_URL = ""

    with pytest.raises(ModeRefused, match="CARRY_SIMULATOR_URL is not set"):
        registry.market_data("binance", Mode.REHEARSAL)


def test_paper_needs_neither_a_simulator_nor_a_key(settings: Settings) -> None:
    settings.CARRY_SIMULATOR_URL = ""

    ports = registry.trading(key(Mode.PAPER)), registry.account(key(Mode.PAPER))

    assert [type(port).__name__ for port in ports] == ["PaperTrading", "PaperReads"]
    assert registry.trading(key(Mode.PAPER)) is ports[0]
    registry.close_all()


def test_a_testnet_account_is_the_venues_own_and_its_market_the_real_one(
    settings: Settings,
) -> None:
    settings.CARRY_SIMULATOR_URL = ""
    practice = PROFILES["bybit"].practice

    ports: list[Any] = [
        registry.trading(key(Mode.TESTNET)),
        registry.account_stream(key(Mode.TESTNET)),
        registry.market_data("bybit", Mode.TESTNET),
        registry.market_stream("bybit", Mode.TESTNET),
    ]

    assert [port._client.practice for port in ports] == [practice, practice, None, None]
    registry.close_all()


def test_unknown_venue_is_named() -> None:
    with pytest.raises(VenueUnknown, match="'mtgox' is not a supported venue: choose binance"):
        registry.market_data("mtgox", Mode.REHEARSAL)


def test_account_key_shows_no_secret() -> None:
    assert "visible" not in repr(key())


def test_one_credential_has_one_client_for_orders_and_reads() -> None:
    first, second = registry.trading(key()), registry.trading(key())
    other = registry.trading(key(credential_id="2"))

    assert first is second
    assert other is not first


def test_asking_the_registry_for_nothing_loads_no_client_library() -> None:
    program = (
        "import sys, exchanges.registry, exchanges.venues, exchanges.loop;"
        "sys.exit('ccxt' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0  # noqa: S603


def test_one_of_four_processes_opens_a_quarter_of_what_one_alone_may() -> None:
    registry.share_with(4)
    try:
        stream: Any = registry.market_stream("bybit", Mode.PAPER)
        budget = stream._client.connections
        # Four fifths of Bybit's 500 in five minutes, for four.
        for _ in range(100):
            assert budget.wait() == 0
            loop.call(budget.take(), 1)

        assert budget.wait() > 290
    finally:
        registry.share_with(1)
