"""What a user's standing asks of a scan: lenient, for whatever it finds is counted through."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from trading.core.parameters import EntryPolicy, Parameters
from trading.core.scan.facts import Slot
from trading.core.scan.matching import Wish
from trading.core.scan.rules import PAIR_RULES
from trading.services.shared_scan import SharedScan
from trading.services.standing import Standing
from trading.services.universe import Paired

ZERO = Decimal(0)
NOTHING = Decimal("-Infinity")
OFF = Decimal("NaN")
PER_10K = Decimal(10_000)


def wish_of(
    standing: Standing, by_base: Mapping[str, Mapping[Slot, Paired]], shared: SharedScan
) -> Wish:
    """Return the thresholds, rooms and fees of one user."""
    p = standing.parameters
    bases = [base for base in by_base if base in p.bases and base not in standing.live]
    slots = {slot for base in bases for slot in by_base[base]}
    return Wish(
        least_net=p.min_net_return if p.entry_policy is EntryPolicy.NET else NOTHING,
        spread_base=p.min_spread_base,
        spread_per_usd=p.min_spread_per_10k / PER_10K,
        least_gaps=tuple(_least_gap(rule.strategy, rule.gap, p) for rule in PAIR_RULES),
        base_room={base: min(standing.limits_left(base, ()).values()) for base in bases},
        slot_room={slot: _slot_room(standing, slot) for slot in slots},
        fees={slot: _extra_fee(standing, slot, bases, by_base, shared) for slot in slots},
        ranking=p.ranking,
    )


def _least_gap(strategy: str, gap: str, p: Parameters) -> Decimal:
    if strategy not in p.strategies:
        return OFF
    if not gap:
        return NOTHING if strategy == "calendar_spread" else -NOTHING
    least: Decimal = getattr(p, gap)
    return min(p.dynamic_open_high, p.dynamic_open_low, least) if p.dynamic_thresholds else least


def _slot_room(standing: Standing, slot: Slot) -> Decimal:
    if slot.venue not in standing.accounts or not standing.parameters.uses_venue(slot.venue):
        return ZERO
    limits = standing.limits_left("", [slot.venue])
    free = standing.capital[slot.venue].free * standing.parameters.leverage_cap
    return max(min(free, *limits.values()), ZERO)


def _extra_fee(
    standing: Standing,
    slot: Slot,
    bases: list[str],
    by_base: Mapping[str, Mapping[Slot, Paired]],
    shared: SharedScan,
) -> Decimal:
    """Return the round trip's fee beyond the shared one, of the base where it is the least."""
    beyond = [
        standing.taker_fee(paired.key, slot.kind) - shared.fees[paired.key]
        for base in bases
        if (paired := by_base[base].get(slot)) is not None
    ]
    return 2 * max(min(beyond, default=ZERO), ZERO)
