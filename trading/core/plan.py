"""The next step of a position, decided from a snapshot of facts: no clock, no database, no venue.

`next_step` is level-triggered: it looks at what is, never at what was meant to happen, so running,
retry, restart and recovery are the same call. Rules it keeps: nothing new is placed on a leg whose
last order is unresolved; a hedge is never larger than what the first leg really filled; reducing
orders never increase a leg; a state ends only when every order is final by a read of the venue.
"""

from __future__ import annotations

from datetime import datetime

from trading.core.exposure import Exposure, exposure
from trading.core.plan_care import addition_step, lacks_price, reduction_step, trim_cause
from trading.core.plan_entry import entry_step
from trading.core.plan_exit import exit_step, unwind_step
from trading.core.plan_orders import OF_ENTRY, cancel_expired, confirmed, resume_unsent
from trading.core.snapshot import PositionView
from trading.core.states import Goal, PositionEvent, PositionState, Purpose
from trading.core.steps import Prepare, Record, Step, Wait


def next_step(view: PositionView, now: datetime) -> Step:
    """Return the one thing to do now; `Wait` when only a fact from outside can change anything."""
    match view.state:
        case PositionState.PLANNED:
            return _begin(view)
        case PositionState.ENTERING:
            return entry_step(view, now)
        case PositionState.OPEN:
            return _hold_open(view)
        case PositionState.EXITING:
            return exit_step(view, now)
        case PositionState.UNWINDING:
            return unwind_step(view, now)
        case PositionState.HELD:
            return _held(view, now)
        case PositionState.CLOSED | PositionState.ABANDONED:
            return _after_the_end(view)


def _begin(view: PositionView) -> Step:
    if view.is_killed:
        return Record(event=PositionEvent.DROPPED, cause="the kill switch is pressed")
    if view.goal is Goal.FLAT:
        return Record(event=PositionEvent.DROPPED, cause="closed before the first order")
    if view.barred:
        return Record(event=PositionEvent.DROPPED, cause=view.barred)
    if not all(leg.is_prepared for leg in view.legs):
        return Prepare()
    return Record(event=PositionEvent.ENTRY_SUBMITTED, cause="gates passed, venues prepared")


def _hold_open(view: PositionView) -> Step:
    if exposure([leg.exposure for leg in view.legs]) is Exposure.FLAT:
        return confirmed(view, PositionEvent.FLAT, "all legs are gone")
    if cause := trim_cause(view):
        return Record(event=PositionEvent.IMBALANCED, cause=cause)
    if view.goal is Goal.FLAT:
        return Record(event=PositionEvent.EXIT_SUBMITTED, cause="the position is to be flat")
    asked = reduction_step(view) or addition_step(view)
    return asked or Wait(reason="hedged", is_rest=not lacks_price(view))


def _held(view: PositionView, now: datetime) -> Step:
    """Send nothing and let nothing go on filling: what rests of an entry is cancelled."""
    if view.goal is Goal.FLAT and view.exit_asked_since_hold:
        return Record(event=PositionEvent.EXIT_SUBMITTED, cause="a person asked to close it")
    unsent = resume_unsent(view, dict.fromkeys(Purpose, "the position is held for a person"))
    if (step := unsent or cancel_expired(view, now, over=OF_ENTRY)) is not None:
        return step
    if exposure([leg.exposure for leg in view.legs]) is Exposure.FLAT and all(
        leg.settled for leg in view.legs
    ):
        return confirmed(view, PositionEvent.FLAT, "all legs are gone")
    return Wait(reason="held until a person decides", is_rest=True)


def _after_the_end(view: PositionView) -> Step:
    if exposure([leg.exposure for leg in view.legs]) is Exposure.FLAT:
        return Wait(reason="ended", is_rest=True)
    return Record(event=PositionEvent.IMBALANCED, cause="something filled after the end")
