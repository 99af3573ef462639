"""From one reading of an account's equity to the next, in parts that add up.

    equity change = price P&L + funding - fees - borrow + transfers + quote FX
                    - failed attempts + unexplained

Pure; nothing is rounded. Realised price P&L derives from fills at average cost, what is open counts
with the venue's own unrealised P&L, less what of it belongs to quantities that are not ours. What
our rows do not explain, a stranger's trade or a credit nobody announced, is left in `unexplained`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal, localcontext

from exchanges.domain import Side
from trading.core.pnl import EXACT, needs_alert

ZERO = Decimal(0)
# Below this nobody is woken, whatever the notional.
SMALLEST_ALERT_USD = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAtVenue:
    """One position as the venue said it; `base_quantity` is signed."""

    base_quantity: Decimal
    unrealised_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReading:
    """What a venue said an account is worth; `equity_usd` counts what is unrealised."""

    at: datetime
    wallet_usd: Decimal
    equity_usd: Decimal
    positions: Mapping[str, HeldAtVenue]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedFill:
    """One execution; `fee_usd` > 0 was paid out of the dollars of the account."""

    at: datetime
    side: Side
    price: Decimal
    base_quantity: Decimal
    fee_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """An amount in USD that was credited (> 0) or debited at a moment."""

    at: datetime
    amount_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class LegBook:
    """All that was booked for one leg, oldest first. A failed attempt has a line of its own."""

    symbol: str
    fills: Sequence[BookedFill]
    payments: Sequence[Booking] = ()
    is_failed_attempt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The parts in USD. Fees, borrow and the cost of failed attempts are > 0 where we paid.

    `notional_usd` is what was held at the start at cost and all that was traded since.
    """

    equity_change: Decimal = ZERO
    price_pnl: Decimal = ZERO
    funding: Decimal = ZERO
    fees: Decimal = ZERO
    borrow: Decimal = ZERO
    transfers: Decimal = ZERO
    quote_fx: Decimal = ZERO
    failed_attempts: Decimal = ZERO
    notional_usd: Decimal = ZERO

    @property
    def net_pnl(self) -> Decimal:
        with localcontext(EXACT):
            earned = self.price_pnl + self.funding + self.quote_fx
            return earned - self.fees - self.borrow - self.failed_attempts

    @property
    def unexplained(self) -> Decimal:
        with localcontext(EXACT):
            return self.equity_change - self.net_pnl - self.transfers

    @property
    def needs_alert(self) -> bool:
        """Tell whether more than 1 bp of notional, and a cent, is unexplained."""
        return abs(self.unexplained) > SMALLEST_ALERT_USD and needs_alert(
            self.unexplained, self.notional_usd
        )

    def __add__(self, other: Bridge) -> Bridge:
        with localcontext(EXACT):
            return Bridge(
                **{
                    part.name: getattr(self, part.name) + getattr(other, part.name)
                    for part in fields(self)
                }
            )


@dataclass(slots=True)
class _Holding:
    """A quantity at average cost: `cost` is signed as the quantity is."""

    base_quantity: Decimal = ZERO
    cost: Decimal = ZERO

    def book(self, fill: BookedFill) -> Decimal:
        """Take a fill in and return the price P&L it realised, fee excluded."""
        added = fill.side.sign * fill.base_quantity
        if self.base_quantity * added >= 0:
            self.base_quantity += added
            self.cost += added * fill.price
            return ZERO
        closed = min(abs(added), abs(self.base_quantity)).copy_sign(self.base_quantity)
        released = self.cost * closed / self.base_quantity
        self.base_quantity -= closed
        self.cost -= released
        opened = added + closed
        self.base_quantity += opened
        self.cost += opened * fill.price
        return closed * fill.price - released


def account_bridge(
    opening: AccountReading,
    closing: AccountReading,
    legs: Iterable[LegBook],
    transfers: Iterable[Booking] = (),
) -> Bridge:
    """Return the parts between two readings of one account.

    What was booked at the very moment of a reading belongs before it. `legs` are all that were
    held or traded in between, with all their fills from the first on.
    """
    books = list(legs)
    with localcontext(EXACT):
        parts = [_leg_bridge(leg, opening.at, closing.at) for leg in books]
        unrealised = _own_unrealised(closing, books) - _own_unrealised(opening, books)
        moved = _within(transfers, opening.at, closing.at)
        whole = Bridge(
            equity_change=closing.equity_usd - opening.equity_usd,
            price_pnl=unrealised,
            transfers=moved,
        )
        return sum(parts, whole)


def _leg_bridge(leg: LegBook, since: datetime, until: datetime) -> Bridge:
    holding, realised, traded, fees = _Holding(), ZERO, ZERO, ZERO
    held_cost = ZERO
    for fill in leg.fills:
        if fill.at > until:
            break
        gained = holding.book(fill)
        if fill.at <= since:
            held_cost = abs(holding.cost)
            continue
        realised += gained
        fees += fill.fee_usd
        traded += fill.price * fill.base_quantity
    funding = _within(leg.payments, since, until)
    notional = held_cost + traded
    if leg.is_failed_attempt:
        return Bridge(failed_attempts=fees - realised - funding, notional_usd=notional)
    return Bridge(price_pnl=realised, funding=funding, fees=fees, notional_usd=notional)


def _own_unrealised(reading: AccountReading, legs: Iterable[LegBook]) -> Decimal:
    """Return the venue's unrealised P&L of what we hold: all of it but a stranger's share."""
    ours: dict[str, Decimal] = {}
    for leg in legs:
        ours[leg.symbol] = ours.get(leg.symbol, ZERO) + _held(leg, reading.at)
    foreign = sum(
        (
            held.unrealised_usd * (1 - ours.get(symbol, ZERO) / held.base_quantity)
            for symbol, held in reading.positions.items()
            if held.base_quantity and held.base_quantity != ours.get(symbol, ZERO)
        ),
        ZERO,
    )
    return reading.equity_usd - reading.wallet_usd - foreign


def _held(leg: LegBook, moment: datetime) -> Decimal:
    return sum(
        (fill.side.sign * fill.base_quantity for fill in leg.fills if fill.at <= moment), ZERO
    )


def _within(bookings: Iterable[Booking], since: datetime, until: datetime) -> Decimal:
    return sum((row.amount_usd for row in bookings if since < row.at <= until), ZERO)
