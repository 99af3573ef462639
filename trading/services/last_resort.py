"""An exit that a silent venue stops, while the other leg nears its liquidation: that leg alone.

Waiting keeps the hedge, but a leg that its venue liquidates leaves the same naked leg behind and
costs the liquidation too. `docs/decisions/0013-probe-before-an-exit.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from trading.core.states import PositionState
from trading.models import Leg, Position
from trading.services import lasting
from trading.services.contact import Contact, reach
from trading.services.holdings import leg_net_base
from trading.services.release import RULES, force_one_sided
from trading.services.venues import Venues

AWAY = "venue_away"
# One lost answer is no silence; the leg was near its end when this began.
AWAY_FOR = timedelta(seconds=10)


def close_alone(
    position: Position,
    endangered: Leg,
    legs: Sequence[Leg],
    *,
    cause: str,
    venues: Venues,
    now: datetime,
) -> bool:
    """Let an endangered leg be closed without those whose venue stays silent; tell if it is new.

    The caller has just read that leg's venue, so it answers.
    """
    if position.state != PositionState.EXITING or position.force_one_sided:
        return False
    others = [leg for leg in legs if leg.account_id != endangered.account_id]
    held = [leg for leg in others if abs(leg_net_base(leg)) >= leg.instrument.lot]
    contact = Contact()
    reach(held, venues=venues, contact=contact, now=now)
    stuck = contact.why_stuck(held)
    if not stuck:
        lasting.has_ended(position, AWAY)
        return False
    if not lasting.has_lasted(position, AWAY, least=AWAY_FOR, now=now):
        return False
    cause = f"{cause}, and {stuck}"
    return force_one_sided(position, actor=RULES, cause=cause, now=now)
