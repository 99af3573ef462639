"""From one reading of an account's equity to the next, in parts that add up.

    equity change = price P&L + funding - fees - borrow + transfers + quote FX
                    - failed attempts + unexplained

Pure; nothing is rounded. Realised price P&L derives from fills at average cost, what is open counts
with the venue's own unrealised P&L, less what of it belongs to quantities that are not ours. What
our rows do not explain, a stranger's trade or a credit nobody announced, is left in `unexplained`.

A spot leg is worth its coins at mid, as many as the wallet says but no more than ours; a debt is a
negative holding. A fee or interest paid in the coin itself counts as sold at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
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
class HeldCoins:
    """What a wallet holds of ours in a spot instrument's base, < 0 owed, and its mid in USD."""

    base_quantity: Decimal
    mid: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReading:
    """What a venue said an account is worth; `equity_usd` counts what is unrealised.

    `wallet_usd` is of dollars alone; `equity_usd` counts `coins`, what spot legs of ours hold.
    """

    at: datetime
    wallet_usd: Decimal
    equity_usd: Decimal
    positions: Mapping[str, HeldAtVenue]
    coins: Mapping[str, HeldCoins] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedFill:
    """One execution; `fee_usd` > 0 was paid, `base_fee` of it out of the coins that were traded.

    `is_moved`: coins that were written off. Nothing was paid for them: what they were worth was
    moved out, or in where a debt is gone.
    """

    at: datetime
    side: Side
    price: Decimal
    base_quantity: Decimal
    fee_usd: Decimal
    base_fee: Decimal = ZERO
    is_moved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedInterest:
    """One charge on a debt, > 0 paid; `base_quantity` of it is owed in the coin itself."""

    at: datetime
    amount_usd: Decimal
    base_quantity: Decimal = ZERO


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
    interest: Sequence[BookedInterest] = ()
    is_spot: bool = False
    ended_at: datetime | None = None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """What one booking did to a leg: a signed quantity at a price, and what it cost."""

    at: datetime
    added: Decimal = ZERO
    price: Decimal = ZERO
    fee_usd: Decimal = ZERO
    borrow_usd: Decimal = ZERO
    traded_usd: Decimal = ZERO
    moved_out_usd: Decimal = ZERO


@dataclass(slots=True, kw_only=True)
class _Holding:
    """A quantity at average cost: `cost` is signed as the quantity is."""

    base_quantity: Decimal = ZERO
    cost: Decimal = ZERO

    def book(self, move: _Move) -> Decimal:
        """Take a move in and return the price P&L it realised, its costs excluded."""
        added = move.added
        if self.base_quantity * added >= 0:
            self.base_quantity += added
            self.cost += added * move.price
            return ZERO
        closed = min(abs(added), abs(self.base_quantity)).copy_sign(self.base_quantity)
        released = self.cost * closed / self.base_quantity
        self.base_quantity -= closed
        self.cost -= released
        opened = added + closed
        self.base_quantity += opened
        self.cost += opened * move.price
        return closed * move.price - released


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
    holding = _Holding()
    held_cost = realised = traded = fees = borrow = moved_out = ZERO
    for move in _moves(leg):
        if move.at > until:
            break
        gained = holding.book(move)
        if move.at <= since:
            held_cost = abs(holding.cost)
            continue
        realised += gained
        fees += move.fee_usd
        borrow += move.borrow_usd
        traded += move.traded_usd
        moved_out += move.moved_out_usd
    funding = _within(leg.payments, since, until)
    booked = Bridge(transfers=-moved_out, notional_usd=held_cost + traded)
    if leg.is_failed_attempt:
        return booked + Bridge(failed_attempts=fees + borrow - realised - funding)
    return booked + Bridge(price_pnl=realised, funding=funding, fees=fees, borrow=borrow)


def _moves(leg: LegBook) -> list[_Move]:
    """Return all that changed what a leg holds, oldest first.

    Dust that is left when a spot leg ends is its owner's from then on: it is moved out.
    """
    moves = [
        _Move(
            at=fill.at,
            added=fill.side.sign * fill.base_quantity,
            price=fill.price,
            fee_usd=fill.fee_usd,
            traded_usd=ZERO if fill.is_moved else fill.price * fill.base_quantity,
            moved_out_usd=-fill.side.sign * fill.price * fill.base_quantity * fill.is_moved,
        )
        for fill in leg.fills
    ]
    moves += [
        _Move(at=fill.at, added=-fill.base_fee, price=fill.price)
        for fill in leg.fills
        if fill.base_fee
    ]
    moves += [_charged(charge) for charge in leg.interest]
    moves.sort(key=lambda move: move.at)
    dust = sum((move.added for move in moves), ZERO)
    if leg.is_spot and leg.ended_at is not None and dust:
        at, price = max(leg.ended_at, moves[-1].at), leg.fills[-1].price
        moves.append(_Move(at=at, added=-dust, price=price, moved_out_usd=dust * price))
    return moves


def _charged(charge: BookedInterest) -> _Move:
    owed = charge.base_quantity
    price = charge.amount_usd / owed if owed else ZERO
    return _Move(at=charge.at, added=-owed, price=price, borrow_usd=charge.amount_usd)


def _own_unrealised(reading: AccountReading, legs: Iterable[LegBook]) -> Decimal:
    """Return what of the equity is unrealised and ours: all of it but a stranger's share."""
    ours: dict[str, Decimal] = {}
    coins = ZERO
    for leg in legs:
        holding = _holding_at(leg, reading.at)
        ours[leg.symbol] = ours.get(leg.symbol, ZERO) + holding.base_quantity
        if leg.is_spot and leg.symbol in reading.coins:
            mid = reading.coins[leg.symbol].mid
            coins += holding.base_quantity * mid - holding.cost
        elif leg.is_spot:
            coins -= holding.cost
    foreign = sum(
        (
            held.unrealised_usd * (1 - ours.get(symbol, ZERO) / held.base_quantity)
            for symbol, held in reading.positions.items()
            if held.base_quantity and held.base_quantity != ours.get(symbol, ZERO)
        ),
        ZERO,
    )
    counted = sum((held.base_quantity * held.mid for held in reading.coins.values()), ZERO)
    return reading.equity_usd - reading.wallet_usd - counted - foreign + coins


def _holding_at(leg: LegBook, moment: datetime) -> _Holding:
    holding = _Holding()
    for move in _moves(leg):
        if move.at <= moment:
            holding.book(move)
    return holding


def _within(bookings: Iterable[Booking], since: datetime, until: datetime) -> Decimal:
    return sum((row.amount_usd for row in bookings if since < row.at <= until), ZERO)
