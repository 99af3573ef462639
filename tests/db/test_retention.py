"""What grows is forgotten when it is old; money, decisions and what waits for a person never."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.utils import timezone

from alerts.models import Alert, BotUpdate, Channel, Confirmation, Delivery, LinkCode, MailedCode
from arbsite.accounts.models import User
from arbsite.retention import KEPT, STAYS, prune
from arbsite.tasks import PRUNED_EVERY
from arbsite.tasks import prune as prune_task
from exchanges.models import (
    ActivityBar,
    HourlyActivity,
    HourlyBorrowRate,
    HourlyMid,
    Instrument,
    MidBar,
)
from tests.web.rows import (
    make_account,
    make_exchange,
    make_instrument,
    make_opportunity,
    make_position,
)
from trading.events import announce
from trading.models import (
    Event,
    FundingEvent,
    IdempotencyKey,
    JobRun,
    Opportunity,
    Order,
    Position,
    StateChange,
    StreamCounter,
    StreamEntry,
    Trade,
)
from trading.services import slots
from trading.services.number_events import number_events

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OURS = ("accounts", "alerts", "exchanges", "trading")
D = Decimal


Pair = tuple[Instrument, Instrument]


@pytest.fixture
def instruments() -> Pair:
    venues = make_exchange("binanceusdm", "BIN", "Binance"), make_exchange("bybit", "BYB", "Bybit")
    return make_instrument(venues[0], "BTC", NOW), make_instrument(venues[1], "BTC", NOW)


def make_alert(
    user: User, at: datetime, *, severity: str = "warning", acknowledged: bool = False
) -> Alert:
    event = announce(user_id=user.pk, kind="test", sentence="said", severity=severity, now=at)
    return Alert.objects.create(
        user=user,
        event=event,
        kind="test",
        severity=severity,
        title="Said",
        subject=str(event.pk),
        created_at=at,
        last_at=at,
        acknowledged_at=at if acknowledged else None,
    )


def make_delivery(user: User, alert: Alert, at: datetime, state: str) -> Delivery:
    channel, _ = Channel.objects.get_or_create(
        user=user, kind="telegram", address="1", defaults={"created_at": at}
    )
    return Delivery.objects.create(
        alert=alert,
        channel=channel,
        round=alert.deliveries.count(),
        state=state,
        created_at=at,
        due_at=at,
    )


def make_mailed_code(user: User, at: datetime) -> MailedCode:
    channel, _ = Channel.objects.get_or_create(
        user=user, kind="email", address="a@example.com", defaults={"created_at": at}
    )
    return MailedCode.objects.create(channel=channel, digest=str(at), created_at=at, expires_at=at)


Make = Callable[[User, Pair, datetime], Model]

GROWING: dict[type[Model], Make] = {
    Alert: lambda user, _, at: make_alert(user, at),
    Delivery: lambda user, _, at: make_delivery(
        user, make_alert(user, NOW, severity="critical"), at, "sent"
    ),
    Event: lambda user, _, at: announce(user_id=user.pk, kind="test", sentence="said", now=at),
    IdempotencyKey: lambda user, _, at: IdempotencyKey.objects.create(
        user=user, key=str(at), request_hash="", created_at=at
    ),
    Opportunity: lambda user, on, at: make_opportunity(user, *on, at),
    BotUpdate: lambda _user, _, at: BotUpdate.objects.create(
        update_id=int(at.timestamp()), taken_at=at
    ),
    Confirmation: lambda user, _, at: Confirmation.objects.create(
        user=user, chat_id="1", act="kill", created_at=at, expires_at=at
    ),
    MailedCode: lambda user, _, at: make_mailed_code(user, at),
    LinkCode: lambda user, _, at: LinkCode.objects.create(
        user=user, digest=str(at), created_at=at, expires_at=at
    ),
    Session: lambda _user, _, at: Session.objects.create(
        session_key=f"{at:%Y%m%d%H%M}", session_data="", expire_date=at
    ),
    HourlyMid: lambda _user, on, at: HourlyMid.objects.create(
        instrument=on[0], hour_at=at, mid=D(1)
    ),
    MidBar: lambda _user, on, at: MidBar.objects.create(
        instrument=on[0], starts_at=at, first=D(1), low=D(1), high=D(1)
    ),
    ActivityBar: lambda _user, on, at: ActivityBar.objects.create(instrument=on[0], minute_at=at),
    HourlyActivity: lambda _user, on, at: HourlyActivity.objects.create(
        instrument=on[0], hour_at=at
    ),
    HourlyBorrowRate: lambda _user, on, at: HourlyBorrowRate.objects.create(
        exchange=on[0].exchange,
        asset="BTC",
        hour_at=at,
        hourly_rate=D(0),
        highest_hourly_rate=D(0),
        observed_at=at,
    ),
}


def test_of_every_table_it_is_said_whether_it_is_kept() -> None:
    ours = {
        model._meta.label for label in OURS for model in apps.get_app_config(label).get_models()
    }
    pruned = {kept.model._meta.label for kept in KEPT}

    assert pruned & set(STAYS) == set()
    assert pruned | set(STAYS) == ours | {"sessions.Session"}


@pytest.mark.parametrize("model", GROWING, ids=lambda model: model.__name__)
def test_old_rows_go_and_young_ones_stay(
    owner: User, instruments: Pair, model: type[Model]
) -> None:
    span = max(kept.span for kept in KEPT if kept.model is model)
    make = GROWING[model]
    old = make(owner, instruments, NOW - span - HOUR)
    young = make(owner, instruments, NOW - span + HOUR)

    prune(now=NOW)

    kept = set(model._default_manager.values_list("pk", flat=True))
    assert old.pk not in kept
    assert young.pk in kept


def test_a_critical_that_nobody_acknowledged_stays_with_its_event(owner: User) -> None:
    long_ago = NOW - 1000 * DAY
    waiting = make_alert(owner, long_ago, severity="critical")
    make_alert(owner, long_ago, severity="critical", acknowledged=True)
    make_delivery(owner, waiting, long_ago, "sent")
    unsent = make_delivery(owner, waiting, long_ago, "pending")

    for _ in range(2):
        prune(now=NOW)

    assert [alert.pk for alert in Alert.objects.all()] == [waiting.pk]
    assert [event.pk for event in Event.objects.all()] == [waiting.event_id]
    assert [delivery.pk for delivery in Delivery.objects.all()] == [unsent.pk]


def test_money_and_the_journal_stay_however_old(owner: User, instruments: Pair) -> None:
    long_ago = NOW - 2000 * DAY
    for instrument in instruments:
        make_account(owner, instrument.exchange, long_ago)
    make_position(owner, *instruments, long_ago)
    ledgers: tuple[type[Model], ...] = (Position, Order, Trade, FundingEvent, StateChange)
    before = {model: model._default_manager.count() for model in ledgers}
    assert all(before.values())

    prune(now=NOW)

    assert {model: model._default_manager.count() for model in ledgers} == before


def test_commands_and_the_news_of_a_position_that_lives_stay(
    owner: User, instruments: Pair
) -> None:
    long_ago = NOW - 1000 * DAY
    for instrument in instruments:
        make_account(owner, instrument.exchange, long_ago)
    live = make_position(owner, *instruments, long_ago)
    announce(user_id=owner.pk, kind="engine", sentence="Started by owner", now=long_ago)
    announce(user_id=owner.pk, kind="x", sentence="of it", now=long_ago, position=live)
    announce(user_id=owner.pk, kind="x", sentence="of nothing", now=long_ago)

    prune(now=NOW)
    assert set(Event.objects.values_list("sentence", flat=True)) == {"Started by owner", "of it"}


def test_a_key_is_remembered_for_more_than_a_day() -> None:
    (kept,) = (kept for kept in KEPT if kept.model is IdempotencyKey)
    assert kept.span >= DAY


def test_what_was_taken_stays_and_what_was_passed_over_goes_first(
    owner: User, instruments: Pair
) -> None:
    at = NOW - 3 * DAY
    make_opportunity(owner, *instruments, at, reason="too dear")
    make_opportunity(owner, *instruments, at)
    taken = make_opportunity(owner, *instruments, NOW - 1000 * DAY)
    Opportunity.objects.filter(pk=taken.pk).update(status="taken")

    prune(now=NOW)

    found = Opportunity.objects.order_by("seen_at").values_list("status", flat=True)
    assert list(found) == ["taken", "candidate"]


def test_messages_of_the_stream_go_and_none_is_numbered_twice(
    owner: User, instruments: Pair
) -> None:
    long_ago = NOW - 60 * DAY
    for instrument in instruments:
        make_account(owner, instrument.exchange, long_ago)
    make_position(owner, *instruments, long_ago)
    announce(user_id=owner.pk, kind="x", sentence="old", now=long_ago)
    StreamCounter.objects.create(user=owner, numbered_at=long_ago - DAY)
    assert number_events(owner, now=long_ago) == 3

    # Nobody has followed since: the event would be looked at, and numbered, once more.
    prune(now=NOW)
    assert list(StreamEntry.objects.values_list("sequence", flat=True)) == [3]

    announce(user_id=owner.pk, kind="x", sentence="new", now=NOW)
    assert number_events(owner, now=NOW) == 4
    prune(now=NOW)
    assert number_events(owner, now=NOW) == 4
    assert list(StreamEntry.objects.values_list("sequence", flat=True)) == [4]


def test_the_newest_run_of_a_job_and_what_was_done_once_stay() -> None:
    for days in (9, 8):
        slots.claim("book_funding", every=HOUR, now=NOW - days * DAY)
    slots.claim_once("demo", now=NOW - 9 * DAY)
    slots.claim("demo", every=HOUR, now=NOW - 9 * DAY)

    prune(now=NOW)

    runs = JobRun.objects.order_by("job", "slot").values_list("job", "slot")
    assert [job for job, _ in runs] == ["book_funding", "demo", "demo"]
    assert runs[0][1] == NOW.replace(minute=0) - 8 * DAY


def test_of_activity_an_hour_of_each_day_stays_for_good(instruments: Pair) -> None:
    midnight = NOW.replace(hour=0, minute=0) - 500 * DAY
    for hour in range(48):
        HourlyActivity.objects.create(instrument=instruments[0], hour_at=midnight + hour * HOUR)

    prune(now=NOW)

    assert [row.hour_at.hour for row in HourlyActivity.objects.all()] == [23, 23]


def test_a_run_takes_so_many_batches_and_the_next_goes_on(owner: User) -> None:
    for number in range(7):
        IdempotencyKey.objects.create(
            user=owner, key=str(number), request_hash="", created_at=NOW - 100 * DAY
        )

    label = IdempotencyKey._meta.label
    gone = [prune(now=NOW, batch=2, most_batches=2).get(label, 0) for _ in range(3)]

    assert gone == [4, 3, 0]


def old_keys(owner: User) -> None:
    for number in range(2):
        IdempotencyKey.objects.create(
            user=owner,
            key=str(number),
            request_hash="",
            created_at=timezone.now() - 100 * DAY,
        )


def test_of_two_beats_one_prunes(owner: User) -> None:
    old_keys(owner)
    for ago in range(1, 13):
        slots.claim("prune", every=PRUNED_EVERY, now=timezone.now() - ago * PRUNED_EVERY)

    first, second = prune_task(), prune_task()

    assert first == {"trading.IdempotencyKey": 2}
    assert second == {}


def test_a_clock_that_has_jumped_ahead_deletes_nothing(owner: User) -> None:
    old_keys(owner)
    for ago in range(1, 13):
        before_the_jump = timezone.now() - 90 * DAY - ago * PRUNED_EVERY
        slots.claim("prune", every=PRUNED_EVERY, now=before_the_jump)

    assert prune_task() == {}
    assert IdempotencyKey.objects.count() == 2
