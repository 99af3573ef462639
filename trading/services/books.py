"""Which order books are worth reading: those of open positions and of what may be opened next."""

from __future__ import annotations

from exchanges import selectors
from exchanges.depths import read_depths
from exchanges.domain import InstrumentKind
from exchanges.models import Instrument
from trading.core.parameters import Parameters
from trading.core.states import LIVE_POSITION_STATES
from trading.models import ConfigurationVersion, Leg
from trading.services import configure
from trading.strategies.registry import STRATEGIES

MOST_BOOKS = 60


def read_books() -> int:
    """Read and share the books of live legs and of what strategies may open; return how many."""
    return len(read_depths(_instruments(), selectors.board_redis()))


def _instruments() -> list[Instrument]:
    held = Leg.objects.filter(position__state__in=LIVE_POSITION_STATES).values("instrument")
    listed = selectors.active_instruments()
    found = list(listed.filter(pk__in=held))
    for parameters in _configurations():
        found += listed.filter(base__in=parameters.bases, kind__in=_kinds(parameters))
    return list(dict.fromkeys(found))[:MOST_BOOKS]


def _configurations() -> list[Parameters]:
    users = {version.user for version in ConfigurationVersion.objects.select_related("user")}
    return [configure.current(user).parameters for user in users]


def _kinds(parameters: Parameters) -> set[InstrumentKind]:
    """Return the kinds of instrument that the strategies switched on are made of."""
    shapes = [STRATEGIES[key].shape for key in parameters.strategies]
    return {kind for shape in shapes for leg in shape for kind in leg.kinds}
