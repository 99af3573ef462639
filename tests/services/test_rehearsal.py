"""Real money asks for hours of rehearsal with the very same configuration."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from arbsite.accounts.models import AuditEntry, User
from exchanges.models import Exchange
from exchanges.modes import Mode
from tests.market import NOW
from tests.services.scan_market import VALUES, Market, make_market
from tests.services.strategy_desk import StrategyDesk
from tests.services.way_in import set_out
from trading.models import Engine, RehearsedHour
from trading.services import configure, engine
from trading.services.rehearsal import Rehearsal, fingerprint, rehearsal_of, set_hours
from trading.strategies.base import EntryTrigger

pytestmark = pytest.mark.django_db


@pytest.fixture
def market(owner: User) -> Market:
    """A pair that pays, at venues where money is real."""
    market = make_market(owner)
    Exchange.objects.update(mode=Mode.LIVE)
    return market


def rehearse(user: User, hours: Iterable[int]) -> None:
    parameters = configure.current(user).parameters
    RehearsedHour.objects.bulk_create(
        RehearsedHour(
            user=user,
            fingerprint=fingerprint(parameters),
            hour_at=NOW - timedelta(hours=hour),
        )
        for hour in hours
    )


@pytest.mark.parametrize("trigger", [EntryTrigger.SCHEDULE, EntryTrigger.MANUAL])
def test_nothing_trades_live_before_it_was_rehearsed(market: Market, trigger: EntryTrigger) -> None:
    rehearse(market.user, range(7))

    refusal = market.judge(trigger).refusal

    assert refusal is not None
    assert (refusal.code, refusal.sentence) == (
        "not_rehearsed",
        "Live trading needs 24 hours of rehearsal with this very configuration; 7 of them are "
        "done.",
    )


def test_live_trading_opens_with_the_last_hour_that_was_wanted(market: Market) -> None:
    rehearse(market.user, range(24))

    assert market.judge().refusal is None


def test_what_was_rehearsed_with_other_values_or_by_others_does_not_count(
    market: Market, stranger: User
) -> None:
    rehearse(market.user, range(24))
    rehearse(stranger, range(24))
    values = {**VALUES, "hold_horizon": "47"}
    configure.save(user=market.user, values=values, expected_version=1, actor="owner", now=NOW)

    assert market.refusal()[1].endswith("; 0 of them are done.")

    # With the old values back, what was done with them counts again.
    configure.save(user=market.user, values=VALUES, expected_version=2, actor="owner", now=NOW)
    assert market.judge().refusal is None


def test_one_live_leg_is_enough_to_ask_and_none_asks_for_nothing(market: Market) -> None:
    Exchange.objects.filter(code="bybit").update(mode=Mode.REHEARSAL)
    assert market.refusal()[0] == "mixed_modes"

    Exchange.objects.update(mode=Mode.REHEARSAL)
    assert market.judge().refusal is None


def test_staff_says_how_many_hours_are_wanted(market: Market) -> None:
    rehearse(market.user, range(2))

    set_hours(Engine.objects.get(user=market.user), 2, actor="root", now=NOW)

    assert market.judge().refusal is None
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.subject, entry.details) == (
        "rehearsal hours set",
        "owner",
        {"hours": 2},
    )


@pytest.mark.protocol
def test_each_hour_in_which_the_engine_runs_in_rehearsal_counts_once(
    strategy_desk: StrategyDesk,
) -> None:
    desk = strategy_desk
    set_out(desk, "binanceusdm")

    def done() -> Rehearsal:
        return rehearsal_of(desk.user, configure.current(desk.user).parameters)

    assert done() == Rehearsal(done=0, wanted=24)
    desk.read_equity()
    desk.read_equity()
    assert done().done == 1

    desk.world.wait(hours=1)
    desk.read_equity()
    assert done().done == 2

    desk.world.wait(hours=1)
    engine.pause(user=desk.user, actor="trader", now=desk.now)
    desk.read_equity()
    assert done().done == 2

    engine.resume(user=desk.user, actor="trader", now=desk.now)
    Exchange.objects.update(mode=Mode.LIVE)
    desk.read_equity()
    assert done().done == 2
