"""What one task, thread or process changes the others go by: at once in memory, or at the entry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connections
from django.utils import timezone

from arbsite.accounts.models import User
from exchanges.domain import InstrumentKind
from exchanges.models import AccountBalance, ExchangeAccount
from tests.market import NOW, D
from tests.services.scan_market import (
    VENUES,
    Market,
    configure_more,
    list_spot,
    make_market,
    on_the_board,
)
from tests.services.test_scan_rows import rung_entries
from tests.web.rows import make_position
from trading import tasks
from trading.models import CoolDown, DailyStop, LimitUse, Opportunity, Position
from trading.services import engine, evaluate, kill_switch
from trading.services.entry_legs import EntryLeg
from trading.services.evaluate import keep_universe_fresh, shared_universe
from trading.services.plan_entry import plan_entry
from trading.services.scan import ROUND_SECONDS, LiveScan
from trading.strategies.base import EntryTrigger

# Django's in-memory database is shared by threads only where what is written is committed.
pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]

PROMISED_SECONDS = 2.0
PATIENCE_SECONDS = 60.0


@pytest.fixture
def market(owner: User, monkeypatch: pytest.MonkeyPatch) -> Generator[Market]:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    made = make_market(owner)
    rung_entries()
    with on_the_board(made):
        yield made


def pause(market: Market) -> None:
    engine.pause(user=market.user, actor="owner", now=NOW)


def press(market: Market) -> None:
    kill_switch.press(
        user=market.user, actor="owner", reason="enough", closes_positions=False, now=NOW
    )


def switch_off(market: Market) -> None:
    configure_more(market, auto_entry=False)


def ask_for_more(market: Market) -> None:
    configure_more(market, min_spread_base="0.002")


def halt(market: Market) -> None:
    accounts = ExchangeAccount.objects.filter(exchange__code="bybit")
    accounts.update(halted_at=NOW, halted_reason="a mismatch")


def use_up(market: Market) -> None:
    LimitUse.objects.create(user=market.user, scope="user", reserved_cents=25_000_000)


def spend(market: Market) -> None:
    AccountBalance.objects.update(free=D(1), total=D(1), equity=D(1))


def lose(market: Market) -> None:
    DailyStop.objects.create(
        user=market.user, day=NOW.date(), reached_at=NOW, lost=D("0.03"), most=D("0.02")
    )


def cool_down(market: Market) -> None:
    until = NOW + timedelta(minutes=15)
    CoolDown.objects.create(user=market.user, base="BTC", until=until, reason="an entry failed")


def open_one(market: Market) -> None:
    long, short = (market.instrument(venue) for venue in VENUES)
    make_position(market.user, long, short, NOW)


CHANGES: dict[Callable[[Market], None], str] = {
    pause: "The engine is paused",
    press: "The kill switch is pressed, by owner",
    switch_off: "Automatic entry is off.",
    ask_for_more: "The 8 h spread is 0.1000 %",
    halt: "The account at bybit is halted: a mismatch",
    use_up: "Nothing is left of your total limit",
    spend: "1.12 USD, all that the free capital allows",
    lose: "3.0000 % of the capital was lost",
    cool_down: "No entry on BTC until 12:15:00 UTC: an entry failed.",
    open_one: "BTC already has a position",
}


async def publish() -> None:
    """Nothing: the board is shared already."""


async def rung_by_an_update(live: LiveScan) -> list[list[str]]:
    before = asyncio.all_tasks()
    live.changed({"BTC"})
    await asyncio.gather(*(asyncio.all_tasks() - before))
    return rung_entries()


def test_an_update_that_pays_is_rung_and_refused_by_nothing_where_nothing_changed(
    market: Market,
) -> None:
    live = LiveScan(market.board, publish)
    live.market.adopt(live.market.load(NOW))

    ((_, strategy, base, legs, size, _),) = asyncio.run(rung_by_an_update(live))

    judged = evaluate.evaluate(
        user=market.user,
        strategy=strategy,
        base=base,
        legs=EntryLeg.read(legs),  # type: ignore[arg-type]  # as the broker carries them
        size_usd=D(size),
        trigger=EntryTrigger.SCHEDULE,
        now=NOW,
    )
    assert judged.refusals == ()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_stale_standing_rings_and_opens_nothing(
    market: Market, change: Callable[[Market], None]
) -> None:
    live = LiveScan(market.board, publish)
    live.market.adopt(live.market.load(NOW))
    change(market)
    positions = Position.objects.count()

    (args,) = asyncio.run(rung_by_an_update(live))
    said = tasks.enter(*args)

    assert CHANGES[change] in said
    assert Position.objects.count() == positions


def test_why_the_entry_refused_what_the_scan_let_through_is_kept(market: Market) -> None:
    live = LiveScan(market.board, publish)
    live.market.adopt(live.market.load(NOW))
    market.record()
    halt(market)

    (args,) = asyncio.run(rung_by_an_update(live))
    for _ in range(2):
        tasks.enter(*args)

    scanned, refused = Opportunity.objects.order_by("status")
    assert (scanned.status, scanned.reason) == ("candidate", "")
    assert (refused.status, refused.reason_code) == ("passed", "account_halted")
    assert refused.reason == "The account at bybit is halted: a mismatch"
    assert (refused.net_return, refused.legs) == (scanned.net_return, scanned.legs)


def test_only_what_the_scan_saw_lately_of_these_legs_counts_as_taken(market: Market) -> None:
    market.record()
    now = Opportunity.objects.get()
    for column, value in (("seen_at", NOW - timedelta(hours=8)), ("strategy", "cash_and_carry")):
        other = Opportunity.objects.get(pk=now.pk)
        other.pk = None
        setattr(other, column, value)
        other.save(force_insert=True)

    planned = plan_entry(
        user=market.user,
        base="BTC",
        legs=EntryLeg.read(now.legs),
        size_usd=D(5_000),
        opened_by="scheduler",
        is_manual=False,
        idempotency_key=None,
        now=NOW,
    )

    assert isinstance(planned, Position)
    assert [row.pk for row in Opportunity.objects.filter(status="taken")] == [now.pk]
    assert Opportunity.objects.get(pk=now.pk).position == planned


@pytest.mark.parametrize(
    "change", [pause, ask_for_more, halt, lose, open_one], ids=lambda change: change.__name__
)
def test_a_change_is_heeded_two_rounds_later_while_another_task_judges(
    market: Market, change: Callable[[Market], None]
) -> None:
    def write() -> None:
        change(market)
        connections.close_all()

    async def story() -> tuple[int, list[list[str]]]:
        # One thread, so that its connection can be closed at the end.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
        live = LiveScan(market.board, publish)
        running = asyncio.create_task(live.run())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not live.market.users:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(write)
            known, rounds = live.market.users, 0
            while rounds < 2:
                await asyncio.sleep(0.01)
                if live.market.users != known:
                    known, rounds = live.market.users, rounds + 1
            rung = await rung_by_an_update(live)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.to_thread(connections.close_all)
        return rounds, rung

    rounds, rung = asyncio.run(story())

    assert rounds * ROUND_SECONDS <= PROMISED_SECONDS
    assert rung == []
    # The other task judged meanwhile and wrote what it found.
    assert Opportunity.objects.filter(user=market.user, base="BTC").exists()


def test_the_entry_lane_s_universe_is_renewed_within_five_seconds_of_a_listing(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spots(at: datetime) -> int:
        slots = shared_universe(at).by_base["BTC"]
        return sum(slot.kind is InstrumentKind.SPOT for slot in slots)

    assert spots(NOW) == 0
    list_spot("bybit")

    assert spots(NOW + timedelta(seconds=5)) == 0
    assert spots(NOW + timedelta(seconds=5, milliseconds=1)) == 1
    # The thread beside the lane renews it earlier, so that no entry waits for it.
    list_spot("binanceusdm")
    later = NOW + timedelta(seconds=7.6)
    monkeypatch.setattr(timezone, "now", lambda: later)
    keep_universe_fresh()
    assert spots(later) == 2
