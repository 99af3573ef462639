"""The runner of the cards on testnets, at the simulator that stands for their venues."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from exchanges.ccxt_adapter.library import Credential
from exchanges.venues import PROFILES
from tests.conformance.cards import SUBJECTS
from tests.conformance.testnet import FAILED, PASSED, REFUSED, credential_of, play
from tests.conformance.testnet_cards import PLAYED
from tests.protocol.conftest import Desk, OpenDesk, Simulator, run

pytestmark = pytest.mark.protocol

PRACTISED = [
    one.name
    for one in SUBJECTS
    if PROFILES[one.venue].practice is not None and not one.is_paper and one.is_contract
]
FLAT = "flat: no order and no position is left"


class Desktop:
    """A person with a key of the testnet before a terminal."""

    def __init__(self, simulator: Simulator, desk: Desk) -> None:
        self.simulator, self.desk = simulator, desk
        self.said: list[str] = []

    def play(self, market: str, **options: Any) -> int:
        key = self.desk.key
        credential = Credential(
            name="testnet", api_key=key.api_key, secret=key.secret, passphrase=key.passphrase
        )
        return asyncio.run(
            play(
                market,
                credential,
                venues_url=self.simulator.url,
                say=self.said.append,
                **options,
            )
        )


@pytest.mark.parametrize("market", [*PRACTISED, "okx spot"])
def test_all_cards_pass_and_nothing_is_left(
    simulator: Simulator, open_desk: OpenDesk, market: str
) -> None:
    desktop = Desktop(simulator, open_desk(market.split()[0], practices=True))

    result = desktop.play(market, most=Decimal(1000))

    assert (result, desktop.said[-1]) == (PASSED, FLAT), "\n".join(desktop.said)
    assert len(desktop.said) == len(PLAYED) + 1
    secrets = (desktop.desk.key.api_key, desktop.desk.key.secret)
    assert not any(secret in line for secret in secrets for line in desktop.said)


def test_a_card_that_fails_is_told_and_what_it_left_is_closed(
    undisturbed: Simulator, open_desk: OpenDesk
) -> None:
    desktop = Desktop(undisturbed, open_desk("bybit", practices=True))
    # What was sold is neither read as a fill nor closed at the first attempt.
    undisturbed.disturb("server_error", path="/v5/execution/list", venue="bybit", count=None)
    undisturbed.disturb("reject", contains='"reduceOnly":true', venue="bybit", nth=2, count=1)

    assert desktop.play("bybit", most=Decimal(1000)) == FAILED

    failed = [line for line in desktop.said if "FAILED" in line]
    # Payments are read from the same list.
    assert [line[:3] for line in failed] == ["C18", "C16"], "\n".join(failed)
    assert desktop.said[-1] == FLAT
    assert run(desktop.desk.account.positions()) == []
    assert run(desktop.desk.trading.open_orders()) == []


@pytest.mark.parametrize(
    ("market", "words"),
    [
        ("kucoin", "KuCoin has no accounts for practice"),
        ("kraken", "Kraken has no accounts for practice"),
        ("paper", "a paper account has no venue to ask"),
        ("nowhere", "'nowhere' is no column of docs/VENUES.md"),
    ],
)
def test_what_has_no_testnet_is_never_asked(
    simulator: Simulator, open_desk: OpenDesk, market: str, words: str
) -> None:
    desktop = Desktop(simulator, open_desk("kucoin"))
    last_seen = simulator.last_request()

    assert desktop.play(market) == REFUSED

    assert desktop.said == [f"refused: {words}"]
    assert simulator.requests_after(last_seen) == []


def test_a_market_that_is_not_flat_and_an_order_worth_too_much_are_refused_unsent(
    simulator: Simulator, open_desk: OpenDesk
) -> None:
    desktop = Desktop(simulator, open_desk("bybit", practices=True))

    assert desktop.play("bybit", most=Decimal(5)) == REFUSED
    run(desktop.desk.trading.submit(desktop.desk.order("0.01")))
    assert desktop.play("bybit", most=Decimal(1000)) == REFUSED

    too_much, not_flat = desktop.said
    assert "the most is 5" in too_much
    assert not_flat == "refused: BTC/USDT:USDT is not flat: 0.01 BTC"


def test_a_key_is_taken_from_the_environment_alone_and_what_is_missing_is_named() -> None:
    told = {"CARRY_TESTNET_KEY": "key", "CARRY_TESTNET_SECRET": "secret"}

    assert credential_of(told).passphrase == ""
    with pytest.raises(KeyError, match="CARRY_TESTNET_SECRET"):
        credential_of({"CARRY_TESTNET_KEY": "key"})
