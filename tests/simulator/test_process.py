"""The simulator as a process: control port, crash and restart."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.machine import ROOT, clean_environment
from tests.simulator.process import SimulatorProcess

pytestmark = pytest.mark.protocol

BTC = {"venue": "binanceusdm", "symbol": "BTC/USDT:USDT"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Generator[SimulatorProcess]:
    simulator = SimulatorProcess(tmp_path_factory.mktemp("venues") / "state")
    yield simulator
    simulator.stop()


@pytest.fixture
def running(shared: SimulatorProcess) -> Generator[SimulatorProcess]:
    """One process for all tests here, without what the last one pinned or held."""
    shared.add_account("binance", "owner")
    yield shared
    shared.ask("POST", "/market", release=True, **BTC)
    shared.ask("POST", "/liquidate", api_key="owner", **BTC)


def buy(simulator: SimulatorProcess, quantity: str = "0.1", **more: Any) -> Any:
    return simulator.ask(
        "POST", "/foreign-order", api_key="owner", side="buy", base_quantity=quantity, **BTC, **more
    )


def test_a_kill_and_a_new_start_keep_the_whole_ledger(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = SimulatorProcess(state)
    first.add_account("binance", "owner")
    first.ask("POST", "/market", price="60000", funding_rate="0.0015", **BTC)
    buy(first)
    buy(first, "0.2", price="59000")
    before = first.ledger()

    first.kill()
    second = SimulatorProcess(state)
    after = second.ledger()
    second.stop()

    # What happened stays; only the clock has gone on.
    for part in ("accounts", "orders", "fills", "fees"):
        assert after[part] == before[part]
    assert [row["base_quantity"] for row in after["positions"]] == ["0.1"]
    assert [row["status"] for row in after["orders"]] == ["filled", "open"]


def test_an_end_by_signal_is_clean(tmp_path: Path) -> None:
    assert SimulatorProcess(tmp_path / "state").stop() == 0


def refusal(state: Path, *options: str) -> str:
    """Return what the simulator says when it will not start."""
    command = ["-m", "exchanges.simulator", "--port", "0", "--control-port", "0"]
    refused = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *command, "--state", str(state), *options],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    return refused.stderr


def test_another_market_on_the_same_state_is_refused_with_a_sentence(tmp_path: Path) -> None:
    state = tmp_path / "state"
    SimulatorProcess(state).stop()

    said = refusal(state, "--interval-minutes", "60")

    assert "choose another --state" in said
    assert "Traceback" not in said


def test_a_refused_replay_leaves_a_state_that_can_still_be_begun(tmp_path: Path) -> None:
    state = tmp_path / "state"

    said = refusal(state, "--replay", str(tmp_path), "--replay-start", "2025-07-01T03:00")

    assert "not on an eight-hour settlement" in said
    assert "Traceback" not in said
    assert SimulatorProcess(state).stop() == 0


def test_an_account_is_created_once(running: SimulatorProcess) -> None:
    account = {"venue": "bybit", "api_key": "other", "api_secret": "s", "balances": {"USDT": "5"}}

    first = running.ask("POST", "/accounts", **account)
    again = running.ask("POST", "/accounts", **(account | {"balances": {"USDT": "9"}}))

    assert (first.body["created"], again.body["created"]) == (True, False)
    wallets = [row["wallets"] for row in running.ledger()["accounts"]]
    assert {"unified": {"USDT": "5"}} in wallets


def test_a_binance_account_may_have_different_wallets(running: SimulatorProcess) -> None:
    balances = {"spot": {"BTC": "2"}, "usdm": {"USDT": "70"}}
    running.ask(
        "POST", "/accounts", venue="binance", api_key="two", api_secret="s", balances=balances
    )

    owned = {row["api_key"]: row["wallets"] for row in running.ledger()["accounts"]}
    assert owned["two"] == balances


def test_a_pinned_price_is_what_the_ledger_values_with(running: SimulatorProcess) -> None:
    running.ask("POST", "/market", price="60000", level_quantity="1", **BTC)
    buy(running)
    running.ask("POST", "/market", price="61000", **BTC)

    position = running.ledger()["positions"][0]

    # Bought at 60,000.1: 0.1 x 999.9
    assert (position["mark_price"], position["unrealised_pnl"]) == ("61000", "99.99")


def test_a_released_pin_lets_the_market_move_again(running: SimulatorProcess) -> None:
    running.ask("POST", "/market", price="1000", **BTC)

    released = running.ask("POST", "/market", release=True, **BTC)

    assert released.body["pin"]["price"] is None


def test_a_pin_released_and_frozen_at_once_stands_at_the_markets_own_price(
    running: SimulatorProcess,
) -> None:
    running.ask("POST", "/market", price="1000", **BTC)

    frozen = running.ask("POST", "/market", release=True, freeze=True, **BTC)

    # It began at 64,000 and never falls by a quarter.
    assert Decimal(frozen.body["pin"]["price"]) > 48_000


def test_a_liquidation_on_demand_closes_the_position(running: SimulatorProcess) -> None:
    buy(running)

    done = running.ask("POST", "/liquidate", api_key="owner", **BTC)

    assert done.body["order"]["origin"] == "liquidation"
    assert running.ledger()["positions"] == []


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/market", {"venue": "bybit", "symbol": "NOPE"}, "bybit lists no 'NOPE'"),
        ("/market", {"symbol": "BTCUSDT", "price": "dear"}, "price 'dear' is no number"),
        ("/accounts", {"venue": "nowhere", "api_key": "k"}, "none of binance, bybit"),
        ("/liquidate", {"api_key": "ghost", "symbol": "BTCUSDT"}, "no account has the key"),
        ("/liquidate", {"api_key": "owner", "symbol": "BTCUSDT"}, "owner holds no BTCUSDT"),
        ("/faults", {"action": "explode"}, "explode"),
        ("/foreign-order", {"api_key": "owner", "symbol": "BTCUSDT", "side": "buy"}, "minimum"),
    ],
)
def test_a_control_request_that_cannot_be_done_says_why(
    running: SimulatorProcess, path: str, body: dict[str, Any], sentence: str
) -> None:
    refused = running.ask("POST", path, **body)

    assert refused.status == 400
    assert sentence in refused.body["detail"]
