"""Which order books are worth reading: those of open positions and of what may be opened next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

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
    return len(read_depths(worth_reading(), selectors.board_redis()))


def worth_reading() -> list[Instrument]:
    """Return the legs of live positions, then what may become one of a pair, up to a number."""
    held = Leg.objects.filter(position__state__in=LIVE_POSITION_STATES).values("instrument")
    listed = selectors.active_instruments()
    found = list(listed.filter(pk__in=held))
    for parameters in _configurations():
        offered = listed.filter(base__in=parameters.bases, kind__in=_kinds(parameters))
        found += _hedgeable(list(offered))
    return list(dict.fromkeys(found))[:MOST_BOOKS]


def _hedgeable(candidates: Sequence[Instrument]) -> list[Instrument]:
    """Leave out what no other settles like while others of its base do: it is no leg of a pair."""
    alike = Counter((one.base, one.settle) for one in candidates)
    paired = {base for (base, _), count in alike.items() if count > 1}
    return [one for one in candidates if alike[one.base, one.settle] > 1 or one.base not in paired]


def _configurations() -> list[Parameters]:
    users = {version.user for version in ConfigurationVersion.objects.select_related("user")}
    return [configure.current(user).parameters for user in users]


def _kinds(parameters: Parameters) -> set[InstrumentKind]:
    """Return the kinds of instrument that the strategies switched on are made of."""
    shapes = [STRATEGIES[key].shape for key in parameters.strategies]
    return {kind for shape in shapes for leg in shape for kind in leg.kinds}
