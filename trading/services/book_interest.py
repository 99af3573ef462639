"""Interest on what was borrowed, as the venues charged it: every charge once, on the leg that owed.

A leg that sold spot it did not hold owes coins until it has bought them back. Nothing depends on
having been there: each run reads on from the last charge, until the venue was read once more well
after the position ended.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from exchanges import domain
from exchanges.domain import InstrumentKind
from exchanges.models import AccountBalance, ExchangeAccount
from trading.core.money import plain
from trading.core.states import EXPOSED_POSITION_STATES, LIVE_POSITION_STATES
from trading.doorbell import ring_drive
from trading.events import announce, announce_once
from trading.models import BorrowInterest, Event, Leg, LegSide, Position
from trading.services import market
from trading.services.halt import openable
from trading.services.holdings import leg_net_base
from trading.services.venues import Venues

logger = logging.getLogger(__name__)

PAGES_SECONDS = 30.0
# Venues charge for a full hour, and some minutes after it.
HOUR, CHARGED_WITHIN = timedelta(hours=1), timedelta(minutes=30)
OVERLAP = HOUR
AFTER_END = HOUR + CHARGED_WITHIN
MID_LASTS = timedelta(minutes=3)
TELL_AGAIN = timedelta(hours=6)


def book_interest(*, venues: Venues, now: datetime) -> int:
    """Read what owing legs were charged, book what is new; return how many charges that were."""
    groups = [
        (account, list(legs)) for account, legs in groupby(_owing(now), key=lambda leg: leg.account)
    ]
    usable = set(openable({account for account, _ in groups}, venues=venues, now=now))
    asked = [(account, legs) for account, legs in groups if account in usable]
    answers = venues.call_all(
        [
            venues.account(account).borrow_interest(since=min(_since(leg) for leg in legs))
            for account, legs in asked
        ],
        PAGES_SECONDS,
    )
    booked = 0
    for (account, legs), answer in zip(asked, answers, strict=True):
        if isinstance(answer, BaseException):
            extra = {"account": str(account), "reason": str(answer) or "too slow"}
            logger.warning("borrow interest not read", extra=extra)
            continue
        booked += _book_all(account, legs, answer, now)
        Leg.objects.filter(pk__in=[leg.pk for leg in legs]).update(interest_read_at=now)
        for leg in legs:
            _tell_if_missing(leg, now)
    return booked


def _owing(now: datetime) -> list[Leg]:
    """Return the short spot legs that may still be charged: owing now, or ended a while ago."""
    untold = Q(interest_read_at=None) | Q(
        interest_read_at__lt=F("position__close_timestamp") + AFTER_END
    )
    return list(
        Leg.objects.filter(
            Q(position__state__in=EXPOSED_POSITION_STATES) | untold,
            side=LegSide.SHORT,
            instrument__kind=InstrumentKind.SPOT,
            trades__isnull=False,
        )
        .distinct()
        .select_related("position", "instrument__exchange", "account__exchange")
        .prefetch_related("orders", "trades")
        .order_by("account_id", "-position__created_at")
    )


def _since(leg: Leg) -> datetime:
    """Return from when on the venue may have told something new of this leg."""
    began: datetime = min(trade.filled_at for trade in leg.trades.all())
    last = leg.interest.order_by("-charged_at").first()
    return began if last is None else max(began, last.charged_at - OVERLAP)


def _book_all(
    account: ExchangeAccount,
    legs: Sequence[Leg],
    charges: Iterable[domain.BorrowInterest],
    now: datetime,
) -> int:
    rows = list(charges)
    known = set(
        BorrowInterest.objects.filter(
            account=account, venue_interest_id__in=[row.venue_interest_id for row in rows]
        ).values_list("venue_interest_id", flat=True)
    )
    booked = 0
    for charge in rows:
        if charge.venue_interest_id in known:
            continue
        leg = next((leg for leg in legs if _owed(leg, charge)), None)
        if leg is None:
            _tell_of_foreign(account, charge, now)
        else:
            booked += _book(leg, charge, now)
    return booked


def _owed(leg: Leg, charge: domain.BorrowInterest) -> bool:
    """Tell whether a charge is for an hour in which the leg owed its asset."""
    if charge.asset != leg.instrument.base:
        return False
    began = min(trade.filled_at for trade in leg.trades.all())
    ended = leg.position.close_timestamp
    return began <= charge.charged_at and (ended is None or charge.charged_at <= ended + AFTER_END)


def _book(leg: Leg, charge: domain.BorrowInterest, now: datetime) -> int:
    price = _price(leg, charge.charged_at, now)
    try:
        with transaction.atomic():
            BorrowInterest.objects.create(
                position=leg.position,
                leg=leg,
                account=leg.account,
                venue_interest_id=charge.venue_interest_id,
                amount=charge.amount,
                asset=charge.asset,
                borrowed=charge.borrowed,
                hourly_rate=charge.hourly_rate,
                price=price,
                amount_usd=charge.amount * price,
                charged_at=charge.charged_at,
                booked_at=now,
            )
            # What is owed is part of what the leg holds: it is to be judged and read back anew.
            Position.objects.filter(pk=leg.position_id).update(
                exposure_version=F("exposure_version") + 1
            )
            announce(
                user_id=leg.position.user_id,
                kind="borrow.interest",
                sentence=f"Interest {plain(charge.amount)} {charge.asset} on the loan of "
                f"{leg.position.base}, {leg.instrument.exchange.short_code}",
                position=leg.position,
                now=now,
            )
    except IntegrityError:
        return 0  # another worker booked the venue's id at the same time
    is_over = leg.position.state not in LIVE_POSITION_STATES
    if is_over and leg_net_base(leg) <= -leg.instrument.lot:
        # What is owed after the end is bought back, however it came.
        ring_drive(leg.position_id)
    return 1


def _price(leg: Leg, charged_at: datetime, now: datetime) -> Decimal:
    """Return what one coin was worth: the mid if that is young enough, else the last fill."""
    row = market.row_of(market.board_of([leg.instrument]), leg.instrument)
    if row is not None and row.book is not None and now - charged_at <= MID_LASTS:
        return row.book.mid
    trades = sorted(leg.trades.all(), key=lambda trade: trade.filled_at)
    before = [trade for trade in trades if trade.filled_at <= charged_at]
    price: Decimal = (before or trades)[-1].price
    return price


def _tell_if_missing(leg: Leg, now: datetime) -> None:
    """Tell of a full hour that was owed and, half an hour later, is not charged."""
    due = (now - CHARGED_WITHIN).replace(minute=0, second=0, microsecond=0)
    began = min(trade.filled_at for trade in leg.trades.all())
    ended = leg.position.close_timestamp
    wallet = AccountBalance.objects.filter(account=leg.account, asset=leg.instrument.base).first()
    # Who owns coins sells those first, and owes nothing.
    owes = wallet is not None and wallet.total < 0
    if not owes or began > due - HOUR or (ended is not None and ended < due):
        return
    if leg.interest.filter(charged_at__gt=due - HOUR).exists():
        return
    announce_once(
        user_id=leg.position.user_id,
        kind="borrow.missing",
        severity=Event.Severity.WARNING,
        sentence=f"{leg.position.base}: {leg.instrument.exchange.name} has charged no interest on "
        f"{plain(abs(leg_net_base(leg)))} {leg.instrument.base} that are owed there since "
        f"{due:%H:%M} UTC: it may come later, and is not in the P&L yet",
        position=leg.position,
        within=TELL_AGAIN,
        now=now,
    )


def _tell_of_foreign(
    account: ExchangeAccount, charge: domain.BorrowInterest, now: datetime
) -> None:
    """Tell of a charge that no position explains; it stays in the bridge's unexplained."""
    announce_once(
        user_id=account.user_id,
        kind="borrow.foreign",
        severity=Event.Severity.WARNING,
        sentence=f"{account}: interest of {plain(charge.amount)} {charge.asset}, charged "
        f"{charge.charged_at:%Y-%m-%d %H:%M} UTC, belongs to no position of Carry: somebody else "
        "borrows on the account",
        within=TELL_AGAIN,
        now=now,
    )
