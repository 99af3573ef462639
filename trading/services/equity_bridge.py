"""What changed a user's equity, part by part, derived from the rows each time it is asked.

Readings of equity come from the venues, the parts from our own fills, payments, fees and transfers.
Nothing is stored but the alert when too much of a change has no row that explains it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from arbsite.accounts.models import User
from exchanges.domain import Side
from trading.core.equity_bridge import (
    AccountReading,
    BookedFill,
    BookedInterest,
    Booking,
    Bridge,
    HeldAtVenue,
    HeldCoins,
    LegBook,
    account_bridge,
)
from trading.core.money import signed
from trading.core.sentence import usd
from trading.events import announce_once
from trading.models import (
    AccountEquity,
    BorrowInterest,
    EquitySnapshot,
    Event,
    FundingEvent,
    Leg,
    Trade,
    Transfer,
)
from trading.models.ledger import EquitySnapshotQuerySet
from trading.services.capital import DOLLARS
from trading.services.holdings import base_fee, is_spot
from trading.services.money_mode import mode_of
from trading.services.pnl import interest_of, ledger_interest

DAY = timedelta(days=1)
# A reading so near to a fill, payment or transfer may or may not count it already.
BEFORE_READING = timedelta(seconds=5)
AFTER_READING = timedelta(seconds=10)
QUIET_AMONG = 30
# By then fills, payments and transfers of a reading are booked.
SETTLED_AFTER = timedelta(minutes=3)
TOLD_WITHIN = timedelta(hours=6)
KIND = "equity.unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgePeriod:
    """The bridge from one reading of a user's equity to another.

    `other_fees` were paid in assets that are neither dollars nor the coins of a leg: they are in no
    equity here.
    """

    opened_at: datetime
    closed_at: datetime
    opening_equity: Decimal
    closing_equity: Decimal
    parts: Bridge
    other_fees: Mapping[str, Decimal]


def equity_bridge(user: User, *, since: datetime | None, until: datetime) -> BridgePeriod | None:
    """Return the bridge from the last quiet reading at or before `since` to that of `until`.

    None as `since`, or no reading before it: from the first one. None where there are no two.
    """
    opening = _quiet(user, until=since) if since is not None else None
    opening = opening or _readings(user).last()
    closing = _quiet(user, until=until)
    if opening is None or closing is None or _read_at(closing) <= _read_at(opening):
        return None
    rows = _account_rows(user, opening, closing)
    legs, other_fees = _legs(user, _read_at(opening), _read_at(closing))
    moved = _transfers(user)
    total = Bridge()
    for account_id, (first, last) in rows.items():
        bridge = account_bridge(
            _reading(first), _reading(last), legs.get(account_id, []), moved.get(account_id, [])
        )
        total += bridge + _joined_or_left(first, last, opening, closing)
    return BridgePeriod(
        opened_at=_read_at(opening),
        closed_at=_read_at(closing),
        opening_equity=opening.equity_usd,
        closing_equity=closing.equity_usd,
        parts=total,
        other_fees=other_fees,
    )


def daily_bridges(user: User, *, days: int, now: datetime) -> list[BridgePeriod]:
    """Return the bridges of the last UTC days that have readings, today first."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    spans = [(midnight, now)]
    spans += [(midnight - DAY * (n + 1), midnight - DAY * n) for n in range(days - 1)]
    found = [equity_bridge(user, since=since, until=until) for since, until in spans]
    return [period for period in found if period is not None]


def alert_all_unexplained(*, now: datetime) -> None:
    """Tell every user of whose change of equity today more than 1 bp of notional has no row."""
    for user in User.objects.filter(equity__read_at__gte=now - DAY).distinct():
        _alert_unexplained(user, now)


def _alert_unexplained(user: User, now: datetime) -> None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    period = equity_bridge(user, since=midnight, until=now - SETTLED_AFTER)
    if period is None or not period.parts.needs_alert:
        return
    parts = period.parts
    announce_once(
        user_id=user.pk,
        kind=KIND,
        severity=Event.Severity.WARNING,
        sentence=f"{signed(parts.unexplained, 2)} USD of today's equity change of "
        f"{signed(parts.equity_change, 2)} USD is explained by no fill, payment, fee or transfer "
        f"of Carry, on a notional of {usd(parts.notional_usd)}: look for trades, credits or "
        "charges on the venues' own pages",
        within=TOLD_WITHIN,
        now=now,
    )


def _readings(user: User) -> EquitySnapshotQuerySet:
    own = EquitySnapshot.objects.for_user(user).filter(mode=mode_of(user))
    return own.exclude(read_at=None).order_by("-read_at")


def _read_at(snapshot: EquitySnapshot) -> datetime:
    return snapshot.read_at or snapshot.at


def _quiet(user: User, *, until: datetime) -> EquitySnapshot | None:
    """Return the last reading up to `until` with nothing booked close to it, else the last one."""
    readings = list(_readings(user).filter(read_at__lte=until)[:QUIET_AMONG])
    if not readings:
        return None
    span = (_read_at(readings[-1]) - BEFORE_READING, _read_at(readings[0]) + AFTER_READING)
    moments = [
        *Trade.objects.filter(position__user=user, filled_at__range=span).values_list(
            "filled_at", flat=True
        ),
        *FundingEvent.objects.filter(position__user=user, paid_at__range=span).values_list(
            "paid_at", flat=True
        ),
        *BorrowInterest.objects.filter(position__user=user, charged_at__range=span).values_list(
            "charged_at", flat=True
        ),
        *Transfer.objects.filter(account__user=user, moved_at__range=span).values_list(
            "moved_at", flat=True
        ),
    ]
    for reading in readings:
        read_at = _read_at(reading)
        span = (read_at - BEFORE_READING, read_at + AFTER_READING)
        if not any(span[0] <= moment <= span[1] for moment in moments):
            return reading
    return readings[0]


def _account_rows(
    user: User, opening: EquitySnapshot, closing: EquitySnapshot
) -> dict[UUID, tuple[AccountEquity, AccountEquity]]:
    """Return each account's first and last reading of the span."""
    rows: dict[UUID, tuple[AccountEquity, AccountEquity]] = {}
    ends = AccountEquity.objects.filter(snapshot__in=(opening, closing)).select_related("snapshot")
    for account_id in {row.account_id for row in ends}:
        own = AccountEquity.objects.filter(
            account_id=account_id,
            snapshot__user=user,
            snapshot__read_at__range=(_read_at(opening), _read_at(closing)),
        ).select_related("snapshot")
        first = own.order_by("snapshot__read_at").first()
        last = own.order_by("-snapshot__read_at").first()
        if first is not None and last is not None:
            rows[account_id] = (first, last)
    return rows


def _joined_or_left(
    first: AccountEquity, last: AccountEquity, opening: EquitySnapshot, closing: EquitySnapshot
) -> Bridge:
    """Count an account that was connected or taken away in between as money moved in or out."""
    moved = Decimal(0)
    if first.snapshot_id != opening.pk:
        moved += first.equity_usd
    if last.snapshot_id != closing.pk:
        moved -= last.equity_usd
    return Bridge(equity_change=moved, transfers=moved)


def _reading(row: AccountEquity) -> AccountReading:
    return AccountReading(
        at=_read_at(row.snapshot),
        wallet_usd=row.wallet_usd,
        equity_usd=row.equity_usd,
        positions={
            held["symbol"]: HeldAtVenue(
                base_quantity=Decimal(held["base_quantity"]),
                unrealised_usd=Decimal(held["unrealised_pnl"]),
            )
            for held in row.positions
        },
        coins={
            held["symbol"]: HeldCoins(
                base_quantity=Decimal(held["base_quantity"]), mid=Decimal(held["mid"])
            )
            for held in row.coins
        },
    )


def _legs(
    user: User, since: datetime, until: datetime
) -> tuple[dict[UUID, list[LegBook]], dict[str, Decimal]]:
    """Return the books of what was held or traded, by account, and fees in third assets."""
    legs = (
        Leg.objects.filter(position__user=user, trades__filled_at__lte=until)
        .exclude(position__close_timestamp__lt=since - DAY)
        .distinct()
        .select_related("instrument", "position__failed_attempt")
        .prefetch_related("trades", "funding_events")
    )
    books: dict[UUID, list[LegBook]] = {}
    other_fees: dict[str, Decimal] = {}
    for leg in legs:
        trades = list(leg.trades.all())
        books.setdefault(leg.account_id, []).append(_book(leg, trades))
        for trade in trades:
            is_own = trade.fee_asset in DOLLARS or base_fee(trade, leg)
            if not is_own and since < trade.filled_at <= until:
                before = other_fees.get(trade.fee_asset, Decimal(0))
                other_fees[trade.fee_asset] = before + trade.fee
    return books, other_fees


def _book(leg: Leg, trades: Iterable[Trade]) -> LegBook:
    return LegBook(
        symbol=leg.instrument.symbol,
        fills=[
            BookedFill(
                at=trade.filled_at,
                side=Side(trade.order_side),
                price=trade.price,
                base_quantity=trade.base_quantity,
                fee_usd=_fee_of_dollars_or_coins(trade, leg),
                base_fee=base_fee(trade, leg),
                is_moved=is_spot(leg) and trade.cause == Trade.Cause.WRITTEN_OFF,
            )
            for trade in trades
        ],
        interest=[
            BookedInterest(
                at=row.charged_at,
                amount_usd=row.amount_usd,
                base_quantity=ledger_interest(row, leg).base_quantity,
            )
            for row in interest_of(leg)
        ],
        is_spot=is_spot(leg),
        ended_at=leg.position.close_timestamp,
        payments=[
            Booking(at=event.paid_at, amount_usd=event.payment_usd)
            for event in leg.funding_events.all()
        ],
        is_failed_attempt=hasattr(leg.position, "failed_attempt"),
    )


def _fee_of_dollars_or_coins(trade: Trade, leg: Leg) -> Decimal:
    """Return the fee that left the equity of this page; one in a third asset left none of it."""
    if trade.fee_asset in DOLLARS:
        fee: Decimal = trade.fee
        return fee
    in_coins: Decimal = base_fee(trade, leg) * trade.price
    return in_coins


def _transfers(user: User) -> dict[UUID, list[Booking]]:
    moved: dict[UUID, list[Booking]] = {}
    for row in Transfer.objects.filter(account__user=user, asset__in=DOLLARS):
        booking = Booking(at=row.moved_at, amount_usd=row.amount)
        moved.setdefault(row.account_id, []).append(booking)
    return moved
