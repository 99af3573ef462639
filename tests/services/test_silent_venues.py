"""A venue that answers nobody keeps nobody else waiting; the time here is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, cast

import pytest

from arbsite.accounts.models import User
from exchanges.models import AccountPosition, Exchange, ExchangeAccount
from exchanges.ports import Account, Trading
from tests.services.memory_board import board_in_memory
from tests.simulation.timeline import Timeline, TimelineLoop
from tests.web import rows
from trading.models import AccountReview, EquitySnapshot, Event, Reconciliation
from trading.services.equity import snapshot_equity
from trading.services.reconcile import reconcile_accounts, reconcile_due
from trading.services.silence import NO_ANSWER
from trading.services.venues import READ_SECONDS, Venues
from trading.services.watch import watch_positions

pytestmark = [pytest.mark.db, pytest.mark.django_db]

Ask = Callable[..., Any]


class FlatAccount:
    """The ports of an account that holds nothing; those of a silent venue never answer."""

    def __init__(self, city: City, venue: str) -> None:
        self._city, self._venue = city, venue

    def __getattr__(self, question: str) -> Ask:
        async def ask(*_: object, **__: object) -> object:
            self._city.asked.append((self._venue, question, self._city.timeline.seconds))
            if self._venue in self._city.silent:
                await asyncio.Event().wait()
            if self._venue in self._city.failures:
                raise self._city.failures[self._venue]
            return self._city.answers.get(self._venue, [])

        return ask


class City:
    """Some venues, which of them are silent, and what was asked when."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.loop = TimelineLoop(self.timeline)
        self.silent: set[str] = set()
        self.asked: list[tuple[str, str, float]] = []
        self.answers: dict[str, list[Any]] = {}
        self.failures: dict[str, Exception] = {}
        self.venues = Venues(
            trading=lambda account: cast(Trading, FlatAccount(self, account.exchange.code)),
            account=lambda account: cast(Account, FlatAccount(self, account.exchange.code)),
            call=self.call,
            call_all=self.call_all,
            clock=lambda: self.timeline.at,
        )

    def call(self, coroutine: Any, timeout: float) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, timeout))

    def call_all(self, coroutines: Any, timeout: float) -> Any:
        async def gathered() -> list[Any]:
            bounded = [asyncio.wait_for(coroutine, timeout) for coroutine in coroutines]
            return await asyncio.gather(*bounded, return_exceptions=True)

        return self.loop.run_until_complete(gathered()) if coroutines else []

    def seconds_of(self, work: Callable[[], object]) -> float:
        before = self.timeline.seconds
        work()
        return self.timeline.seconds - before

    def reconcile(self) -> int:
        return reconcile_accounts(venues=self.venues, now=self.timeline.at)

    def watch(self) -> int:
        return watch_positions(venues=self.venues, clock=lambda: self.timeline.at)


@pytest.fixture
def city() -> Generator[City]:
    with board_in_memory():
        city = City()
        yield city
        city.loop.close()


@pytest.fixture
def accounts(city: City, db: None) -> list[ExchangeAccount]:
    """Return accounts of four people at Bybit, then theirs at OKX."""
    people = [User.objects.create_user(f"user{n}") for n in range(4)]
    exchanges = [rows.make_exchange("bybit", "BYB", "Bybit"), rows.make_exchange("okx", "OKX", "O")]
    return [
        rows.make_account(user, venue, city.timeline.at) for venue in exchanges for user in people
    ]


def compared() -> set[str]:
    runs = Reconciliation.objects.select_related("account__exchange")
    return {run.account.exchange.code for run in runs if run.compared_at is not None}


def test_accounts_at_a_silent_venue_cost_one_deadline_together(
    city: City, accounts: list[ExchangeAccount]
) -> None:
    city.silent = {"bybit"}

    taken = city.seconds_of(lambda: city.reconcile())

    assert taken == pytest.approx(READ_SECONDS, abs=0.1)
    assert compared() == {"okx"}
    assert AccountReview.objects.filter(reason=NO_ANSWER).count() == 4


def test_once_a_venue_is_known_to_be_silent_all_others_are_done_before_it_is_asked(
    city: City, accounts: list[ExchangeAccount]
) -> None:
    city.silent = {"bybit"}
    city.reconcile()
    city.timeline.advance(3)
    city.reconcile()
    city.asked.clear()
    began = city.timeline.seconds

    city.reconcile()

    assert {second for venue, _, second in city.asked if venue == "okx"} == {began}
    assert [venue for venue, _, _ in city.asked][-4:] == ["bybit"] * 4


def test_a_venue_that_is_back_is_compared_and_waited_for_again(
    city: City, accounts: list[ExchangeAccount]
) -> None:
    city.silent = {"bybit"}
    city.reconcile()
    city.timeline.advance(11)
    city.silent = set()

    assert reconcile_due(venues=city.venues, now=city.timeline.at) == 4

    assert compared() == {"bybit", "okx"}
    assert not AccountReview.objects.exists()


def test_an_account_with_an_answer_nobody_can_read_keeps_no_other_from_being_compared(
    city: City, accounts: list[ExchangeAccount]
) -> None:
    city.answers["bybit"] = [None]

    assert city.reconcile() == 4

    assert compared() == {"okx"}


def test_watching_never_waits_for_a_venue_that_is_known_to_be_silent(city: City) -> None:
    now = city.timeline.at
    user = User.objects.create_user("owner")
    venues = [rows.make_exchange(code, code[:3], code) for code in ("bybit", "okx")]
    long, short = (rows.make_instrument(venue, "BTC", now) for venue in venues)
    for venue in venues:
        rows.make_account(user, venue, now)
    position = rows.make_position(user, long, short, now)
    AccountPosition.objects.all().delete()
    city.silent = {"bybit"}
    city.reconcile()
    city.timeline.advance(3)
    city.reconcile()
    AccountPosition.objects.all().delete()

    # What nobody has read for 20 s is asked for; Bybit would be waited for at each of it.
    taken = city.seconds_of(lambda: city.watch())
    city.timeline.advance(21)
    city.reconcile()
    AccountPosition.objects.all().delete()
    city.asked.clear()
    taken += city.seconds_of(lambda: city.watch())

    assert taken < 0.1
    assert {venue for venue, _, _ in city.asked} == {"okx"}
    blind = Event.objects.get(kind="care.blind.warning")
    assert (blind.position, "bybit and okx" in blind.sentence) == (position, True)


def test_the_equity_of_everybody_else_is_read_while_a_venue_is_silent(
    city: City, accounts: list[ExchangeAccount]
) -> None:
    ExchangeAccount.objects.filter(user__username="user0", exchange__code="okx").delete()
    ExchangeAccount.objects.exclude(user__username="user0").filter(exchange__code="bybit").delete()
    other = User.objects.create_user("also_at_bybit")
    rows.make_account(other, Exchange.objects.get(code="bybit"), city.timeline.at)
    city.silent = {"bybit"}

    taken = city.seconds_of(lambda: snapshot_equity(venues=city.venues, now=city.timeline.at))

    assert taken == pytest.approx(READ_SECONDS, abs=0.1)
    read = EquitySnapshot.objects.values_list("user__username", flat=True)
    assert set(read) == {"user1", "user2", "user3"}
