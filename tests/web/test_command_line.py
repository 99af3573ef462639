"""The command line: the same commands as on pages, tables and JSON, and how a process ends."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from arbsite.accounts.models import User
from tests.mutants.mutant import ROOT
from tests.web.conftest import Desk
from tests.web.test_ticket import LENIENT
from trading.models import Position
from trading.services import configure, kill_switch

pytestmark = pytest.mark.db

REFUSED = 3


def run(*arguments: str) -> str:
    said = io.StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def refused(*arguments: str) -> str:
    said = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*arguments, stdout=said)
    assert ended.value.code == REFUSED
    return said.getvalue()


def test_the_status_is_told_for_people_and_for_programs(desk: Desk) -> None:
    said = run("status")

    assert "mode: SIMULATION" in said
    assert "engine.state: Paused" in said
    assert "Binance" in said
    assert run_json("status")["money"]["gross_usd"] == "2000"


def test_balances_are_those_the_venues_said(desk: Desk) -> None:
    [first, second] = run_json("balance")

    assert (first["venue"], first["asset"], first["total"]) == ("binanceusdm", "USDT", "100000")
    assert second["venue"] == "bybit"


def test_the_engine_is_paused_and_resumed(desk: Desk) -> None:
    assert run("resume") == "Running.\n"
    assert desk.user.engine.state == "running"
    assert run_json("pause") == {"detail": "Paused: no new entries."}
    desk.user.engine.refresh_from_db()
    assert (desk.user.engine.state, desk.user.engine.changed_by[-9:]) == ("paused", "(command)")


def test_positions_are_listed_and_closed_by_name(desk: Desk) -> None:
    [row] = run_json("positions")
    assert row["id"] == str(desk.position.pk)
    assert "L:binanceusdm S:bybit" in run("positions")

    assert "Say --yes" in refused("close", "BTC")
    assert run("close", desk.position.short_id, "--yes") == "Closing BTC.\n"

    desk.position.refresh_from_db()
    assert desk.position.goal == "flat"
    assert run("close", "all", "--yes") == "BTC is being closed already.\n"
    with pytest.raises(CommandError, match="'DOGE' names no live position: BTC ") as wrong:
        run("close", "DOGE", "--yes")
    assert wrong.value.returncode == 2


def test_an_entry_is_quoted_first_and_opened_on_a_yes(desk: Desk) -> None:
    configure.save(user=desk.user, values=LENIENT, expected_version=0, actor="owner", now=desk.now)
    wish = ("open", "ETH", "2k", "--long", "binanceusdm", "--short", "bybit")

    assert "Not opened: say --yes." in refused(*wish)
    assert not Position.objects.filter(base="ETH").exists()
    assert "Opening ETH" in run(*wish, "--yes", "--key", "one")

    opened = Position.objects.get(base="ETH")
    assert opened.size_usd == 2000
    assert "already" in refused(*wish, "--yes")
    with pytest.raises(CommandError, match="'kraken': you have no account"):
        run("open", "ETH", "2k", "--long", "kraken", "--short", "bybit")


def test_only_what_was_seen_pressed_is_re_armed(desk: Desk) -> None:
    assert run("rearm") == "No switch is pressed.\n"
    pressed = kill_switch.press(
        user=desk.user, actor="owner", reason="drill", closes_positions=False, now=desk.now
    )

    assert f"To re-arm: --epoch {pressed.epoch}" in refused("rearm")
    assert "Pressed by owner" in refused("rearm", "--epoch", "0")
    assert run("rearm", "--epoch", str(pressed.epoch)).startswith("Re-armed")
    assert kill_switch.active_for(desk.user) is None


def test_rates_are_listed_largest_first(desk: Desk) -> None:
    told = run_json("rates", "--top", "3")

    assert [row["venue"] for row in told] == ["bybit", "bybit", "binanceusdm"]
    assert len(run("rates", "--base", "eth").splitlines()) == 3


def test_a_report_adds_up(desk: Desk) -> None:
    told = run_json("report", "--days", "7")

    # Funding 3.00, fees 1.00 and a cent on ten units of two legs.
    assert told["open"] == {
        "positions": 1,
        "total_usd": "1.80",
        "funding_usd": "3.00",
        "price_usd": "-0.20",
        "fees_usd": "1.00",
        "borrow_usd": "0.00",
    }
    assert told["closed"]["positions"] == 0


def test_an_export_is_written_to_a_file(desk: Desk, tmp_path: Path) -> None:
    target = tmp_path / "trades.csv"

    assert run("export", "trades", "--output", str(target)) == f"2 rows in {target}.\n"

    rows = csv.DictReader(target.read_text().splitlines())
    assert {row["price"] for row in rows} == {"100.01", "99.99"}
    with pytest.raises(CommandError, match="No such file or directory"):
        run("export", "trades", "--output", str(tmp_path / "nowhere" / "x.csv"))


def test_among_several_users_one_must_be_named(desk: Desk, stranger: User) -> None:
    with pytest.raises(CommandError, match="Say whose book with --user; known: owner, stranger"):
        run("status")
    with pytest.raises(CommandError, match="There is no user 'nobody'"):
        run("status", "--user", "nobody")
    assert run_json("positions", "--user", "stranger") == []


def test_an_unknown_venue_is_named(desk: Desk) -> None:
    with pytest.raises(CommandError, match="There is no venue 'mtgox'; known: "):
        run("probe_venue", "mtgox")


def test_the_script_takes_names_with_dashes() -> None:
    answer = subprocess.run(  # noqa: S603 - our own script
        [str(ROOT / "carry"), "probe-venue", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Ask a venue for its clock" in answer.stdout
