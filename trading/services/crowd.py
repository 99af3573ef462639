"""Users who assume the same of holding a position, before the one scan that they share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trading.core.scan.matching import Wishes
from trading.core.scan.settings import ScanSettings
from trading.services.shared_scan import SharedScan, lowest_fees
from trading.services.standing import Standing
from trading.services.universe import Universe
from trading.services.user_scan import UserScan

Crowds = Mapping[ScanSettings, "Crowd"]


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
    groups: defaultdict[ScanSettings, list[Standing]] = defaultdict(list)
    for standing in standings:
        groups[ScanSettings.of(standing.parameters)].append(standing)
    crowds = {}
    for settings, members in groups.items():
        fees = lowest_fees(universe, members)
        shared = known[settings].shared if settings in known else None
        if shared is None or not shared.fits(universe, fees):
            shared = SharedScan(universe, settings, fees)
        scans = [UserScan(universe, shared, standing) for standing in members]
        crowds[settings] = Crowd.of(shared, scans)
    return crowds
