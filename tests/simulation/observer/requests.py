"""Invariants of each create request, at the very moment a venue received it."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from exchanges.client_order_ids import client_order_id, in_venue_form
from exchanges.simulator.listings import SPOT
from tests.simulation.observer.case import IN_FLIGHT, Case, Sentences, moment
from tests.simulation.venue_side import Sight

GROWING = ("open", "hedge")
BOOK_AGE = timedelta(seconds=3)
# Of what is bought as coins at Binance; the least that is traded of them there.
COIN_FEE, COIN_LOT = Decimal("0.001"), Decimal("0.0001")
CLOCK_BOUND = 2.5


def i1_intent_is_committed_before(case: Case, sight: Sight) -> Sentences:
    """I1: an order the venue receives has an intent that was committed and licensed before."""
    if sight.intent is None:
        yield f"I1: {sight.venue} received {sight.client_order_id!r}, which no intent licenses"
    elif sight.is_in_transaction:
        yield f"I1: {sight.client_order_id} was sent inside a transaction"
    elif sight.intent["sent_at"] is None:
        yield f"I1: {sight.client_order_id} was sent without a licence"


def i2_sent_at_most_once(case: Case, sight: Sight) -> Sentences:
    """I2: one create request per intent, whatever happens."""
    seen = Counter(s.client_order_id for s in case.world.far.sights)[sight.client_order_id]
    if seen > 1:
        yield f"I2: {sight.client_order_id} was sent {seen} times"


def i3_ids_are_deterministic(case: Case, sight: Sight) -> Sentences:
    """I3: the id names position, leg, purpose and sequence of its intent."""
    if sight.intent is None:
        return
    intent = sight.intent
    [leg] = case.rows('SELECT "index" FROM trading_leg WHERE id = ?', intent["leg_id"])
    own_id = client_order_id(
        UUID(intent["position_id"]), leg["index"], intent["purpose"], intent["sequence"]
    )
    if sight.client_order_id != in_venue_form(own_id, sight.venue):
        yield f"I3: {sight.client_order_id} does not name its intent"


def i5_nothing_new_beside_the_unknown(case: Case, sight: Sight) -> Sentences:
    """I5: while an order of a leg is unresolved, no other one is sent for that leg."""
    if sight.intent is None:
        return
    others = case.rows(
        "SELECT client_order_id FROM trading_order WHERE leg_id = ? AND client_order_id != ? "
        "AND state IN ('sending', 'unknown')",
        sight.intent["leg_id"],
        sight.client_order_id,
    )
    for other in others:
        yield f"I5: {sight.client_order_id} was sent while {other['client_order_id']} is unknown"


def i12_hedge_within_the_first_leg(case: Case, sight: Sight) -> Sentences:
    """I12: what is hedged, or may be, is at most what the first leg has filled at its venue.

    Where both legs are sent at once it is at most what was planned. An addition counts by itself.
    """
    if sight.intent is None or sight.intent["purpose"] != "hedge":
        return
    [position] = case.rows(
        "SELECT parameters, target_base_quantity, add_quantity FROM trading_position WHERE id = ?",
        sight.intent["position_id"],
    )
    mine = case.rows(
        "SELECT client_order_id, purpose, base_quantity, state FROM trading_order "
        "WHERE position_id = ? AND addition = ?",
        sight.intent["position_id"],
        sight.intent["addition"],
    )
    first = hedged = Decimal(0)
    for row in mine:
        at_venue = case.at_venue(row["client_order_id"])
        filled = sum((order.filled for order in at_venue), Decimal(0))
        if row["purpose"] == "open":
            first += filled
        elif row["purpose"] == "hedge":
            working = sum((order.remaining for order in at_venue if not order.is_final), Decimal(0))
            is_this = row["client_order_id"] == sight.client_order_id
            hedged += Decimal(row["base_quantity"]) if is_this else filled + working
    if "both_at_once" in str(position["parameters"]):
        planned = position["add_quantity"] or position["target_base_quantity"]
        first = max(first, Decimal(planned))
    if hedged > _covered_by(sight, first):
        yield f"I12: {hedged} hedged or about to be, {first} filled on the first leg"


def _covered_by(sight: Sight, filled: Decimal) -> Decimal:
    """Return what may be bought against a first leg: of coins also those that the fee takes."""
    if sight.venue != SPOT:
        return filled
    return filled / (1 - COIN_FEE) + COIN_LOT


def i14_orders_per_minute(case: Case, sight: Sight) -> Sentences:
    """I14: no more opening and hedging orders of a position in a minute than its owner allows."""
    if sight.intent is None or sight.intent["purpose"] not in GROWING:
        return
    recent = [
        s
        for s in case.world.far.sights
        if s.intent is not None
        and s.intent["position_id"] == sight.intent["position_id"]
        and s.intent["purpose"] in GROWING
        and sight.at - s.at < timedelta(minutes=1)
    ]
    if len(recent) > 30:
        yield f"I14: {len(recent)} growing orders of one position in a minute, 30 are allowed"


def i15_gates_are_open(case: Case, sight: Sight) -> Sentences:
    """I15: no opening order while the account is halted or the venue's data is old.

    A request on its way when a gate shuts may still arrive within the order's own lifetime.
    """
    if sight.intent is None or sight.intent["purpose"] != "open":
        return
    halted = case.rows(
        "SELECT a.halted_at FROM exchanges_exchangeaccount a "
        "JOIN trading_leg l ON l.account_id = a.id WHERE l.position_id = ?",
        sight.intent["position_id"],
    )
    skew = timedelta(seconds=abs(case.world.skew))
    for row in halted:
        halted_at = moment(row["halted_at"])
        if halted_at is not None and sight.at - halted_at > IN_FLIGHT + skew:
            yield f"I15: {sight.client_order_id} opens on an account halted at {halted_at:%X}"
    age = sight.at - case.world.prices.fed_at[sight.venue]
    if age > BOOK_AGE + IN_FLIGHT + skew:
        yield f"I15: {sight.client_order_id} opens on a book {age.total_seconds():.1f} s old"


def i16_nothing_grows_after_a_kill(case: Case, sight: Sight) -> Sentences:
    """I16: after a kill nothing opens or hedges but what was licensed before it, and in time."""
    if sight.intent is None or sight.intent["purpose"] not in GROWING:
        return
    for kill in case.world.kills:
        if kill.user_id not in (None, sight.intent["user_id"]):
            continue
        if kill.rearmed_at is not None and kill.rearmed_at <= sight.at:
            continue
        is_late = sight.at > kill.pressed_at + IN_FLIGHT
        if is_late or sight.client_order_id not in kill.licensed:
            yield f"I16: {sight.client_order_id} grows a position after the kill"


def i31_a_wrong_clock_opens_nothing(case: Case, sight: Sight) -> Sentences:
    """I31: nothing opens while our clock is so far off that a venue would refuse its signature."""
    if sight.intent is None or sight.intent["purpose"] != "open":
        return
    since = sight.at - case.world.skewed_at
    if abs(case.world.skew) > CLOCK_BOUND and since > IN_FLIGHT:
        yield f"I31: {sight.client_order_id} opens by a clock that is {case.world.skew:g} s off"


REQUEST_RULES = (
    i1_intent_is_committed_before,
    i2_sent_at_most_once,
    i3_ids_are_deterministic,
    i5_nothing_new_beside_the_unknown,
    i12_hedge_within_the_first_leg,
    i14_orders_per_minute,
    i15_gates_are_open,
    i16_nothing_grows_after_a_kill,
    i31_a_wrong_clock_opens_nothing,
)
