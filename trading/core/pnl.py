"""Profit and loss in parts that add up: `docs/DOMAIN.md` section 8.

Everything is derived from fills, payments and fees through `position_pnl`; nothing is stored and
edited. Parts of a leg are in its settle asset times `usd_per_settle`, an explicit input, so that
legs in different stablecoins never add up by accident. Gains > 0; fees and borrow > 0 were paid.

What is paid in the base asset itself, a fee of a spot purchase or interest on a spot debt, counts
as sold at the price of that moment: the cost is its value then, and it is held no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from exchanges.domain import Side

ZERO = Decimal(0)
ONE = Decimal(1)
UNEXPLAINED_ALERT = Decimal("0.0001")
# Venue prices times venue quantities need more than the default 28 digits to stay exact.
EXACT = Context(prec=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegFill:
    """One execution of a leg. `fee` > 0 was paid, in the settle asset.

    `base_fee` > 0 is what of it was taken out of the base asset; `fee` is its value.
    """

    side: Side
    price: Decimal
    base_quantity: Decimal
    fee: Decimal
    base_fee: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Interest:
    """One charge on what was borrowed, > 0 paid; `base_quantity` where the base is owed more."""

    value: Decimal
    base_quantity: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLedger:
    """All that happened to one leg; `side` BUY is a long leg, `ratio` its part of the position.

    `entry_mid` is the mid when the entry was decided. `exit_mid` is the mid when the exit was
    decided, or the present one while the leg is open; what is still held is valued at `mark_price`.
    """

    side: Side
    fills: Sequence[LegFill]
    entry_mid: Decimal
    exit_mid: Decimal
    mark_price: Decimal
    funding: Sequence[Decimal] = ()
    interest: Sequence[Interest] = ()
    ratio: Decimal = ONE
    usd_per_settle: Decimal = ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class PnlParts:
    """The parts of a position's P&L in USD. `residual_pnl` is the drift between unequal legs."""

    basis_pnl: Decimal = ZERO
    slippage_pnl: Decimal = ZERO
    residual_pnl: Decimal = ZERO
    funding: Decimal = ZERO
    fees: Decimal = ZERO
    borrow: Decimal = ZERO

    @property
    def price_pnl(self) -> Decimal:
        with localcontext(EXACT):
            return self.basis_pnl + self.slippage_pnl + self.residual_pnl

    @property
    def total(self) -> Decimal:
        with localcontext(EXACT):
            return self.price_pnl + self.funding - self.fees - self.borrow


def position_pnl(legs: Sequence[LegLedger]) -> PnlParts:
    """Return the parts of a position of any number of legs; nothing is rounded."""
    with localcontext(EXACT):
        hedged_base = min((_opened(leg) / leg.ratio for leg in legs), default=ZERO)
        price = _summed(legs, _price_pnl)
        basis = sum((_basis_pnl(leg, hedged_base) * leg.usd_per_settle for leg in legs), ZERO)
        slippage = _summed(legs, _slippage_pnl)
        return PnlParts(
            basis_pnl=basis,
            slippage_pnl=slippage,
            residual_pnl=price - basis - slippage,
            funding=_summed(legs, lambda leg: sum(leg.funding, ZERO)),
            fees=_summed(legs, lambda leg: sum((fill.fee for fill in leg.fills), ZERO)),
            borrow=_summed(legs, lambda leg: sum((row.value for row in leg.interest), ZERO)),
        )


def needs_alert(unexplained_usd: Decimal, notional_usd: Decimal) -> bool:
    """Tell whether an unexplained amount is above 1 bp of notional."""
    return abs(unexplained_usd) > UNEXPLAINED_ALERT * notional_usd


def _price_pnl(leg: LegLedger) -> Decimal:
    """Return cash and what is held at mark; what the base paid for as if it had been sold."""
    cash = held = ZERO
    for fill in leg.fills:
        added = fill.side.sign * fill.base_quantity
        cash += fill.base_fee * fill.price - added * fill.price
        held += added - fill.base_fee
    for charge in leg.interest:
        if charge.base_quantity:
            cash += charge.value
            held -= charge.base_quantity
    return cash + held * leg.mark_price


def _basis_pnl(leg: LegLedger, hedged_base: Decimal) -> Decimal:
    return leg.side.sign * (leg.exit_mid - leg.entry_mid) * hedged_base * leg.ratio


def _slippage_pnl(leg: LegLedger) -> Decimal:
    """Return fills against the decision mids: worse than mid is negative."""
    opening = ((fill, leg.entry_mid) for fill in leg.fills if fill.side is leg.side)
    closing = ((fill, leg.exit_mid) for fill in leg.fills if fill.side is not leg.side)
    return sum(
        (
            fill.side.sign * (mid - fill.price) * fill.base_quantity
            for fill, mid in (*opening, *closing)
        ),
        ZERO,
    )


def _opened(leg: LegLedger) -> Decimal:
    return sum((fill.base_quantity for fill in leg.fills if fill.side is leg.side), ZERO)


def _summed(legs: Iterable[LegLedger], part: Callable[[LegLedger], Decimal]) -> Decimal:
    return sum((part(leg) * leg.usd_per_settle for leg in legs), ZERO)
