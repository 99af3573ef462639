"""Turn a position round when its funding is about to change sign: a modifier of other strategies.

Its row is in `docs/DOMAIN.md` section 6. Off by default: closing at every change destroys carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from trading.core.parameters import Parameters
from trading.core.sentence import percent
from trading.strategies.base import Candidate, ExitReason, ExitSignal, HeldPosition
from trading.strategies.entry_gates import refuse_return

OPPOSITES: Mapping[str, str] = MappingProxyType(
    {
        "funding_spread": "funding_spread",
        "cash_and_carry": "reverse_cash_and_carry",
        "reverse_cash_and_carry": "cash_and_carry",
    }
)
"""The strategy that holds the same legs the other way round; others have none."""


def flip_exit(held: HeldPosition, parameters: Parameters) -> ExitSignal | None:
    """Signal a likely change of sign: to switch sides where that pays, else to leave early.

    Of positions opened on funding that were paid at the last settlement: what is against us
    already is for the other rules. The other side pays for leaving this one too.
    """
    forecast = held.forecast
    if not parameters.funding_flip or forecast is None:
        return None
    if forecast.last_8h <= 0 or forecast.rate_8h >= 0:
        return None
    if forecast.sign_change <= parameters.flip_probability:
        return None
    why = (
        f"Funding is forecast at {percent(forecast.rate_8h)} per 8 h against us after "
        f"{percent(forecast.last_8h)}; a change of sign is {percent(forecast.sign_change, 0)} "
        "likely"
    )
    pays = held.opposite is not None and _pays(held.opposite, held, parameters)
    then = "the other side does not pay"
    if pays:
        then = "the other side pays and is to be entered after this one, every gate asked again"
    return ExitSignal(reason=ExitReason.FUNDING_FLIP, sentence=f"{why}; {then}.", switches=pays)


def _pays(opposite: Candidate, held: HeldPosition, parameters: Parameters) -> bool:
    if opposite.net_return is None or refuse_return(opposite, parameters) is not None:
        return False
    return opposite.net_return - held.exit_cost >= parameters.min_net_return
