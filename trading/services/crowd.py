"""Users who assume the same of holding a position, before the one scan that they share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from exchanges.assumed_loans import AssumedLoans
from trading.core.scan.matching import Wishes
from trading.core.scan.settings import ScanSettings
from trading.services.shared_scan import SharedScan, lowest_fees
from trading.services.standing import Standing
from trading.services.universe import Universe
from trading.services.user_scan import UserScan

# What users assume of a hold, and of loans that no venue tells the rate of.
Assumptions = tuple[ScanSettings, frozenset[tuple[str, AssumedLoans]]]
Crowds = Mapping[Assumptions, "Crowd"]


@dataclass(frozen=True, slots=True)
class Crowd:
    """`waiting` are those whose engine may open something, `wishes` theirs, gathered once."""

    shared: SharedScan
    scans: tuple[UserScan, ...]
    waiting: tuple[UserScan, ...]
    wishes: Sequence[Wishes]

    @classmethod
    def of(cls, shared: SharedScan, scans: Sequence[UserScan]) -> Crowd:
        waiting = tuple(scan for scan in scans if scan.standing.refuse_entries() is None)
        return cls(shared, tuple(scans), waiting, shared.gathered([scan.wish for scan in waiting]))

    def who_wants(self, base: str) -> list[UserScan]:
        """Return for whom some pair of a base is worth being counted through."""
        return [self.waiting[number] for number in self.shared.who_wants(base, self.wishes)]


def crowds_of(universe: Universe, standings: Iterable[Standing], known: Crowds) -> Crowds:
    """Return the users by what they assume; arrays are built anew where known ones do not fit."""
    groups: defaultdict[Assumptions, list[Standing]] = defaultdict(list)
    for standing in standings:
        loans = frozenset(standing.loans.items())
        groups[ScanSettings.of(standing.parameters), loans].append(standing)
    crowds = {}
    for assumed, members in groups.items():
        settings, loans = assumed
        fees = lowest_fees(universe, members)
        shared = known[assumed].shared if assumed in known else None
        if shared is None or not shared.fits(universe, fees):
            shared = SharedScan(universe, settings, fees, dict(loans))
        scans = [UserScan(universe, shared, standing) for standing in members]
        crowds[assumed] = Crowd.of(shared, scans)
    return crowds
