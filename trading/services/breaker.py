"""One breaker for each venue: five failures in a row open it, a probe that is answered closes it.

Where orders fail and reads do not, an answer to a read proves nothing: it lets one entry in, whose
order closes the breaker or keeps it open for twice as long. Any order that is answered closes it.

It bars what opens a position and nothing else: hedges, exits, look-ups and polls go on, and one of
these may be the first to find the venue well again. The row is shared by all processes. Each writes
every second what its own calls saw, in their order; a breaker is opened by the one update that
finds it closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from arbsite.accounts.models import User
from exchanges.errors import BARRED_WORDS, Bar, Block
from exchanges.models import Exchange, ExchangeAccount, VenueHealth
from exchanges.outcomes import Asked, Outcome, Outcomes, of_this_process
from trading.core.states import EXPOSED_POSITION_STATES
from trading.events import announce, announce_once
from trading.models import Event, OrderFailures, Position
from trading.services.halt import halt_account
from trading.services.order_trial import (
    LONGEST_SYMPTOM,
    LONGEST_WAIT,
    PROBE_AFTER,
    fail_trial,
    of_orders,
)
from trading.services.venues import REAL, Venues

FAILURES = 5
PROBE_SECONDS = 5.0
SETTLE_EVERY_SECONDS = 1.0
BLOCK_TOLD_AGAIN = timedelta(minutes=1)
BARRED_HELP = {
    Bar.ADDRESS: "See there why, or use another address; close by hand what must not wait.",
    Bar.REGION: "Run Carry from where it is served, or close by hand what is open there.",
}

State = VenueHealth.State
CLOSED = {"state": State.CLOSED, "failures": 0, "order_trials": 0, "trial_of": None}
Key = tuple[str, str]


def settle_health(*, outcomes: Outcomes = of_this_process, now: datetime | None = None) -> int:
    """Write what this process saw of venues since the last time; return how many were shut."""
    seen = outcomes.take()
    if not seen:
        return 0
    at, rows = now or timezone.now(), _rows(seen)
    return sum(_settle(rows[one.venue, one.mode], one, at) for one in seen if _key(one) in rows)


def _key(outcome: Outcome) -> Key:
    return (outcome.venue, outcome.mode)


def _rows(seen: Iterable[Outcome]) -> dict[Key, VenueHealth]:
    """Return the health of each exchange that was seen, made where there is none yet."""
    wanted = {_key(one) for one in seen}
    exchanges = Exchange.objects.filter(code__in={venue for venue, _ in wanted})
    rows: dict[Key, VenueHealth] = {}
    for exchange in exchanges.select_related("health"):
        if (exchange.code, exchange.mode) in wanted:
            row = getattr(exchange, "health", None)
            if row is None:
                row, _ = VenueHealth.objects.get_or_create(exchange=exchange)
            rows[exchange.code, exchange.mode] = row
    return rows


def _settle(row: VenueHealth, outcome: Outcome, now: datetime) -> bool:
    if (block := outcome.block) is not None:
        if block.bar is None:
            _tell_of_block(row.exchange, block, now)
        else:
            _halt_the_barred(row.exchange, block.bar, now)
        return False
    if outcome.symptom:
        return _fail(row, outcome, now)
    if row.failures:
        VenueHealth.objects.filter(pk=row.pk, state=State.CLOSED).update(failures=0)
        row.failures = 0
    if outcome.asked is Asked.ORDER:
        _orders_of(row).exclude(failures=0).update(failures=0)
        _close_for_orders(row, now)
    return False


def _close_for_orders(row: VenueHealth, now: datetime) -> None:
    """Close what orders have opened: whichever was answered, an exit too, tells of all."""
    shut = VenueHealth.objects.filter(pk=row.pk, order_trials__gt=0).exclude(state=State.CLOSED)
    with transaction.atomic():
        if shut.update(**CLOSED):
            _tell_closed(row, "takes orders again", now)


def _orders_of(row: VenueHealth) -> QuerySet[OrderFailures]:
    return OrderFailures.objects.filter(exchange=row.exchange_id)


def _fail(row: VenueHealth, outcome: Outcome, now: datetime) -> bool:
    """Count one failure; tell whether it was the one that opened the breaker.

    An answer to a read or a cancel ends no row of orders that fail.
    """
    closed, symptom = VenueHealth.objects.filter(pk=row.pk, state=State.CLOSED), outcome.symptom
    is_order = outcome.asked is not Asked.READ
    with transaction.atomic():
        if is_order and fail_trial(row, symptom, now):
            return False
        closed.update(failures=F("failures") + 1, symptom=symptom[:LONGEST_SYMPTOM], failed_at=now)
        trials = int(is_order and closed.exists() and _count_order(row) >= FAILURES)
        if trials:
            told = {"failures": FAILURES, "symptom": of_orders(symptom)}
            closed.filter(failures__lt=FAILURES).update(**told)
        opened = closed.filter(failures__gte=FAILURES).update(
            state=State.OPEN, opened_at=now, probe_at=now + PROBE_AFTER, order_trials=trials
        )
        row.refresh_from_db()
        if opened:
            _tell(row.exchange, "breaker.opened", row.sentence, Event.Severity.WARNING, now)
    return bool(opened)


def _count_order(row: VenueHealth) -> int:
    OrderFailures.objects.get_or_create(exchange_id=row.exchange_id)
    _orders_of(row).update(failures=F("failures") + 1)
    count: int = _orders_of(row).values_list("failures", flat=True).get()
    return count


def probe_venues(*, venues: Venues = REAL, clock: Callable[[], datetime] = timezone.now) -> int:
    """Ask each venue whose breaker has been open for a while one thing; return how many closed."""
    now = clock()
    due = VenueHealth.objects.filter(_is_due(now), exchange__is_enabled=True)
    # Nobody has sent the entry that was let in: another may be tried.
    due.filter(state=State.HALF_OPEN).exclude(trial_of=None).update(trial_of=None)
    asked = due.filter(state__in=(State.OPEN, State.PROBING)).select_related("exchange")
    # One worker probes; should it die of it, the next one's turn comes with the next probe.
    claimed = [row for row in asked if _claim(row, now)]
    answers = venues.call_all([venues.probe(row.exchange) for row in claimed], PROBE_SECONDS)
    return sum(
        _take_answer(row, answer, clock()) for row, answer in zip(claimed, answers, strict=True)
    )


def _is_due(now: datetime) -> Q:
    """No probe is put off longer: what lies further ahead was written by a clock since set back."""
    ahead = Q(order_trials=0, probe_at__gt=now + 2 * PROBE_AFTER)
    return Q(probe_at__lte=now) | ahead | Q(probe_at__gt=now + LONGEST_WAIT + PROBE_AFTER)


def _claim(row: VenueHealth, now: datetime) -> bool:
    mine = VenueHealth.objects.filter(pk=row.pk, state=row.state, probe_at=row.probe_at)
    row.probe_at = now + PROBE_AFTER
    return mine.update(state=State.PROBING, probe_at=row.probe_at) == 1


def _take_answer(row: VenueHealth, answer: object, now: datetime) -> bool:
    mine = VenueHealth.objects.filter(pk=row.pk, state=State.PROBING, probe_at=row.probe_at)
    if isinstance(answer, BaseException):
        mine.update(state=State.OPEN)
        return False
    if row.order_trials:
        mine.update(state=State.HALF_OPEN)
        return False
    with transaction.atomic():
        if mine.update(**CLOSED) != 1:
            return False
        _orders_of(row).update(failures=0)
        _tell_closed(row, "answers again", now)
    return True


def _tell_closed(row: VenueHealth, what: str, now: datetime) -> None:
    sentence = (
        f"{row.exchange.name} {what} after {_span(now - (row.opened_at or now))}: entries there "
        "are possible."
    )
    _tell(row.exchange, "breaker.closed", sentence, Event.Severity.INFO, now)


def _span(span: timedelta) -> str:
    seconds = max(0, round(span.total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


def _users_at(exchange: Exchange) -> QuerySet[User]:
    at = {"exchange_accounts__exchange": exchange, "exchange_accounts__is_active": True}
    return User.objects.filter(is_active=True, **at).distinct()


def _tell(exchange: Exchange, kind: str, sentence: str, severity: str, now: datetime) -> None:
    for user in _users_at(exchange):
        announce(user_id=user.pk, kind=kind, severity=severity, sentence=sentence, now=now)


def _halt_the_barred(exchange: Exchange, bar: Bar, now: datetime) -> None:
    """Halt all accounts at a venue that serves nobody here; what is open is closed as it can be."""
    for account in ExchangeAccount.objects.filter(exchange=exchange, is_active=True):
        halt_account(
            account,
            reason=f"{exchange.name}: {BARRED_WORDS[bar]}. {BARRED_HELP[bar]} It is asked, and "
            "closing is tried, about once a minute.",
            now=now,
        )


def _tell_of_block(exchange: Exchange, block: Block, now: datetime) -> None:
    """Tell whom it concerns; cry where nothing can be closed, with what hangs on the venue."""
    users = _users_at(exchange)
    if block.tenant:
        users = users.filter(pk=block.tenant)
    for user in users:
        exposed = Position.objects.for_user(user).filter(
            state__in=EXPOSED_POSITION_STATES, legs__account__exchange=exchange
        )
        held = sorted({f"{position.base} ({position.state})" for position in exposed})
        announce_once(
            user_id=user.pk,
            kind="venue.reads_paused" if block.is_of_reads else "venue.blocked",
            severity=Event.Severity.WARNING if block.is_of_reads else Event.Severity.CRITICAL,
            sentence=f"{exchange.name} {_block_words(block, now)}; positions there: "
            f"{', '.join(held) or 'none'}",
            within=BLOCK_TOLD_AGAIN,
            now=now,
        )


def _block_words(block: Block, now: datetime) -> str:
    until = f"until {now + timedelta(seconds=block.seconds):%H:%M:%S} UTC"
    if block.is_of_reads:
        return (
            f"wants no read of its market from this address {until}: prices there grow old and "
            "nothing is opened on them, closing goes on"
        )
    if block.tenant:
        return f"wants no request with your key {until}: nothing can be asked or closed with it"
    return f"wants no request from this address {until}: nothing can be asked or closed there"
