"""Matching, fees, margin, funding and liquidation of one account against a book.

Pure: standard library and `exchanges.domain`. Shared by the venue simulator, the paper account and
the backtest, so that the three cannot disagree. Nothing here rounds: a caller that must round says
so. Signs as in `docs`: quantities of holdings are signed (long > 0), payments > 0 were received.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from exchanges.domain import Level, Side

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverageTier:
    """One row of a venue's risk table.

    `maintenance_amount` (quote) is deducted so that maintenance is continuous at `notional_cap`.
    """

    notional_cap: Decimal
    max_leverage: Decimal
    maintenance_rate: Decimal
    maintenance_amount: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A linear one-way position. `cost` is the signed quote value at which it was opened."""

    base_quantity: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def entry_price(self) -> Decimal | None:
        return self.cost / self.base_quantity if self.base_quantity else None

    def unrealised_pnl(self, mark_price: Decimal) -> Decimal:
        return self.base_quantity * mark_price - self.cost

    def notional(self, mark_price: Decimal) -> Decimal:
        return abs(self.base_quantity) * mark_price


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginState:
    """One cross-margin wallet in its settle asset, valued at mark prices."""

    wallet_balance: Decimal
    unrealised_pnl: Decimal
    initial_margin: Decimal
    order_margin: Decimal
    maintenance_margin: Decimal

    @property
    def equity(self) -> Decimal:
        return self.wallet_balance + self.unrealised_pnl

    @property
    def available(self) -> Decimal:
        """Return what may still be used as margin; never below 0."""
        return max(ZERO, self.equity - self.initial_margin - self.order_margin)

    @property
    def is_liquidatable(self) -> bool:
        return self.maintenance_margin > 0 and self.equity < self.maintenance_margin


class Booked(NamedTuple):
    """What one fill did to a holding: the new holding and the realised price P&L, fee excluded."""

    holding: Holding
    realised_pnl: Decimal


def tiers_from(rows: Sequence[tuple[str, str, str]]) -> tuple[LeverageTier, ...]:
    """Return tiers of (notional cap, max leverage, maintenance rate) with continuous maintenance.

    Worked: rates 0.004 up to 50,000 and 0.005 above give the second tier an amount of
    50,000 x (0.005 - 0.004) = 50.
    """
    tiers: list[LeverageTier] = []
    for cap, leverage, rate in rows:
        amount = ZERO
        if tiers:
            last = tiers[-1]
            step = Decimal(rate) - last.maintenance_rate
            amount = last.maintenance_amount + last.notional_cap * step
        tiers.append(
            LeverageTier(
                notional_cap=Decimal(cap),
                max_leverage=Decimal(leverage),
                maintenance_rate=Decimal(rate),
                maintenance_amount=amount,
            )
        )
    return tuple(tiers)


def crosses(side: Side, price: Decimal, opposite_touch: Decimal) -> bool:
    """Tell whether a limit at `price` would trade at once against `opposite_touch`."""
    return price >= opposite_touch if side is Side.BUY else price <= opposite_touch


def take(
    levels: Sequence[Level], *, side: Side, base_quantity: Decimal, limit: Decimal | None
) -> tuple[Level, ...]:
    """Return the executions of walking the opposite side of the book, best price first.

    Stops at `limit` or when the book ends: the sum may be less than `base_quantity`.
    """
    executions: list[Level] = []
    remaining = base_quantity
    for level in levels:
        if remaining <= 0 or (limit is not None and not crosses(side, limit, level.price)):
            break
        quantity = min(remaining, level.base_quantity)
        if quantity > 0:
            executions.append(Level(price=level.price, base_quantity=quantity))
            remaining -= quantity
    return tuple(executions)


def book_fill(holding: Holding, *, side: Side, base_quantity: Decimal, price: Decimal) -> Booked:
    """Book one fill: first it closes what is open on the other side, the rest opens."""
    signed = base_quantity * side.sign
    opens_more = holding.base_quantity * signed >= 0
    closed = ZERO if opens_more else min(base_quantity, abs(holding.base_quantity))
    released = holding.cost * closed / abs(holding.base_quantity) if closed else ZERO
    realised = -closed * side.sign * price - released if closed else ZERO
    opened = (base_quantity - closed) * side.sign
    return Booked(
        Holding(
            base_quantity=holding.base_quantity + signed,
            cost=holding.cost - released + opened * price,
        ),
        realised,
    )


def reducible(holding: Holding, *, side: Side, base_quantity: Decimal) -> Decimal:
    """Return how much of `base_quantity` a reduce-only order may execute; 0 if none."""
    if holding.base_quantity * side.sign >= 0:
        return ZERO
    return min(base_quantity, abs(holding.base_quantity))


def added_exposure(holding: Holding, *, side: Side, base_quantity: Decimal) -> Decimal:
    """Return by how much the absolute position would grow; 0 when it would shrink."""
    after = abs(holding.base_quantity + base_quantity * side.sign)
    return max(ZERO, after - abs(holding.base_quantity))


def trade_fee(*, notional: Decimal, rate: Decimal) -> Decimal:
    """Return the fee in quote; > 0 is paid, < 0 a rebate."""
    return notional * rate


def funding_payment(
    *, position_base: Decimal, settlement_price: Decimal, funding_rate: Decimal
) -> Decimal:
    """Return the payment of one settlement; > 0 is received. A long pays a positive rate."""
    return -position_base * settlement_price * funding_rate


def tier_of(notional: Decimal, tiers: Sequence[LeverageTier]) -> LeverageTier:
    """Return the first tier whose cap holds `notional`; beyond all caps the last one."""
    return next((tier for tier in tiers if notional <= tier.notional_cap), tiers[-1])


def notional_limit(leverage: Decimal, tiers: Sequence[LeverageTier]) -> Decimal:
    """Return the largest notional allowed at `leverage`."""
    return max((t.notional_cap for t in tiers if t.max_leverage >= leverage), default=ZERO)


def maintenance_margin(notional: Decimal, tiers: Sequence[LeverageTier]) -> Decimal:
    if not notional:
        return ZERO
    tier = tier_of(notional, tiers)
    return notional * tier.maintenance_rate - tier.maintenance_amount


def margin_alone(holding: Holding, *, leverage: Decimal, added: Decimal) -> Decimal:
    """Return what stands behind an isolated holding: its initial margin and what was added."""
    return abs(holding.cost) / leverage + added


def standing_alone(
    holding: Holding, *, margin: Decimal, mark_price: Decimal, maintenance: Decimal
) -> MarginState:
    """Return what carries an isolated holding: its margin and nothing else of the wallet."""
    return MarginState(
        wallet_balance=margin,
        unrealised_pnl=holding.unrealised_pnl(mark_price),
        initial_margin=ZERO,
        order_margin=ZERO,
        maintenance_margin=maintenance,
    )


def bankruptcy_price(holding: Holding, margin: Decimal) -> Decimal:
    """Return the price at which an isolated holding has lost its whole margin.

    From margin + q P - cost = 0 follows P = (cost - margin) / q: long 1 at 60,000 behind 6,000
    is lost at 54,000, short 1 at 66,000.
    """
    return (holding.cost - margin) / holding.base_quantity


def takeover_price(
    base_quantity: Decimal, *, mark_price: Decimal, equity: Decimal, fee_rate: Decimal
) -> Decimal:
    """Return the mark, or the price at which closing a holding leaves its wallet nothing.

    `equity` is the wallet's, all at their marks; > 0 held, < 0 sold. From
    equity + q (P - mark) - |q| P r = 0 follows P = (mark - equity / q) / (1 - r sign q): 1 short at
    66,000 in a wallet that is 1,000 short without a fee is taken over at 65,000.
    """
    sign = 1 if base_quantity > 0 else -1
    price = (mark_price - equity / base_quantity) / (1 - fee_rate * sign)
    return max(mark_price, price) if base_quantity > 0 else min(mark_price, price)


def cross_liquidation_price(
    holding: Holding, *, state: MarginState, mark_price: Decimal, tiers: Sequence[LeverageTier]
) -> Decimal | None:
    """Return the mark at which the wallet's equity meets its maintenance; None if there is none.

    Other holdings of the wallet are taken at their present marks. From
    rest + q P - cost = m |q| P - a follows P = (cost - rest - a) / (q - m |q|).
    """
    quantity = holding.base_quantity
    if not quantity:
        return None
    notional = holding.notional(mark_price)
    tier = tier_of(notional, tiers)
    other_maintenance = state.maintenance_margin - maintenance_margin(notional, tiers)
    rest = state.equity - holding.unrealised_pnl(mark_price) - other_maintenance
    price = (holding.cost - rest - tier.maintenance_amount) / (
        quantity - tier.maintenance_rate * abs(quantity)
    )
    return price if price > 0 else None
