"""What a user's standing asks of a scan: lenient, for whatever it finds is counted through."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from trading.core.parameters import EntryPolicy, Parameters
from trading.core.scan.facts import Slot
from trading.core.scan.matching import Wish
from trading.core.scan.rules import RULES
from trading.services.shared_scan import SharedScan
from trading.services.standing import Standing
from trading.services.universe import Paired, Universe

ZERO = Decimal(0)
NOTHING = Decimal("-Infinity")
OFF = Decimal("NaN")
PER_10K = Decimal(10_000)


def wish_of(standing: Standing, universe: Universe, shared: SharedScan) -> Wish:
    """Return the thresholds, rooms and fees of one user."""
    p, by_base = standing.parameters, universe.by_base
    bases = [base for base in by_base if base in p.bases and base not in standing.live]
    slots = {slot for base in bases for slot in by_base[base]}
    return Wish(
        least_net=p.min_net_return if p.entry_policy is EntryPolicy.NET else NOTHING,
        spread_base=p.min_spread_base,
        spread_per_usd=p.min_spread_per_10k / PER_10K,
        least_gaps=tuple(_least_gap(rule.strategy, rule.gap, p) for rule in RULES),
        base_room={base: _base_room(standing, base) for base in bases},
        slot_room={
            slot: _slot_room(standing, slot, universe.latency(slot.venue)) for slot in slots
        },
        fees={slot: _extra_fee(standing, slot, bases, by_base, shared) for slot in slots},
        ranking=p.ranking,
        most_gap=p.max_spread,
    )


def _least_gap(strategy: str, gap: str, p: Parameters) -> Decimal:
    if strategy not in p.strategies:
        return OFF
    if not gap:
        return NOTHING if strategy == "calendar_spread" else -NOTHING
    least: Decimal = getattr(p, gap)
    return min(p.dynamic_open_high, p.dynamic_open_low, least) if p.dynamic_thresholds else least


def _base_room(standing: Standing, base: str) -> Decimal:
    """Return what a position may be; nothing where that is less than the least one."""
    room = min(standing.limits_left(base).values())
    return room if room >= standing.parameters.min_position_usd else ZERO


def _slot_room(standing: Standing, slot: Slot, latency: timedelta | None) -> Decimal:
    """Return what one leg may be; nothing where a gate refuses the venue whatever is found."""
    p = standing.parameters
    is_slow = latency is not None and latency > p.max_venue_latency
    if is_slow or not p.uses_venue(slot.venue) or standing.refuse_venues([slot.venue]) is not None:
        return ZERO
    free = standing.capital[slot.venue].free * p.leverage_cap
    return max(min(free, standing.limit_left(f"venue:{slot.venue}")), ZERO)


def _extra_fee(
    standing: Standing,
    slot: Slot,
    bases: list[str],
    by_base: Mapping[str, Mapping[Slot, Paired]],
    shared: SharedScan,
) -> Decimal:
    """Return the round trip's fee beyond the shared one, of the base where it is the least."""
    beyond = [
        standing.least_fee(paired.key, slot.kind) - shared.fees[paired.key]
        for base in bases
        if (paired := by_base[base].get(slot)) is not None
    ]
    return 2 * max(min(beyond, default=ZERO), ZERO)
