"""Leave a position for a clearly better pair when nothing else keeps that pair out: off by default.

The position is closed by the ordinary exit; the freed capital finds the better pair by the next
scans, which ask every gate again. One position at a time: the next is looked at when what the last
one freed is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import Max

from exchanges.models import AccountBalance
from trading.core.allocation import Rotation, rotation
from trading.core.sentence import usd
from trading.core.states import Goal, PositionState
from trading.doorbell import ring_drive
from trading.models import Position
from trading.models.position import PositionQuerySet
from trading.services.exit import request_exit
from trading.services.standing import Standing
from trading.services.staying import staying
from trading.services.user_scan import Finding
from trading.strategies.base import Candidate

# What a finding is refused for when only capital is missing: every other gate comes before or says
# so itself.
NO_ROOM = "no_room"
CROWDED_OUT = frozenset({NO_ROOM, "too_many_positions"})
ROTATION = "rotation"


def rotate(standing: Standing, findings: Sequence[Finding], *, now: datetime) -> Position | None:
    """Close the worst position for the best finding that found no room, if that clearly pays."""
    if not standing.parameters.capital_rotation or not standing.lacks_only_room:
        return None
    found = _crowded_out(standing, findings)
    if found is None or _is_rotating(standing):
        return None
    better, candidate = found
    open_ones = {str(position.pk): position for position in _may_make_room(standing, better)}
    switch = _best_switch(standing, open_ones, better, candidate, now)
    if switch is None:
        return None
    position = open_ones[switch.key]
    sentence = (
        f"{better.base} is expected to earn {usd(switch.gain_usd)} more than staying, beyond "
        f"{standing.parameters.rotation_gain_multiple} times the {usd(switch.cost_usd)} that "
        "switching costs"
    )
    asked = request_exit(
        position=position, reason=ROTATION, sentence=sentence, actor="rules", now=now
    )
    if asked:
        ring_drive(position.pk)
    return position if asked else None


def _crowded_out(
    standing: Standing, findings: Sequence[Finding]
) -> tuple[Finding, Candidate] | None:
    """Return the most worthwhile finding that only lacks room, and its figures."""
    ranking = standing.parameters.ranking
    waiting = [
        (finding, finding.candidate)
        for finding in findings
        if finding.candidate is not None
        and finding.candidate.net_return is not None
        and finding.refusal is not None
        and finding.refusal.code in CROWDED_OUT
    ]
    return max(waiting, key=lambda each: each[1].rank(ranking), default=None)


def _is_rotating(standing: Standing) -> bool:
    """Tell whether a position is leaving for a better one, or what it freed is not known yet."""
    left = Position.objects.filter(user=standing.user_id, close_reason=ROTATION)
    if left.live().exists():
        return True
    last = left.exclude(close_timestamp=None).order_by("-close_timestamp").first()
    if last is None:
        return False
    read = (
        AccountBalance.objects.filter(account__legs__position=last)
        .values("account")
        .annotate(read_at=Max("observed_at"))
        .values_list("read_at", flat=True)
    )
    return any(read_at <= last.close_timestamp for read_at in read)


def _may_make_room(standing: Standing, better: Finding) -> Iterator[Position]:
    """Yield the positions whose end helps: for capital those with collateral where it is needed."""
    rows: PositionQuerySet = Position.objects.filter(
        user=standing.user_id, state=PositionState.OPEN, goal=Goal.HEDGED
    )
    needed = {leg.paired.instrument.venue for leg in better.legs}
    is_room = better.refusal is not None and better.refusal.code == NO_ROOM
    for position in rows.prefetch_related("legs__account__exchange"):
        venues = {leg.account.exchange.code for leg in position.legs.all()}
        if not is_room or needed <= venues:
            yield position


def _best_switch(
    standing: Standing,
    open_ones: Mapping[str, Position],
    better: Finding,
    candidate: Candidate,
    now: datetime,
) -> Rotation | None:
    known = (staying(position, standing, now) for position in open_ones.values())
    held = [each for each in known if each is not None]
    if not held or candidate.net_return is None:
        return None
    worst = min(held, key=lambda each: each.keeps_usd)
    # The better pair gets what the worse one frees.
    size = min(better.size_usd, open_ones[worst.key].size_usd)
    round_trip: Decimal = candidate.costs.fixed * size
    return rotation(
        held,
        better_usd=candidate.net_return * size + round_trip,
        entry_cost_usd=round_trip,
        gain_multiple=standing.parameters.rotation_gain_multiple,
    )
