"""Which of the listed instruments can be hedged with one another, and so take part in the scan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from uuid import UUID

from exchanges import selectors
from exchanges.domain import InstrumentKind
from exchanges.models import Exchange, ExchangeAccount, Instrument
from exchanges.modes import Mode
from trading.core.scan.facts import Slot

# Of several markets of one base those that most people mean take part.
PREFERRED_SETTLE = ("USDT", "USDC", "USD")
MOST_EXPIRIES = 4

Slots = dict[Slot, Instrument]


def hedgeable() -> dict[str, Slots]:
    """Return by base and slot what takes part, of the bases that list a contract and another.

    A base takes part in one settle asset: what another is worth in it is not known. Only where no
    asset has two of its instruments do all take part, for the pair to be shown as refused. What may
    be traded chooses the asset: where a venue is read-only a pair is refused too, and one that
    paper accounts alone trade counts where there is such an account.
    """
    held = set(ExchangeAccount.objects.active().values_list("exchange", flat=True))
    found: dict[tuple[str, str], Slots] = {}
    rows = selectors.active_instruments().filter(settle__in=PREFERRED_SETTLE)
    for row in sorted(rows, key=_preference):
        slots = found.setdefault((row.base, row.settle), {})
        slot = _free_slot(row, slots)
        if slot is not None:
            slots[slot] = row
    whole: dict[str, Slots] = {}
    for may_be in (partial(_can_be_traded, held=held), _can_be_hedged):
        for settle in PREFERRED_SETTLE:
            for (base, own), slots in found.items():
                if own == settle and may_be(slots):
                    whole.setdefault(base, slots)
    for base, slots in _across_assets(found).items():
        if _can_be_hedged(slots):
            whole.setdefault(base, slots)
    return dict(sorted(whole.items()))


def _can_be_traded(slots: Slots, *, held: Collection[UUID]) -> bool:
    """Tell whether there is a pair of one mode in which both of its venues take orders."""
    by_mode: dict[str, Slots] = {}
    for slot, row in slots.items():
        if _takes_orders(row.exchange, held):
            by_mode.setdefault(row.exchange.mode, {})[slot] = row
    return any(map(_can_be_hedged, by_mode.values()))


def _takes_orders(exchange: Exchange, held: Collection[UUID]) -> bool:
    if selectors.read_only(exchange.code, exchange.mode):
        return False
    # Who only watches a venue wants nothing hidden by it.
    return exchange.pk in held or not selectors.read_only(exchange.code, Mode.LIVE)


def _across_assets(found: Mapping[tuple[str, str], Slots]) -> dict[str, Slots]:
    """Return the slots of each base whatever they settle in, the preferred asset first."""
    merged: dict[str, Slots] = {}
    for settle in PREFERRED_SETTLE:
        for (base, own), slots in found.items():
            if own == settle:
                merged[base] = {**slots, **merged.get(base, {})}
    return merged


def _preference(row: Instrument) -> tuple[int, int, str]:
    """Return what comes first: of a venue that is listed in several modes the simulated one."""
    expires = row.expires_at.timestamp() if row.expires_at is not None else 0
    return list(Mode).index(Mode(row.exchange.mode)), int(expires), row.symbol


def _free_slot(row: Instrument, taken: Slots) -> Slot | None:
    """Return where an instrument belongs: dated futures beside each other, others once."""
    kind = InstrumentKind(row.kind)
    places = range(MOST_EXPIRIES if kind is InstrumentKind.FUTURE else 1)
    slots = (Slot(row.exchange.code, kind, place) for place in places)
    return next((slot for slot in slots if slot not in taken), None)


def _can_be_hedged(slots: Slots) -> bool:
    contracts = [slot for slot in slots if slot.kind is not InstrumentKind.SPOT]
    return bool(contracts) and len(slots) > 1
