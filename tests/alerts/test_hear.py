"""Events become alerts once, and CRITICAL ones come back until somebody has read them."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from alerts.models import Alert, Channel, Delivery, Preferences
from alerts.services.acknowledge import acknowledge
from alerts.services.hear import hear
from alerts.services.wishes import mute, preferences_of
from arbsite.accounts.models import User
from tests.alerts.conftest import NOW
from tests.web import rows
from trading.events import Event, announce
from trading.models import Position

pytestmark = [pytest.mark.db, pytest.mark.django_db]

MINUTE = timedelta(minutes=1)


def say(
    user: User,
    sentence: str = "2 orders are unknown",
    *,
    kind: str = "order.unknown",
    severity: str = "critical",
    position: Position | None = None,
    after: timedelta = timedelta(0),
) -> Event:
    return announce(
        user_id=user.pk,
        kind=kind,
        sentence=sentence,
        severity=severity,
        position=position,
        now=NOW + after,
    )


def deliveries(alert: Alert) -> list[tuple[str, int]]:
    rows = alert.deliveries.order_by("round", "-channel__kind").select_related("channel")
    return [(row.channel.kind, row.round) for row in rows]


def test_an_event_becomes_one_alert_however_often_it_is_looked_at(
    owner: User, chat: Channel
) -> None:
    event = say(owner)

    assert hear(now=NOW) == 1
    assert hear(now=NOW) == 0

    alert = Alert.objects.get()
    assert (alert.event, alert.severity, alert.title) == (event, "critical", "Order Unclear")
    assert deliveries(alert) == [("telegram", 0)]


def test_what_is_rolled_back_is_never_heard_of(owner: User, chat: Channel) -> None:
    with transaction.atomic():
        say(owner)
        transaction.set_rollback(True)

    assert hear(now=NOW) == 0


def test_small_news_stay_on_the_pages(owner: User, chat: Channel) -> None:
    say(owner, "BTC: entering", kind="position.entering", severity="info")

    assert hear(now=NOW) == 0
    assert not Event.objects.filter(heard_at=None).exists()


def test_the_same_said_again_is_counted_and_not_sent_again(owner: User, chat: Channel) -> None:
    for minute in range(4):
        say(owner, f"{minute + 2} orders are unknown", severity="warning", after=MINUTE * minute)
        hear(now=NOW + MINUTE * minute)

    alert = Alert.objects.get()
    assert alert.count == 4
    assert len(deliveries(alert)) == 1


def test_a_warning_is_said_anew_after_ten_minutes_and_a_critical_when_it_was_read(
    owner: User, chat: Channel
) -> None:
    for after in (timedelta(0), MINUTE * 11):
        say(owner, severity="warning", kind="venue.slow", after=after)
        say(owner, after=after)
        hear(now=NOW + after)

    assert Alert.objects.filter(severity="warning").count() == 2
    assert Alert.objects.get(severity="critical").count == 2

    acknowledge(owner, actor="owner", now=NOW + MINUTE * 12)
    say(owner, after=MINUTE * 12)
    hear(now=NOW + MINUTE * 12)
    assert Alert.objects.filter(severity="critical").count() == 2


def test_payments_booked_together_are_one_message(owner: User, chat: Channel) -> None:
    say(owner, "Funding +3.0000 USDT on BTC, BYB", kind="funding", severity="info")
    hear(now=NOW)
    say(owner, "Funding -1.0000 USDT on BTC, BIN", kind="funding", severity="info")
    hear(now=NOW + timedelta(seconds=1))

    alert = Alert.objects.get()
    assert alert.lines == ["Funding +3.0000 USDT on BTC, BYB", "Funding -1.0000 USDT on BTC, BIN"]
    assert alert.deliveries.get().due_at == NOW + timedelta(seconds=2)

    Delivery.objects.update(attempts=1)
    say(owner, "Funding +1.0000 USDT on ETH, BYB", kind="funding", severity="info")
    hear(now=NOW + timedelta(seconds=1.5))
    assert Alert.objects.count() == 2


def test_one_persons_alerts_go_to_nobody_else(owner: User, stranger: User, chat: Channel) -> None:
    say(stranger)

    hear(now=NOW)

    assert not chat.deliveries.exists()


def test_a_critical_comes_back_on_all_channels_until_somebody_has_read_it(
    owner: User, chat: Channel, second: Channel
) -> None:
    say(owner)
    hear(now=NOW)
    Delivery.objects.update(state="sent")
    hear(now=NOW + MINUTE * 4)
    alert = Alert.objects.get()
    assert deliveries(alert) == [("telegram", 0)]

    hear(now=NOW + MINUTE * 5)
    assert deliveries(alert)[1:] == [("telegram", 1), ("email", 1)]

    Delivery.objects.update(state="sent")
    assert [one.pk for one in acknowledge(owner, actor="owner", now=NOW + MINUTE * 6)] == [alert.pk]
    hear(now=NOW + MINUTE * 60)
    assert len(deliveries(alert)) == 3
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.repeat_at) == ("owner", None)


def test_what_still_waits_to_be_delivered_is_not_doubled_by_a_repeat(
    owner: User, chat: Channel
) -> None:
    say(owner)
    for minute in (0, 5, 10):
        hear(now=NOW + MINUTE * minute)

    assert deliveries(Alert.objects.get()) == [("telegram", 0)]


def test_acknowledging_ends_what_waits_and_only_ones_own(
    owner: User, stranger: User, chat: Channel
) -> None:
    say(owner)
    hear(now=NOW)
    alert = Alert.objects.get()

    assert acknowledge(stranger, actor="stranger", now=NOW, alert_id=alert.pk) == []
    assert len(acknowledge(owner, actor="owner", now=NOW, alert_id=alert.pk)) == 1
    assert acknowledge(owner, actor="owner", now=NOW, alert_id=alert.pk) == []
    assert alert.deliveries.get().state == "dropped"


def test_muting_and_quiet_hours_never_hold_back_a_critical(owner: User, chat: Channel) -> None:
    preferences_of(owner)
    Preferences.objects.update(quiet_from=time(0), quiet_until=time(23), least="critical")
    mute(owner, until=NOW + MINUTE * 60)
    say(owner, severity="warning", kind="venue.slow")
    say(owner)

    assert hear(now=NOW) == 2
    assert [row.alert.severity for row in chat.deliveries.select_related("alert")] == ["critical"]


def test_without_a_first_channel_the_second_is_used(owner: User, second: Channel) -> None:
    say(owner)

    hear(now=NOW)

    assert deliveries(Alert.objects.get()) == [("email", 0)]


def test_what_a_long_stand_still_left_behind_is_not_sent(owner: User, chat: Channel) -> None:
    say(owner, after=-MINUTE * 61)

    assert hear(now=NOW) == 0
    assert not Event.objects.filter(heard_at=None).exists()


def test_a_disabled_user_is_told_nothing(owner: User, chat: Channel) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    say(owner)

    hear(now=NOW)

    assert not Delivery.objects.exists()


def hedged(owner: User) -> Position:
    legs = []
    for code, short_code, name in (("binanceusdm", "BIN", "Binance"), ("bybit", "BYB", "Bybit")):
        exchange = rows.make_exchange(code, short_code, name)
        legs.append(rows.make_instrument(exchange, "BTC", NOW))
        rows.make_account(owner, exchange, NOW)
    long, short = legs
    return rows.make_position(owner, long, short, NOW)


def test_a_position_that_opens_is_told_with_its_legs(owner: User, chat: Channel) -> None:
    position = hedged(owner)
    Position.objects.filter(pk=position.pk).update(
        entry_timestamp=NOW, entry_funding_spread=Decimal("0.00032")
    )
    say(owner, "BTC: open", kind="position.open", severity="info", position=position)
    hear(now=NOW)

    alert = Alert.objects.get()
    assert alert.title == "Position Opened"
    assert alert.lines == [
        "Pair: BTC-USDT",
        "Long: Binance @ $100.01",
        "Short: Bybit @ $99.99",
        "Size: $1,000 | Spread: 0.032%",
        "Expected funding: ?",
    ]


def test_a_position_that_is_hedged_again_was_not_opened(owner: User, chat: Channel) -> None:
    say(owner, "BTC: open", kind="position.open", severity="info", position=hedged(owner))

    hear(now=NOW)

    assert Alert.objects.get().title == "Position Hedged Again"


def test_an_event_that_cannot_be_composed_is_told_in_its_own_words(
    owner: User, stranger: User, chat: Channel
) -> None:
    # The position is another's: nothing of it is read for the owner.
    say(owner, "BTC: held", kind="position.held", position=hedged(stranger))
    say(owner, "after it")

    assert hear(now=NOW) == 2
    assert Alert.objects.get(kind="position.held").lines == ["BTC: held"]


def test_a_liquidation_tells_what_it_cost_and_what_follows(owner: User, chat: Channel) -> None:
    sentence = "Bybit liquidated 10 BTC at 150; the other leg follows at once"
    say(owner, sentence, kind="venue.liquidation", position=hedged(owner))

    hear(now=NOW)

    # Funding +3.00, fees 2 x 0.50; nothing is closed and no mark is known.
    assert Alert.objects.get().lines == [
        "Pair: BTC-USDT",
        "Liquidated: SHORT on Bybit",
        "Bybit liquidated 10 BTC at 150",
        "P&L so far: +$2.00",
        "Action: the other leg follows at once",
    ]
