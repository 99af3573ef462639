"""Invariants of every request, at the moment a venue received it: how many, and when none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from exchanges.simulator.listings import BITGET, BYBIT, GATE, KUCOIN, OKX, SPOT, USDM
from tests.simulation.markets import CREATE
from tests.simulation.observer.case import Case, Sentences
from tests.simulation.venue_side import Arrival, Silence

# As the venues document them, read by nobody but this: the most requests in a window of seconds,
# from one address (each weighs one at least), and the most new orders of one key.
OF_ADDRESS = {
    **{USDM: (2400, 60), SPOT: (6000, 60), BYBIT: (600, 5)},
    **{BITGET: (6000, 60), KUCOIN: (500, 10)},
}
OF_KEY = {
    **{USDM: (300, 10), SPOT: (100, 10), BYBIT: (10, 1), OKX: (60, 2)},
    **{BITGET: (10, 1), GATE: (100, 1), KUCOIN: (1000, 30)},
}
PART = 0.8
# A request that had left when the answer came, and what two of them may differ on their way.
ON_ITS_WAY = timedelta(milliseconds=200)
JITTER = timedelta(milliseconds=100)
BINANCE = frozenset({SPOT, USDM})


def i29_within_the_limits(case: Case, arrival: Arrival) -> Sentences:
    """I29: in each window at most four fifths of what a venue allows reach it."""
    if arrival.venue in OF_ADDRESS:
        most, seconds = OF_ADDRESS[arrival.venue]
        found = _within(case, arrival, seconds, lambda one: True)
        if found > most * PART:
            yield f"I29: {found} requests to {arrival.venue} in {seconds} s, {most} are allowed"
    if _is_create(arrival):
        most, seconds = OF_KEY[arrival.venue]
        found = _within(
            case, arrival, seconds, lambda one: _is_create(one) and one.api_key == arrival.api_key
        )
        if found > most * PART:
            yield f"I29: {found} orders to {arrival.venue} in {seconds} s, {most} are allowed"


def i29_silence_is_kept(case: Case, arrival: Arrival) -> Sentences:
    """I29: who was asked for silence sends nothing more until it is over."""
    silences = case.world.far.silences
    silences[:] = [silence for silence in silences if silence.until > arrival.at]
    for silence in silences:
        if arrival.at > silence.heard_at + ON_ITS_WAY and _binds(silence, arrival):
            left = (silence.until - arrival.at).total_seconds()
            yield f"I29: {arrival.path} reached {arrival.venue} {left:.2f} s too early"


def _binds(silence: Silence, arrival: Arrival) -> bool:
    """Tell whether a silence is of this request too: of an interface, or of one call of a key."""
    by = silence.by
    if by.venue != arrival.venue:
        return False
    if silence.is_ban or by.venue in BINANCE:
        return by.path.split("/")[1] == arrival.path.split("/")[1]
    return (by.api_key, by.path) == (arrival.api_key, arrival.path)


def _within(case: Case, arrival: Arrival, seconds: int, counts: Callable[[Arrival], bool]) -> int:
    """Return how many of its kind came in the window that ends with this one."""
    begins, found = arrival.at - timedelta(seconds=seconds) + JITTER, 0
    for one in reversed(case.world.far.arrivals):
        if one.at < begins:
            break
        found += one.venue == arrival.venue and counts(one)
    return found


def _is_create(arrival: Arrival) -> bool:
    return (arrival.method, arrival.path) == ("POST", CREATE[arrival.venue])


ARRIVAL_RULES = (i29_within_the_limits, i29_silence_is_kept)
