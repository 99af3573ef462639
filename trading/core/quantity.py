"""Our quantity in one instrument against the venue's; signed base units, > 0 long."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from exchanges.domain import Symbol


class QuantityVerdict(StrEnum):
    EQUAL = "equal"
    LESS_OWED = "less_owed"
    UNSETTLED = "unsettled"
    MISSING = "missing"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityFinding:
    """Our quantity, this read's fills included, against the venue's.

    MISSING: the venue holds less (liquidation, ADL, a manual trade). FOREIGN: it holds what is
    not ours. Both halt the account for opens. LESS_OWED: a wallet owes less of a coin than we do,
    since it held some of its own or since the venue bought back: its fills tell which.
    """

    symbol: Symbol
    verdict: QuantityVerdict
    ours: Decimal
    theirs: Decimal


# A day at 0.5 % is more than venues charge for what they lend; the ledger is read each minute.
UNBOOKED_INTEREST = Decimal("0.005")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotHolding:
    """What our legs hold of a spot instrument, < 0 owed. Below a lot nothing can be sold: dust."""

    base_quantity: Decimal
    lot: Decimal

    @property
    def slack(self) -> Decimal:
        """Return what a wallet may hold less: a lot, of a debt interest that is not booked yet."""
        return max(self.lot, -self.base_quantity * UNBOOKED_INTEREST)


def derivative_verdict(
    ours: Decimal, theirs: Decimal, *, ignored: Decimal, may_still_fill: bool
) -> QuantityVerdict:
    """Compare a contract's position; `ignored` was accepted by a person as not ours.

    Where all of it has gone meanwhile only ours is left, which is as good.
    """
    if theirs in (ours, ours + ignored):
        return QuantityVerdict.EQUAL
    if may_still_fill:
        return QuantityVerdict.UNSETTLED
    if ours * theirs >= 0 and abs(theirs) < abs(ours):
        return QuantityVerdict.MISSING
    return QuantityVerdict.FOREIGN


def spot_verdict(holding: SpotHolding, theirs: Decimal, *, may_still_fill: bool) -> QuantityVerdict:
    """Compare a wallet: it may hold more of the asset than ours, never less; a debt counts < 0."""
    if holding.base_quantity < 0 and theirs - holding.base_quantity >= holding.slack:
        return QuantityVerdict.LESS_OWED
    if holding.base_quantity - theirs < holding.slack:
        return QuantityVerdict.EQUAL
    return QuantityVerdict.UNSETTLED if may_still_fill else QuantityVerdict.MISSING
