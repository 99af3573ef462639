"""How large a position may be: `docs/DOMAIN.md` section 4.

The size is the notional of a whole leg in USD; every leg gets its ratio of one base quantity, in
whole lots of all legs. What is too small or too much is refused, never bent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from functools import reduce

from exchanges.domain import Instrument
from exchanges.matching import LeverageTier, notional_limit
from trading.core.liquidation import margin_ratio
from trading.core.money import ceil_to_lot, common_lot, floor_to_lot, plain
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.core.sentence import usd

ONE = Decimal(1)
# Of more of a venue's open interest than this the way out is no longer a small part of its market.
INTEREST_SHARE = Decimal("0.01")
# The rest of a risk tier is left to prices that move while it is entered, and to orders beyond mid.
TIER_SHARE = Decimal("0.98")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capital:
    """One collateral pool in USD. A cross account is one pool for all legs that share it.

    `coins` is what our spot legs bought with it.
    """

    account: str
    free: Decimal
    used_margin: Decimal = Decimal(0)
    coins: Decimal = Decimal(0)

    @property
    def margin_ratio(self) -> Decimal | None:
        """Return equity / used margin, None when no margin is used."""
        return margin_ratio(self.free + self.used_margin, self.used_margin)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegCapacity:
    """What one leg can carry. `price` is the mid in USD; base quantities in base units.

    `base_fee` is the fee paid in the base asset on a spot buy, else 0. `ratio` is the leg's part of
    the position's base quantity. `interest_room` is the share of the venue's open interest that it
    may take, in base units, None where the venue tells none; `tier_room` what the venue's risk
    tiers leave at this leverage.
    """

    instrument: Instrument
    price: Decimal
    leverage: Decimal
    capital: Capital
    book_capacity: Decimal
    base_fee: Decimal = Decimal(0)
    ratio: Decimal = ONE
    interest_room: Decimal | None = None
    tier_room: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSize:
    """`order_quantities` are each leg's ratio of the base, in order, raised where a fee is in base.

    `bound_by` says in words what kept it from being larger.
    """

    size_usd: Decimal
    base_quantity: Decimal
    order_quantities: tuple[Decimal, ...]
    lot: Decimal
    bound_by: str


def plan_size(
    *,
    requested_usd: Decimal,
    legs: Sequence[LegCapacity],
    total_equity_usd: Decimal,
    limits_left_usd: Mapping[str, Decimal],
    parameters: Parameters,
) -> PlannedSize | Refusal:
    """Return the largest size within the request, the capital, the books and every limit.

    `limits_left_usd` holds what is left of each limit, keyed by the words a trader knows it by.
    """
    bounds = {"the size asked for": requested_usd, **limits_left_usd}
    bounds["the free capital"] = planned_usd(legs, total_equity_usd, parameters)
    for leg in legs:
        name = f"what {leg.instrument.symbol} on {leg.instrument.venue} can take"
        bounds[name] = leg_capacity(leg) * leg.price / leg.ratio
        if leg.interest_room is not None:
            name = f"1 % of open interest at {leg.instrument.venue}"
            bounds[name] = leg.interest_room * leg.price / leg.ratio
        if leg.tier_room is not None:
            name = f"what {leg.instrument.venue} lets be held at {plain(leg.leverage)}x"
            bounds[name] = leg.tier_room * leg.price / leg.ratio
    bound_by, size = min(bounds.items(), key=lambda bound: bound[1])
    if size <= 0:
        return Refusal(code="no_room", sentence=f"Nothing is left of {bound_by}.")
    lot = reduce(common_lot, (leg.instrument.lot / leg.ratio for leg in legs))
    base_quantity = floor_to_lot(min(_net_base(leg, size) for leg in legs), lot)
    refusal = _too_small(legs, base_quantity, size, bound_by)
    if refusal is not None:
        return refusal
    return PlannedSize(
        size_usd=base_quantity * max(leg.price for leg in legs),
        base_quantity=base_quantity,
        order_quantities=tuple(_order_quantity(leg, base_quantity) for leg in legs),
        lot=lot,
        bound_by=bound_by,
    )


def planned_usd(
    legs: Iterable[LegCapacity], total_equity_usd: Decimal, parameters: Parameters
) -> Decimal:
    """Return the notional per leg that the weakest collateral pool is planned to carry."""
    margin_per_usd: dict[Capital, Decimal] = {}
    for leg in legs:
        margin_per_usd.setdefault(leg.capital, Decimal(0))
        margin_per_usd[leg.capital] += leg.ratio / leg.leverage
    return min(
        plannable(capital, total_equity_usd, parameters) / margin
        for capital, margin in margin_per_usd.items()
    )


def plannable(capital: Capital, total_equity_usd: Decimal, parameters: Parameters) -> Decimal:
    """Return the margin in USD that may still be planned: earlier positions count as active."""
    bound = capital.used_margin + capital.coins
    active = parameters.active_fraction * (capital.free + bound) - bound
    allowed = parameters.venue_equity_fraction * total_equity_usd - bound
    return parameters.planned_fraction * max(min(active, allowed), Decimal(0))


def leg_capacity(leg: LegCapacity) -> Decimal:
    """Return the base quantity that the book, and one order at the venue, allow."""
    most = leg.instrument.max_base_quantity
    return leg.book_capacity if most is None else min(leg.book_capacity, most)


def interest_room(open_interest: Decimal) -> Decimal:
    """Return how much of what is held at a venue one leg may be: 1 % of 2,000 is 20."""
    return INTEREST_SHARE * open_interest


def tier_room(
    tiers: Sequence[LeverageTier], *, leverage: Decimal, price: Decimal, held: Decimal
) -> Decimal:
    """Return how much more may be held at a leverage, in base units, >= 0.

    Worked: up to 100,000 at 2x, 0.5 of it held at 50,000: (0.98 x 100,000 - 25,000) / 50,000.
    """
    allowed = TIER_SHARE * notional_limit(leverage, tiers)
    return max(allowed / price - held, Decimal(0))


def max_safe_leverage(daily_volatility: Decimal) -> Decimal:
    """Return 1 / (2 x daily volatility): 3 % a day is 16.67."""
    return ONE / (2 * daily_volatility)


def recommended_leverage(daily_volatility: Decimal, cap: Decimal) -> Decimal:
    """Return half the safe leverage in whole steps, at least 1 and never above `cap`."""
    half = (max_safe_leverage(daily_volatility) / 2).to_integral_value(ROUND_FLOOR)
    return min(max(half, ONE), cap)


def size_for_income(
    income_per_day: Decimal, funding_rate: Decimal, settlements_per_day: Decimal
) -> Decimal:
    """Return the notional that earns an income at a rate: 50 a day at 0.01 % x 3 is 166,667."""
    return income_per_day / (funding_rate * settlements_per_day)


def _net_base(leg: LegCapacity, size_usd: Decimal) -> Decimal:
    """Return the position's base where the leg's order is at most its ratio of `size_usd`."""
    gross = size_usd / leg.price
    if not leg.base_fee:
        return gross
    # The order is raised to a lot again: one lot less keeps it within the size.
    return max(gross - leg.instrument.lot / leg.ratio, Decimal(0)) * (1 - leg.base_fee)


def _order_quantity(leg: LegCapacity, base_quantity: Decimal) -> Decimal:
    return ceil_to_lot(leg.ratio * base_quantity / (1 - leg.base_fee), leg.instrument.lot)


def _too_small(
    legs: Iterable[LegCapacity], base_quantity: Decimal, size_usd: Decimal, bound_by: str
) -> Refusal | None:
    for leg in legs:
        instrument, own_quantity = leg.instrument, leg.ratio * base_quantity
        least = max(instrument.min_base_quantity * leg.price, instrument.min_notional)
        if (
            own_quantity <= 0
            or own_quantity < instrument.min_base_quantity
            or own_quantity * leg.price < instrument.min_notional
        ):
            return Refusal(
                code="below_minimum",
                sentence=(
                    f"{usd(size_usd)}, all that {bound_by} allows, gives "
                    f"{own_quantity} {instrument.base} in whole lots, below the minimum of "
                    f"{instrument.symbol} on {instrument.venue} (about "
                    f"{usd(least)})."
                ),
            )
    return None
