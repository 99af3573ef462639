"""Planning an entry: what is written, what is refused, and that nothing is written twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from tests.services.conftest import Desk
from trading.models import EquitySnapshot, Event, LimitUse, Position
from trading.services import configure, kill_switch
from trading.services.entry_legs import long_short
from trading.services.plan_entry import Refused, plan_entry
from trading.services.quote import quote_entry
from trading.services.standing import standing_of

pytestmark = pytest.mark.protocol


def open_by_hand(
    desk: Desk,
    *,
    size: str = "5000",
    key: str | None = None,
    after: timedelta = timedelta(0),
) -> Position | Refused:
    return plan_entry(
        user=desk.user,
        base="BTC",
        legs=long_short(desk.instrument("binanceusdm"), desk.instrument("bybit")),
        size_usd=Decimal(size),
        opened_by="demo",
        is_manual=True,
        idempotency_key=key,
        now=timezone.now() + after,
    )


def sentences(answer: Position | Refused) -> str:
    assert isinstance(answer, Refused)
    return " ".join(refusal.sentence for refusal in answer.refusals)


def reserved(desk: Desk) -> dict[str, int]:
    uses = LimitUse.objects.filter(user=desk.user, reserved_cents__gt=0)
    return dict(uses.values_list("scope", "reserved_cents"))


@pytest.fixture
def ready(desk: Desk) -> Desk:
    for venue in ("binanceusdm", "bybit"):
        calm = {"venue": venue, "symbol": "BTCUSDT", "funding_rate": "0.0001", "freeze": True}
        desk.simulator.control("POST", "/market", calm)
    desk.await_books([desk.instrument("binanceusdm"), desk.instrument("bybit")])
    desk.read_accounts()
    return desk


def test_a_manual_entry_is_planned_with_equal_base_on_both_legs_and_its_limits_reserved(
    ready: Desk,
) -> None:
    position = open_by_hand(ready)

    assert isinstance(position, Position)
    legs = {leg.side: leg for leg in position.legs.all()}
    assert set(legs) == {"LONG", "SHORT"}
    assert position.target_base_quantity % legs["LONG"].instrument.lot == 0
    assert Decimal(4800) < position.size_usd <= Decimal(5000)
    scopes = {"pair:BTC", "venue:binanceusdm", "venue:bybit", "exposure:funding", "user"}
    assert set(reserved(ready)) == scopes


def test_the_same_form_posted_twice_is_one_position(ready: Desk) -> None:
    first, second = open_by_hand(ready, key="form-1"), open_by_hand(ready, key="form-1")

    assert isinstance(first, Position)
    assert isinstance(second, Position)
    assert first.pk == second.pk
    assert Position.objects.count() == 1


def test_a_reused_form_key_with_another_size_is_refused(ready: Desk) -> None:
    open_by_hand(ready, key="form-1")

    assert "already sent with other values" in sentences(
        open_by_hand(ready, size="6000", key="form-1")
    )


def test_a_second_position_on_the_pair_is_refused_by_name(ready: Desk) -> None:
    open_by_hand(ready)

    assert "BTC already has a position" in sentences(open_by_hand(ready))
    assert Position.objects.count() == 1


def test_nothing_opens_while_the_kill_switch_is_pressed(ready: Desk) -> None:
    kill_switch.press(
        user=None, actor="staff", reason="drill", closes_positions=False, now=timezone.now()
    )

    assert "kill switch is pressed" in sentences(open_by_hand(ready))
    assert reserved(ready) == {}


def test_an_entry_by_hand_on_stale_prices_is_refused_with_their_age(ready: Desk) -> None:
    configure.save(
        user=ready.user,
        values={"max_book_age_seconds": "0.1"},
        expected_version=1,
        actor="demo",
        now=timezone.now(),
    )

    answer = open_by_hand(ready, after=timedelta(seconds=0.5))

    assert "s old; the most is 0.1 s" in sentences(answer)


def test_a_size_below_what_a_venue_takes_is_refused_with_the_least(ready: Desk) -> None:
    refusal = sentences(open_by_hand(ready, size="10"))

    assert "10" in refusal
    assert Position.objects.count() == 0


def test_two_legs_on_one_instrument_are_no_pair(ready: Desk) -> None:
    answer = plan_entry(
        user=ready.user,
        base="BTC",
        legs=long_short(ready.instrument("bybit"), ready.instrument("bybit")),
        size_usd=Decimal(5000),
        opened_by="demo",
        is_manual=True,
        idempotency_key=None,
        now=timezone.now(),
    )

    assert "are no two legs of BTC" in sentences(answer)


def test_of_many_entries_at_once_exactly_one_gets_the_pair(ready: Desk) -> None:
    def attempt(number: int) -> Position | Refused:
        try:
            return open_by_hand(ready, key=f"form-{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(attempt, range(6)))

    planned = [answer for answer in answers if isinstance(answer, Position)]
    assert len(planned) == 1
    size_cents = planned[0].size_usd * 100
    assert abs(reserved(ready)["user"] - size_cents) <= 1


def test_an_entry_is_capped_at_what_is_left_of_the_limit(ready: Desk) -> None:
    configure.save(
        user=ready.user,
        values={"max_position_per_pair_usd": "2000"},
        expected_version=1,
        actor="demo",
        now=timezone.now(),
    )

    position = open_by_hand(ready, size="5000")

    assert isinstance(position, Position)
    assert position.size_usd <= Decimal(2000)


def test_a_quote_shows_income_cost_and_break_even_without_writing_anything(ready: Desk) -> None:
    quote = quote_entry(
        user=ready.user,
        base="BTC",
        legs=long_short(ready.instrument("binanceusdm"), ready.instrument("bybit")),
        size_usd=Decimal(5000),
        now=timezone.now(),
    )

    # four taker fees of 5 and 5.5 bp: at least 21 bp of one leg's notional
    assert quote.refusals == ()
    assert quote.cost is not None
    assert quote.cost >= Decimal("0.0021")
    assert quote.cost_usd == quote.cost * quote.size_usd
    assert Position.objects.count() == 0
    assert reserved(ready) == {}


def test_the_scheduler_enters_nothing_after_the_days_loss(ready: Desk) -> None:
    # 250,000 now; 260,000 at midnight: 3.8462 % lost, automation halts at 2 %
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    EquitySnapshot.objects.create(
        user=ready.user, at=midnight, equity_usd=Decimal(260_000), free_usd=Decimal(260_000)
    )

    refusal = standing_of(ready.user, timezone.now()).refuse_entries()

    assert refusal is not None
    assert refusal.code == "daily_stop"
    assert "3.8462 % of the capital was lost since midnight UTC" in refusal.sentence


def test_the_journal_says_which_leg_goes_first_and_why(ready: Desk) -> None:
    configure.save(
        user=ready.user,
        values={"first_leg": "short"},
        expected_version=1,
        actor="demo",
        now=timezone.now(),
    )

    position = open_by_hand(ready)

    assert isinstance(position, Position)
    assert position.legs.get(index=0).side == "SHORT"
    planned = Event.objects.get(kind="position.planned", position=position)
    assert planned.sentence.endswith("the short leg at bybit goes first, as configured")
