"""Leave a position for a clearly better pair when nothing else keeps that pair out: off by default.

The position is closed by the ordinary exit; the freed capital finds the better pair by the next
scans, which ask every gate again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from trading.core.allocation import Held, rotation
from trading.core.funding import expected_carry
from trading.core.parameters import Parameters
from trading.core.sentence import usd
from trading.core.states import Goal, PositionState
from trading.doorbell import ring_drive
from trading.models import Position
from trading.services import market
from trading.services.exit import request_exit
from trading.services.held_position import held_position
from trading.services.standing import Standing
from trading.services.user_scan import Finding

# What a finding is refused for when only capital is missing: every other gate comes before or says
# so itself.
CROWDED_OUT = frozenset({"no_room", "too_many_positions"})


def rotate(standing: Standing, findings: Sequence[Finding], *, now: datetime) -> Position | None:
    """Close the worst position for the best finding that found no room, if that clearly pays."""
    p = standing.parameters
    better = _crowded_out(standing, findings)
    if not p.capital_rotation or better is None or not standing.lacks_only_room:
        return None
    rows = Position.objects.filter(
        user=standing.user_id, state=PositionState.OPEN, goal=Goal.HEDGED
    )
    open_ones = {str(position.pk): position for position in rows}
    held = [known for position in open_ones.values() if (known := _held(position, now)) is not None]
    candidate = better.candidate
    if not held or candidate is None or candidate.net_return is None:
        return None
    worst = min(held, key=lambda each: each.keeps_usd)
    # The better pair gets what the worse one frees.
    size = min(better.size_usd, open_ones[worst.key].size_usd)
    round_trip = candidate.costs.fixed * size
    found = rotation(
        held,
        better_usd=candidate.net_return * size + round_trip,
        entry_cost_usd=round_trip,
        gain_multiple=p.rotation_gain_multiple,
    )
    if found is None:
        return None
    position = open_ones[found.key]
    sentence = (
        f"{better.base} is expected to earn {usd(found.gain_usd)} more than staying, beyond "
        f"{p.rotation_gain_multiple} times the {usd(found.cost_usd)} that switching costs"
    )
    asked = request_exit(
        position=position, reason="rotation", sentence=sentence, actor="rules", now=now
    )
    if asked:
        ring_drive(position.pk)
    return position if asked else None


def _crowded_out(standing: Standing, findings: Sequence[Finding]) -> Finding | None:
    """Return the most worthwhile finding that only lacks room."""
    ranking = standing.parameters.ranking
    waiting = [
        finding
        for finding in findings
        if finding.candidate is not None
        and finding.refusal is not None
        and finding.refusal.code in CROWDED_OUT
    ]
    return max(
        waiting,
        key=lambda each: each.candidate.rank(ranking) if each.candidate else Decimal(0),
        default=None,
    )


def _held(position: Position, now: datetime) -> Held | None:
    """Return what staying for the hold time brings; None while a fact is missing or stale."""
    legs = list(
        position.legs.select_related(
            "instrument__exchange", "account__exchange", "position"
        ).prefetch_related("trades")
    )
    parameters = Parameters.from_stored(position.parameters)
    board = market.board_of([leg.instrument for leg in legs])
    known = held_position(position, legs, board, now)
    if known is None:
        return None
    carry = expected_carry(
        known.legs, now=now, horizon=parameters.hold_horizon, model=parameters.carry_model
    )
    if carry is None:
        return None
    return Held(
        key=str(position.pk),
        keeps_usd=carry * position.size_usd,
        exit_cost_usd=known.exit_cost * position.size_usd,
    )
