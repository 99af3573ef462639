"""A venue's breaker: opened by five failures in a row, closed by a probe, in nobody else's way."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from arbsite.accounts.models import User
from exchanges.errors import Bar, Block, VenueUnavailable
from exchanges.models import Exchange, VenueHealth
from exchanges.modes import Mode
from exchanges.outcomes import Asked, Outcome, Outcomes, about_orders
from tests.services.test_submit import ScriptedVenue, intend, position, report, send
from tests.web.rows import make_account, make_exchange, make_instrument, make_position
from trading.core.states import OrderState, Purpose
from trading.models import Event, Position
from trading.services.breaker import probe_venues, settle_health
from trading.services.contact import Contact
from trading.services.standing import standing_of
from trading.services.venues import Venues
from trading.services.view import load

__all__ = ["position"]
pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
T = TypeVar("T")
LATE = "the venue did not answer in time"
SHUT = (
    "Bybit failed 5 times in a row, the last time because the venue did not answer in time: since "
    "14:00:00 UTC nothing is opened there, until a probe succeeds; closing and look-ups go on."
)


def settle(*symptoms: str, venue: str = "bybit", now: datetime = NOW) -> int:
    """Let one process write what its calls saw: a symptom, or empty for a proper answer."""
    outcomes = Outcomes()
    for symptom in symptoms:
        outcomes.note(Outcome(venue=venue, mode=Mode.REHEARSAL, symptom=symptom))
    return settle_health(outcomes=outcomes, now=now)


def state() -> str:
    return VenueHealth.objects.get(exchange__code="bybit").state


def told(user: User) -> list[tuple[str, str]]:
    rows = Event.objects.filter(user=user).order_by("created_at", "pk")
    return [(row.kind, row.sentence) for row in rows if row.kind.startswith(("breaker", "venue"))]


@pytest.fixture
def bybit(owner: User) -> Exchange:
    exchange = make_exchange("bybit", "BYB", "Bybit")
    make_account(owner, exchange, NOW)
    return exchange


def test_the_fifth_failure_in_a_row_opens_it_and_not_the_fourth(bybit: Exchange) -> None:
    assert settle(*[LATE] * 4) == 0
    assert state() == "closed"

    assert settle(LATE) == 1
    assert state() == "open"


def test_a_proper_answer_begins_the_count_anew(bybit: Exchange) -> None:
    settle(*[LATE] * 4, "", *[LATE] * 4)

    assert state() == "closed"
    assert settle(LATE) == 1


def settle_orders(*symptoms: str, now: datetime = NOW) -> int:
    """Let each order be followed by a read that is answered."""
    outcomes = Outcomes()
    for symptom in symptoms:
        with about_orders():
            outcomes.note(Outcome(venue="bybit", mode=Mode.REHEARSAL, symptom=symptom))
        outcomes.note(Outcome(venue="bybit", mode=Mode.REHEARSAL))
    return settle_health(outcomes=outcomes, now=now)


def test_five_orders_in_a_row_open_it_though_every_read_between_is_answered(
    bybit: Exchange, owner: User
) -> None:
    assert (settle_orders(*[LATE] * 4), state()) == (0, "closed")

    assert (settle_orders(LATE), state()) == (1, "open")

    assert told(owner) == [
        (
            "breaker.opened",
            "Bybit failed 5 times in a row, the last time because orders fail, reads do not: "
            "the venue did not answer in time: since 14:00:00 UTC nothing is "
            "opened there, until an order there is answered; closing and look-ups go on.",
        )
    ]


def test_an_order_that_is_answered_begins_their_count_anew(bybit: Exchange) -> None:
    settle_orders(*[LATE] * 4, "", *[LATE] * 4)

    assert state() == "closed"


def test_cancels_that_are_answered_begin_no_count_of_orders_anew(bybit: Exchange) -> None:
    """A venue that only lets one cancel takes no order."""
    outcomes = Outcomes()
    for _ in range(5):
        outcomes.note(Outcome(venue="bybit", mode=Mode.REHEARSAL, symptom=LATE, asked=Asked.ORDER))
        outcomes.note(Outcome(venue="bybit", mode=Mode.REHEARSAL, asked=Asked.CANCEL))

    assert settle_health(outcomes=outcomes, now=NOW) == 1


def test_reads_and_orders_that_fail_together_are_one_row_of_five(bybit: Exchange) -> None:
    outcomes = Outcomes()
    for asked in (Asked.READ, Asked.ORDER, Asked.READ, Asked.CANCEL, Asked.READ):
        outcomes.note(Outcome(venue="bybit", mode=Mode.REHEARSAL, symptom=LATE, asked=asked))

    assert settle_health(outcomes=outcomes, now=NOW) == 1


def test_processes_count_together_and_open_it_once(bybit: Exchange) -> None:
    assert [settle(LATE, LATE), settle(LATE, LATE), settle(LATE, LATE), settle(LATE)] == [
        0,
        0,
        1,
        0,
    ]
    assert VenueHealth.objects.get().failures == 5


def test_a_venue_is_judged_by_its_own_calls_in_its_own_mode(bybit: Exchange) -> None:
    make_exchange("binance", "BIN", "Binance")

    settle(*[LATE] * 9, venue="binance")
    settle(LATE)

    assert {row.exchange.code: row.state for row in VenueHealth.objects.all()} == {
        "binance": "open",
        "bybit": "closed",
    }


def test_what_nobody_lists_is_passed_over() -> None:
    assert settle(*[LATE] * 9) == 0
    assert not VenueHealth.objects.exists()


def test_everyone_with_an_account_there_hears_of_it_once_and_nobody_else(
    bybit: Exchange, owner: User, teammate: User, stranger: User
) -> None:
    make_account(teammate, bybit, NOW)

    settle(*[LATE] * 5)
    settle(*[LATE] * 5)

    assert told(owner) == told(teammate) == [("breaker.opened", SHUT)]
    assert told(stranger) == []


class Probed:
    """Venues that are asked one thing; `answers` are raised or returned in turn."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked = 0

        def unused(*_: object, **__: object) -> Any:
            raise AssertionError("a probe is one public read")

        self.venues = Venues(
            trading=unused, account=unused, call=unused, call_all=self._all, probe=self._probe
        )

    async def _probe(self, exchange: Exchange) -> object:
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _all(
        self, coroutines: Sequence[Coroutine[Any, Any, T]], timeout: float
    ) -> list[T | BaseException]:
        async def gathered() -> list[T | BaseException]:
            return await asyncio.gather(*coroutines, return_exceptions=True)

        return asyncio.run(gathered())

    def at(self, seconds: int) -> int:
        return probe_venues(venues=self.venues, clock=lambda: NOW + timedelta(seconds=seconds))


def test_a_probe_that_is_answered_closes_it_and_tells_so(bybit: Exchange, owner: User) -> None:
    settle(*[LATE] * 5)
    probed = Probed(NOW)

    assert [probed.at(9), probed.at(10), probed.at(30)] == [0, 1, 0]

    assert probed.asked == 1
    assert state() == "closed"
    assert told(owner)[-1] == (
        "breaker.closed",
        "Bybit answers again after 10 s: entries there are possible.",
    )
    # The next count begins at nothing.
    assert settle(*[LATE] * 4) == 0


def test_a_probe_that_fails_leaves_it_open_for_the_next_one(bybit: Exchange, owner: User) -> None:
    settle(*[LATE] * 5)
    probed = Probed(VenueUnavailable("down"), VenueUnavailable("down"), NOW)

    assert [probed.at(10), probed.at(19), probed.at(20), probed.at(30)] == [0, 0, 0, 1]

    assert probed.asked == 3
    assert [kind for kind, _ in told(owner)] == ["breaker.opened", "breaker.closed"]


def test_a_clock_that_was_set_back_an_hour_keeps_no_venue_shut_for_that_hour(
    bybit: Exchange,
) -> None:
    settle(*[LATE] * 5)

    assert [Probed(NOW).at(-1), Probed(NOW).at(-3600)] == [0, 1]

    assert state() == "closed"


def test_while_one_worker_probes_no_other_does_and_if_it_dies_the_next_one_will(
    bybit: Exchange,
) -> None:
    settle(*[LATE] * 5)
    # It claimed the probe and was never heard of again.
    VenueHealth.objects.update(state="probing", probe_at=NOW + timedelta(seconds=20))
    probed = Probed(NOW)

    assert [probed.at(10), probed.at(20)] == [0, 1]


def test_answers_and_failures_of_others_meanwhile_neither_close_it_nor_count(
    bybit: Exchange, owner: User
) -> None:
    settle(*[LATE] * 5)

    settle("", LATE, "", *[LATE] * 7)

    assert state() == "open"
    assert VenueHealth.objects.get().failures == 5
    assert len(told(owner)) == 1


def test_an_open_breaker_licenses_no_order_that_opens_and_every_other_one(
    position: Position,
) -> None:
    send(intend(position), position, ScriptedVenue(report()))
    settle(*[LATE] * 5)
    venue = ScriptedVenue(report())
    orders = {purpose: intend(position, purpose) for purpose in Purpose}

    states = {purpose: send(order, position, venue) for purpose, order in orders.items()}

    assert states == {
        Purpose.OPEN: OrderState.PLANNED,
        Purpose.HEDGE: OrderState.FILLED,
        Purpose.REDUCE: OrderState.FILLED,
    }
    assert len(venue.sent) == 2


def test_a_position_sees_why_nothing_may_be_opened_for_it(position: Position) -> None:
    def barred() -> str:
        return load(position, contact=Contact(), now=NOW).view.barred

    assert barred() == ""
    settle(*[LATE] * 5)
    assert barred() == "the breaker of Bybit is open"
    Probed(NOW).at(10)
    assert barred() == ""


def test_the_gate_of_venues_says_the_sentence(bybit: Exchange, owner: User) -> None:
    settle(*[LATE] * 5)

    refusal = standing_of(owner, NOW).refuse_venues(["bybit"])

    assert refusal is not None
    assert (refusal.code, refusal.sentence) == ("breaker_open", SHUT)


def test_a_block_of_the_address_is_cried_out_with_what_hangs_on_the_venue(
    owner: User, stranger: User
) -> None:
    bybit, okx = make_exchange("bybit", "BYB", "Bybit"), make_exchange("okx", "OKX", "OKX")
    make_account(owner, bybit, NOW)
    make_account(owner, okx, NOW)
    make_position(owner, make_instrument(bybit, "BTC", NOW), make_instrument(okx, "BTC", NOW), NOW)
    outcomes = Outcomes()
    for _ in range(3):
        outcomes.note(Outcome(venue="bybit", mode=Mode.REHEARSAL, block=Block(seconds=600)))

    settle_health(outcomes=outcomes, now=NOW)

    assert told(owner) == [
        (
            "venue.blocked",
            "Bybit wants no request from this address until 14:10:00 UTC: nothing can be asked or "
            "closed there; "
            "positions there: BTC (open)",
        )
    ]
    assert Event.objects.get(kind="venue.blocked").severity == "critical"
    assert told(stranger) == []
    assert VenueHealth.objects.get().state == "closed"


def test_a_long_silence_of_one_key_or_of_reads_is_told_as_what_it_is(
    owner: User, stranger: User
) -> None:
    gate = make_exchange("gate", "GTE", "Gate")
    make_account(owner, gate, NOW)
    make_account(stranger, gate, NOW)
    outcomes = Outcomes()
    for block in (
        Block(seconds=600, tenant=str(owner.pk)),
        Block(seconds=120, is_of_reads=True),
    ):
        outcomes.note(Outcome(venue="gate", mode=Mode.REHEARSAL, block=block))

    settle_health(outcomes=outcomes, now=NOW)

    of_key = (
        "venue.blocked",
        "Gate wants no request with your key until 14:10:00 UTC: nothing can be asked or closed "
        "with it; positions there: none",
    )
    of_reads = (
        "venue.reads_paused",
        "Gate wants no read of its market from this address until 14:02:00 UTC: prices there grow "
        "old and nothing is opened on them, closing goes on; positions there: none",
    )
    assert told(owner) == [of_key, of_reads]
    assert told(stranger) == [of_reads]
    assert sorted(Event.objects.values_list("severity", flat=True)) == [
        *("critical", "warning", "warning")
    ]


def test_a_venue_that_serves_nobody_here_halts_its_accounts_with_what_helps(owner: User) -> None:
    bybit, okx = make_exchange("bybit", "BYB", "Bybit"), make_exchange("okx", "OKX", "OKX")
    at_bybit, at_okx = make_account(owner, bybit, NOW), make_account(owner, okx, NOW)
    outcomes = Outcomes()
    for _ in range(3):
        block = Block(seconds=60, bar=Bar.REGION)
        outcomes.note(Outcome(venue="bybit", mode=Mode.REHEARSAL, block=block))

    settle_health(outcomes=outcomes, now=NOW)

    at_bybit.refresh_from_db()
    at_okx.refresh_from_db()
    assert at_bybit.halted_reason == (
        "Bybit: the venue does not serve the region of this address. Run Carry from where it is "
        "served, or close by hand what is open there. It is asked, and closing is tried, about "
        "once a minute."
    )
    assert at_okx.halted_at is None
    told_of = Event.objects.get(kind="account.halted")
    assert (told_of.user, told_of.severity) == (owner, "critical")
