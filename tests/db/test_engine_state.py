"""Which state an engine is in, since when and by whom, and what each state refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.models import ExchangeAccount
from tests.web.rows import make_account, make_exchange
from trading.models import Engine, EnginePulse
from trading.services import engine, kill_switch
from trading.services.engine import EngineState
from trading.services.halt import halt_account
from trading.services.standing import standing_of

pytestmark = pytest.mark.db

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass
class Desk:
    user: User
    accounts: list[ExchangeAccount]

    def view(self, now: datetime = NOW) -> engine.EngineView:
        return engine.engine_view(self.user, now)

    def reconcile(self, now: datetime = NOW) -> None:
        for account in self.accounts:
            engine.note_reconciled(account.pk, now=now)


@pytest.fixture
def desk(owner: User) -> Desk:
    """A running engine: a worker beats and both accounts were compared since."""
    exchanges = [make_exchange("binanceusdm", "BIN", "Binance"), make_exchange("bybit", "BYB", "B")]
    ready = Desk(user=owner, accounts=[make_account(owner, each, NOW) for each in exchanges])
    engine.resume(user=owner, actor="owner", now=NOW)
    engine.beat(now=NOW)
    ready.reconcile()
    return ready


def test_it_runs_when_nothing_speaks_against_it(desk: Desk) -> None:
    view = desk.view()

    assert (view.state, view.since, view.by) == (EngineState.RUNNING, NOW, "owner")
    assert view.refusal is None


def test_paused_names_who_and_when_and_bars_only_automation(desk: Desk) -> None:
    engine.pause(user=desk.user, actor="teammate", now=NOW)

    view = desk.view()

    assert (view.state, view.since, view.by) == (EngineState.PAUSED, NOW, "teammate")
    standing = standing_of(desk.user, NOW)
    assert standing.refuse_by_hand() is None
    refusal = standing.refuse_entries()
    assert refusal is not None
    assert refusal.sentence == "The engine is paused: resume it to enter."


def test_killed_bars_entries_by_hand_too(desk: Desk) -> None:
    kill_switch.press(user=None, actor="root", reason="drill", closes_positions=False, now=NOW)

    view = desk.view()

    assert (view.state, view.since, view.by) == (EngineState.KILLED, NOW, "root")
    assert view.sentence == "for everyone by root: drill"
    refusal = standing_of(desk.user, NOW).refuse_by_hand()
    assert refusal is not None
    assert refusal.code == "killed"


def test_workers_that_fell_silent_are_an_error_that_bars_everything(desk: Desk) -> None:
    view = desk.view(NOW + 31 * SECOND)

    assert (view.state, view.since) == (EngineState.ERROR, NOW)
    assert view.sentence == "no trade worker has swept since 14:00:00 UTC"
    assert view.refusal is not None
    assert view.bars_hand


def test_when_all_accounts_are_halted_the_newest_reason_is_told(desk: Desk) -> None:
    halt_account(desk.accounts[0], reason="first", now=NOW)
    assert desk.view().state is EngineState.RUNNING

    halt_account(desk.accounts[1], reason="second", now=NOW + SECOND)

    view = desk.view(NOW + SECOND)
    assert (view.state, view.since) == (EngineState.ERROR, NOW + SECOND)
    assert view.sentence == "all accounts are halted, B: second"


def test_no_scan_for_half_a_minute_is_told_but_bars_nothing(desk: Desk) -> None:
    Engine.objects.update(last_scan_at=NOW)
    engine.beat(now=NOW + 20 * SECOND)

    view = desk.view(NOW + 31 * SECOND)

    assert (view.state, view.sentence) == (EngineState.ERROR, "no scan since 14:00:00 UTC")
    assert view.refusal is None


def test_after_a_stand_still_every_account_is_compared_again_before_entries(desk: Desk) -> None:
    woken = NOW + timedelta(minutes=2)
    engine.beat(now=woken)

    view = desk.view(woken)
    assert (view.state, view.since) == (EngineState.RECONCILING, woken)
    assert view.sentence == "comparing Binance, B with our books since the start"
    standing = standing_of(desk.user, woken)
    refusal = standing.refuse_venues(["bybit"])
    assert refusal is not None
    assert refusal.code == "reconciling"

    desk.reconcile(woken)

    assert desk.view(woken).state is EngineState.RUNNING
    assert standing_of(desk.user, woken).refuse_venues(["bybit"]) is None


def test_by_hand_only_the_accounts_not_yet_compared_are_barred(desk: Desk) -> None:
    woken = NOW + timedelta(minutes=2)
    engine.beat(now=woken)
    engine.note_reconciled(desk.accounts[0].pk, now=woken)

    standing = standing_of(desk.user, woken)

    assert standing.refuse_by_hand() is None
    assert standing.refuse_venues(["binanceusdm"]) is None
    assert standing.refuse_venues(["bybit"]) is not None
    assert standing.refuse_entries() is not None


def test_beats_of_several_workers_keep_one_generation(desk: Desk) -> None:
    engine.beat(now=NOW + 5 * SECOND)
    engine.beat(now=NOW + 25 * SECOND)

    pulse = EnginePulse.objects.get()
    assert (pulse.generation_at, pulse.beat_at) == (NOW, NOW + 25 * SECOND)


def test_presses_of_two_people_are_two_and_a_rearm_ends_only_what_was_seen(desk: Desk) -> None:
    def press(actor: str) -> int:
        pressed = kill_switch.press(
            user=desk.user, actor=actor, reason=actor, closes_positions=False, now=NOW
        )
        return pressed.epoch

    first = press("owner")
    assert press("owner") == first
    second = press("root")
    assert second > first

    ended = kill_switch.rearm(user=desk.user, actor="owner", now=NOW, through_epoch=first)

    assert not ended
    still = kill_switch.active_for(desk.user)
    assert still is not None
    assert still.epoch == second
    assert kill_switch.rearm(user=desk.user, actor="owner", now=NOW, through_epoch=second)
    assert kill_switch.active_for(desk.user) is None
    assert press("owner") > second


def test_a_rearm_after_a_press_of_everyone_does_not_end_that(desk: Desk) -> None:
    kill_switch.press(user=desk.user, actor="owner", reason="x", closes_positions=False, now=NOW)
    kill_switch.press(user=None, actor="root", reason="y", closes_positions=True, now=NOW)

    kill_switch.rearm(user=desk.user, actor="owner", now=NOW)

    still = kill_switch.active_for(desk.user)
    assert still is not None
    assert still.user is None
