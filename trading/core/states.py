"""The life cycles of a position and of an order, as tables keyed by (state, event).

Rows are those of `docs/DOMAIN.md` section 10. An unlisted pair raises, and the only writer of a
state column is `trading.services.transition`: what is not in these tables cannot happen. Normal
running, retry and restart take the same rows.
"""

from __future__ import annotations

from enum import StrEnum


class PositionState(StrEnum):
    PLANNED = "planned"
    ENTERING = "entering"
    OPEN = "open"
    EXITING = "exiting"
    UNWINDING = "unwinding"
    HELD = "held"
    CLOSED = "closed"
    ABANDONED = "abandoned"


class Goal(StrEnum):
    """What the owner wants of a position. FLAT is never cleared."""

    HEDGED = "hedged"
    FLAT = "flat"


class PositionEvent(StrEnum):
    ENTRY_SUBMITTED = "entry_submitted"
    EXIT_SUBMITTED = "exit_submitted"
    DROPPED = "dropped"
    REDUCE = "reduce"
    ADD = "add"
    HOLD = "hold"
    RELEASED = "released"
    HEDGED = "hedged"
    IMBALANCED = "imbalanced"
    FLAT = "flat"
    NEVER_EXPOSED = "never_exposed"


class OrderState(StrEnum):
    PLANNED = "planned"
    DROPPED = "dropped"
    SENDING = "sending"
    OPEN = "open"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NOT_PLACED = "not_placed"


class OrderEvent(StrEnum):
    LICENSED = "licensed"
    DROPPED = "dropped"
    ACKNOWLEDGED = "acknowledged"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    OUTCOME_UNKNOWN = "outcome_unknown"
    PROVEN_ABSENT = "proven_absent"


class Purpose(StrEnum):
    """Why an order is sent: `open` passes all gates, `hedge` the kill switch, `reduce` none."""

    OPEN = "open"
    HEDGE = "hedge"
    REDUCE = "reduce"


class UnlistedTransition(Exception):
    """A (state, event) pair that no table row allows: a bug or a race; nothing was written."""


_P, _E = PositionState, PositionEvent

POSITION_TABLE: dict[tuple[PositionState, PositionEvent], PositionState] = {
    (_P.PLANNED, _E.ENTRY_SUBMITTED): _P.ENTERING,
    (_P.PLANNED, _E.DROPPED): _P.ABANDONED,  # a gate shut, or the kill switch
    (_P.ENTERING, _E.HEDGED): _P.OPEN,
    (_P.ENTERING, _E.IMBALANCED): _P.UNWINDING,  # one leg filled, the other did not
    (_P.ENTERING, _E.NEVER_EXPOSED): _P.ABANDONED,
    (_P.ENTERING, _E.FLAT): _P.CLOSED,
    (_P.ENTERING, _E.EXIT_SUBMITTED): _P.EXITING,
    (_P.OPEN, _E.EXIT_SUBMITTED): _P.EXITING,
    (_P.OPEN, _E.IMBALANCED): _P.UNWINDING,  # liquidation, ADL or a manual trade
    (_P.OPEN, _E.REDUCE): _P.UNWINDING,  # care asked for a smaller position
    (_P.OPEN, _E.ADD): _P.ENTERING,  # care asked for a larger position
    (_P.OPEN, _E.FLAT): _P.CLOSED,  # both legs went outside our control
    (_P.EXITING, _E.FLAT): _P.CLOSED,
    (_P.EXITING, _E.HEDGED): _P.OPEN,  # orders expired unfilled; goal FLAT exits again
    (_P.EXITING, _E.IMBALANCED): _P.UNWINDING,
    (_P.UNWINDING, _E.FLAT): _P.CLOSED,
    (_P.UNWINDING, _E.HEDGED): _P.OPEN,  # cut to the smaller leg; goal FLAT exits again
    (_P.UNWINDING, _E.EXIT_SUBMITTED): _P.EXITING,
    (_P.ENTERING, _E.HOLD): _P.HELD,
    (_P.OPEN, _E.HOLD): _P.HELD,
    (_P.EXITING, _E.HOLD): _P.HELD,
    (_P.UNWINDING, _E.HOLD): _P.HELD,
    (_P.HELD, _E.RELEASED): _P.UNWINDING,  # a person; the next observation leads to OPEN or CLOSED
    (_P.HELD, _E.EXIT_SUBMITTED): _P.EXITING,
    (_P.HELD, _E.FLAT): _P.CLOSED,
    (_P.CLOSED, _E.IMBALANCED): _P.UNWINDING,  # something appeared after the end: CRITICAL
    (_P.ABANDONED, _E.IMBALANCED): _P.UNWINDING,  # likewise
}

_S, _O = OrderState, OrderEvent
_LIVE = (_S.SENDING, _S.UNKNOWN, _S.OPEN, _S.PARTIAL)

ORDER_TABLE: dict[tuple[OrderState, OrderEvent], OrderState] = {
    (_S.PLANNED, _O.LICENSED): _S.SENDING,
    (_S.PLANNED, _O.DROPPED): _S.DROPPED,
    **{(state, _O.PARTLY_FILLED): _S.PARTIAL for state in _LIVE},
    **{(state, _O.FILLED): _S.FILLED for state in _LIVE},
    **{(state, _O.CANCELED): _S.CANCELED for state in _LIVE},
    **{(state, _O.EXPIRED): _S.EXPIRED for state in _LIVE},
    (_S.SENDING, _O.ACKNOWLEDGED): _S.OPEN,
    (_S.UNKNOWN, _O.ACKNOWLEDGED): _S.OPEN,  # found by its own id
    (_S.SENDING, _O.REJECTED): _S.REJECTED,
    (_S.UNKNOWN, _O.REJECTED): _S.REJECTED,  # the venue shows it as refused
    (_S.OPEN, _O.REJECTED): _S.REJECTED,  # accepted at the door, refused by the matching engine
    (_S.SENDING, _O.OUTCOME_UNKNOWN): _S.UNKNOWN,
    (_S.UNKNOWN, _O.PROVEN_ABSENT): _S.NOT_PLACED,  # read after the lifetime bound
    # A late fill on a final order: a real-world possibility, the venue is the judge.
    (_S.CANCELED, _O.FILLED): _S.FILLED,
    (_S.EXPIRED, _O.FILLED): _S.FILLED,
    (_S.REJECTED, _O.FILLED): _S.FILLED,
    (_S.NOT_PLACED, _O.FILLED): _S.FILLED,
}

LIVE_POSITION_STATES = frozenset(
    {_P.PLANNED, _P.ENTERING, _P.OPEN, _P.EXITING, _P.UNWINDING, _P.HELD}
)
EXPOSED_POSITION_STATES = LIVE_POSITION_STATES - {_P.PLANNED}
TERMINAL_POSITION_STATES = frozenset({_P.CLOSED, _P.ABANDONED})

WORKING_ORDER_STATES = frozenset({_S.SENDING, _S.UNKNOWN, _S.OPEN, _S.PARTIAL})
PENDING_ORDER_STATES = WORKING_ORDER_STATES | {_S.PLANNED}
UNRESOLVED_ORDER_STATES = frozenset({_S.SENDING, _S.UNKNOWN})
FINAL_ORDER_STATES = frozenset(set(OrderState) - PENDING_ORDER_STATES)


def next_position_state(state: PositionState, event: PositionEvent) -> PositionState:
    """Return the state that follows. Raise UnlistedTransition for a pair without a row."""
    try:
        return POSITION_TABLE[state, event]
    except KeyError:
        raise UnlistedTransition(f"position {state} has no row for {event}") from None


def next_order_state(state: OrderState, event: OrderEvent) -> OrderState:
    """Return the state that follows. Raise UnlistedTransition for a pair without a row."""
    try:
        return ORDER_TABLE[state, event]
    except KeyError:
        raise UnlistedTransition(f"order {state} has no row for {event}") from None
