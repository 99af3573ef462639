"""What staying with an open position brings, counted by its own strategy like an opportunity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from exchanges.domain import Side
from trading.core.allocation import Held
from trading.core.costs import RoundTrip
from trading.models import Leg, Position
from trading.services import market
from trading.services.appraise import appraise
from trading.services.evaluate import shared_universe
from trading.services.seen import Seen
from trading.services.standing import Standing
from trading.services.universe import Paired, PairedLeg
from trading.strategies.base import LegShape
from trading.strategies.registry import STRATEGIES


def staying(position: Position, standing: Standing, now: datetime) -> Held | None:
    """Return what the position brings over the hold time from now, and what leaving costs.

    Funding, ageing and what is left of the gap, less loans; of a fresh opportunity the same is
    counted, so both compare. None while a fact is missing, stale or not to be trusted.
    """
    strategy = STRATEGIES[position.strategy]
    rows = list(position.legs.select_related("instrument__exchange"))
    legs, instruments = _in_shape(strategy.shape, rows), [row.instrument for row in rows]
    if legs is None:
        return None
    candidate = appraise(
        strategy,
        legs,
        size_usd=position.size_usd,
        seen=Seen(market.board_of(instruments), market.depths_of(instruments)),
        universe=shared_universe(now),
        standing=standing,
        now=now,
    ).candidate
    if candidate is None or candidate.net_return is None:
        return None
    return Held(
        key=str(position.pk),
        keeps_usd=(candidate.net_return + candidate.costs.fixed) * position.size_usd,
        exit_cost_usd=_leaving(candidate.costs) * position.size_usd,
    )


def _leaving(costs: RoundTrip) -> Decimal:
    return sum((leg.ratio * (leg.close_fee + leg.exit_slippage) for leg in costs.legs), Decimal(0))


def _in_shape(shape: Sequence[LegShape], rows: Sequence[Leg]) -> list[PairedLeg] | None:
    """Return the legs in the order of their strategy; None where they are not its legs."""
    legs = [
        PairedLeg(
            paired=Paired(id=row.instrument_id, instrument=row.instrument.snapshot()),
            side=Side.BUY if row.sign > 0 else Side.SELL,
            ratio=row.ratio,
        )
        for row in rows
    ]
    placed = [
        next(
            (
                leg
                for leg in legs
                if (leg.side, leg.ratio) == (place.side, place.ratio)
                and leg.paired.instrument.kind in place.kinds
            ),
            None,
        )
        for place in shape
    ]
    found = [leg for leg in placed if leg is not None]
    return found if len(found) == len(rows) else None
