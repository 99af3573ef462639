"""Which order books are worth reading: those of open positions and of what may be opened next."""

from __future__ import annotations

from exchanges import selectors
from exchanges.depths import read_depths
from exchanges.models import Instrument
from trading.core.states import LIVE_POSITION_STATES
from trading.models import ConfigurationVersion, Leg
from trading.services import configure

MOST_BOOKS = 60


def read_books() -> int:
    """Read and share the books of live legs and whitelisted perpetuals; return how many."""
    return len(read_depths(_instruments(), selectors.board_redis()))


def _instruments() -> list[Instrument]:
    held = Leg.objects.filter(position__state__in=LIVE_POSITION_STATES).values("instrument")
    listed = selectors.active_instruments()
    wanted = listed.filter(pk__in=held) | selectors.perpetuals().filter(base__in=_bases())
    return list(wanted.distinct().order_by("base")[:MOST_BOOKS])


def _bases() -> set[str]:
    users = {version.user for version in ConfigurationVersion.objects.select_related("user")}
    return {base for user in users for base in configure.current(user).parameters.bases}
