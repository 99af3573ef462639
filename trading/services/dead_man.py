"""The venue's own countdown on resting entry orders, for the case that Carry dies.

Armed per account and instrument only while an entry order of ours rests there and nothing else
does: the venue cancels every order of the symbol, also one that closes and one of a person.
What it cancelled is found by the look-up like any other cancel, never assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from exchanges import registry
from exchanges.domain import Symbol
from exchanges.errors import SettingRefused, VenueError
from exchanges.ports import Trading
from exchanges.sealing import SealError
from trading.core.states import WORKING_ORDER_STATES, PositionState, Purpose
from trading.events import announce_once
from trading.models import DeadManSwitch, Leg, Order
from trading.services.venues import REAL, Venues

COUNTDOWN = timedelta(seconds=20)
# Longer than any call may take or any request may act: two workers' calls never cross.
TEND_EVERY = timedelta(seconds=6)
CALL_SECONDS = 3.0
SAY_AGAIN = timedelta(minutes=10)

Key = tuple[UUID, UUID]


def tend_switches(
    *,
    venues: Venues = REAL,
    clock: Callable[[], datetime] = timezone.now,
    countdown: timedelta = COUNTDOWN,
) -> int:
    """Arm, renew or end each switch as the resting orders ask; return how many were tended."""
    now = clock()
    wanted = _wanted()
    armed = {
        (switch.account_id, switch.instrument_id): switch
        for switch in DeadManSwitch.objects.select_related(
            "account__exchange", "instrument__exchange"
        )
    }
    tended = 0
    for key, leg in wanted.items():
        # A held entry is being cancelled: should that fail, the countdown may end it.
        if leg.position.state != PositionState.HELD and _arms(key, armed.get(key), countdown, now):
            _renew(leg, venues, countdown, now)
            tended += 1
    for key, switch in armed.items():
        if key not in wanted and (switch.fires_at <= now or _claim(switch, now)):
            _end(switch, venues, now)
            tended += 1
    return tended


def _wanted() -> dict[Key, Leg]:
    """Return the legs whose entry order rests at a venue that can count down."""
    resting = Order.objects.filter(purpose=Purpose.OPEN, state__in=WORKING_ORDER_STATES)
    rows = resting.select_related(
        "leg__position", "leg__account__exchange", "leg__instrument__exchange"
    )
    legs = {(order.leg.account_id, order.leg.instrument_id): order.leg for order in rows}
    return {
        key: leg
        for key, leg in legs.items()
        if not registry.why_no_dead_man(leg.instrument.exchange.code)
    }


def _arms(key: Key, switch: DeadManSwitch | None, countdown: timedelta, now: datetime) -> bool:
    """Take it upon this worker; the row says beforehand until when the switch may be armed."""
    fires_at = now + TEND_EVERY + countdown
    if switch is not None:
        return _claim(switch, now, fires_at=fires_at)
    account_id, instrument_id = key
    try:
        with transaction.atomic():
            DeadManSwitch.objects.create(
                account_id=account_id, instrument_id=instrument_id, tended_at=now, fires_at=fires_at
            )
    except IntegrityError:
        return False
    return True


def _claim(switch: DeadManSwitch, now: datetime, **columns: datetime) -> bool:
    # What lies further ahead was tended before the clock was set back.
    is_due = Q(tended_at__lte=now - TEND_EVERY) | Q(tended_at__gt=now + TEND_EVERY)
    due = DeadManSwitch.objects.filter(is_due, pk=switch.pk)
    return due.update(tended_at=now, **columns) == 1


def _renew(leg: Leg, venues: Venues, countdown: timedelta, now: datetime) -> None:
    """Start the countdown again, or end it where anything but our entry orders rests."""
    try:
        trading = venues.trading(leg.account)
        other = _other_order(leg, trading, venues)
        after = timedelta(0) if other else countdown
        arming = trading.arm_dead_man(Symbol(leg.instrument.symbol), after=after)
        venues.call(arming, CALL_SECONDS)
    except (VenueError, SealError, TimeoutError) as error:
        # A switch that may be armed keeps its row; one that surely is not is tried again.
        if isinstance(error, SettingRefused):
            _say(leg, f"was refused: {error}", now)
        return
    if other:
        _say(leg, f"stays off, for it would cancel {other} too", now)


def _other_order(leg: Leg, trading: Trading, venues: Venues) -> str:
    """Return in words what else rests in the symbol, by our books and by the venue's."""
    ours = Order.objects.filter(leg__account=leg.account_id, leg__instrument=leg.instrument_id)
    if ours.filter(state__in=WORKING_ORDER_STATES).exclude(purpose=Purpose.OPEN).exists():
        return "an order that hedges or closes"
    resting = venues.call(trading.open_orders(Symbol(leg.instrument.symbol)), CALL_SECONDS)
    entries = set(ours.filter(purpose=Purpose.OPEN).values_list("client_order_id", flat=True))
    foreign = [order for order in resting if order.client_order_id not in entries]
    return f"order {foreign[0].venue_order_id}, which is not of this entry" if foreign else ""


def _end(switch: DeadManSwitch, venues: Venues, now: datetime) -> None:
    """Tell the venue to stop counting; a switch that is past its time has stopped by itself."""
    if switch.fires_at > now:
        try:
            trading = venues.trading(switch.account)
            ending = trading.arm_dead_man(Symbol(switch.instrument.symbol), after=timedelta(0))
            venues.call(ending, CALL_SECONDS)
        except (VenueError, SealError, TimeoutError):
            return
    DeadManSwitch.objects.filter(pk=switch.pk, tended_at__lte=now).delete()


def _say(leg: Leg, words: str, now: datetime) -> None:
    venue = leg.instrument.exchange.name
    announce_once(
        user_id=leg.position.user_id,
        kind="dead_man.off",
        sentence=f"{leg.position.base}: the dead-man's switch at {venue} {words}",
        position=leg.position,
        within=SAY_AGAIN,
        now=now,
    )
