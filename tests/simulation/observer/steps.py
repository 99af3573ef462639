"""Invariants that hold after every step, whatever is going on."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from exchanges.simulator.accounts import Origin
from exchanges.simulator.listings import SPOT
from tests.simulation.chronicle import TOLERANCE, Window
from tests.simulation.markets import base_of
from tests.simulation.observer.case import (
    ALERTED_WITHIN,
    CALM_WITHIN,
    DISPATCHED_WITHIN,
    FLAT_WITHIN,
    HEDGED_WITHIN,
    RESOLVED_WITHIN,
    Case,
    Row,
    Sentences,
    moment,
)

FINAL = frozenset({"dropped", "filled", "canceled", "expired", "rejected", "not_placed"})
UNRESOLVED = frozenset({"sending", "unknown"})
SUCCESS = frozenset({"open", "partial", "filled"})
ENDED = frozenset({"closed", "abandoned"})
LIVE = frozenset({"planned", "entering", "open", "exiting", "unwinding", "held"})


def i1_every_order_at_a_venue_is_ours(case: Case) -> Sentences:
    """I1: whatever rests or traded under one of our keys was licensed by an intent of ours."""
    known = {row["client_order_id"] for row in case.orders}
    for order in case.world.far.ledger.orders.values():
        if order.origin is Origin.USER and order.client_order_id not in known:
            yield f"I1: {order.venue} holds {order.client_order_id!r}, which no intent licensed"


def i4_success_has_evidence(case: Case) -> Sentences:
    """I4: an order called open or filled is at its venue, under its id, side and quantity."""
    for row in case.orders:
        if row["state"] not in SUCCESS:
            continue
        found = case.at_venue(row["client_order_id"])
        if not row["venue_order_id"] or not found:
            yield f"I4: {row['client_order_id']} is {row['state']} without an order at its venue"
            continue
        [order] = found[:1]
        told = (row["venue_order_id"], row["side"], Decimal(row["base_quantity"]))
        if told != (order.venue_order_id, order.side.value, order.base_quantity):
            yield f"I4: {row['client_order_id']} is not what its venue holds under this id"
        # Spot knows no such flag: there is no less than nothing to sell.
        if order.venue != SPOT and bool(row["reduce_only"]) != order.reduce_only:
            yield f"I4: {row['client_order_id']} is not reduce-only as it was meant"


def i5_absence_is_proven(case: Case) -> Sentences:
    """I5: an order called absent or refused is not at its venue."""
    for row in case.orders:
        if row["state"] in ("not_placed", "dropped") and case.at_venue(row["client_order_id"]):
            yield f"I5: {row['client_order_id']} is {row['state']}, and its venue holds it"


def i5_unknown_is_resolved(case: Case) -> Sentences:
    """I5: an unknown outcome is known soon after the venue can be asked again.

    Counted from when it was first seen or the last fault struck, without what is excused.
    """
    open_ones = {row["client_order_id"] for row in case.orders if row["state"] in UNRESOLVED}
    kept = {name: since for name, since in case.unresolved.items() if name in open_ones}
    case.unresolved = kept
    for name in sorted(open_ones):
        seen = kept.setdefault(name, (case.now, case.world.excused))
        begun, excused = max(seen, case.world.last_fault)
        waited = case.now - begun - (case.world.excused - excused)
        if waited > RESOLVED_WITHIN:
            yield f"I5: {name} is unresolved {waited.total_seconds():.1f} s after the last fault"


def i6_fills_at_most_once(case: Case) -> Sentences:
    """I6: what is booked of an order is never more than its venue filled."""
    booked: Counter[str] = Counter()
    query = (
        "SELECT o.client_order_id, t.base_quantity FROM trading_trade t "
        "JOIN trading_order o ON o.id = t.order_id"
    )
    for row in case.rows(query):
        booked[row["client_order_id"]] += Decimal(row["base_quantity"])  # type: ignore[assignment]
    for own_id, quantity in booked.items():
        filled = sum((order.filled for order in case.at_venue(own_id)), Decimal(0))
        if quantity > filled:
            yield f"I6: {quantity} booked of {own_id}, its venue filled {filled}"


def i7_monotone(case: Case) -> Sentences:
    """I7: filled quantities never fall, and what has ended never begins again."""
    for row in case.orders:
        before = case.before.get(row["client_order_id"])
        if before is None:
            continue
        name = row["client_order_id"]
        if Decimal(row["filled_base_quantity"]) < Decimal(before["filled_base_quantity"]):
            yield f"I7: the filled quantity of {name} fell"
        if before["state"] in FINAL and row["state"] not in {before["state"], "filled"}:
            yield f"I7: {name} went from {before['state']} to {row['state']}"


def i8_reducing_reduces(case: Case) -> Sentences:
    """I8: what reduces makes the own holding smaller, what hedges the exposure; none turns it."""
    rows = {row["client_order_id"]: row for row in case.orders}
    trades = case.chronicle.trades[case.trades_checked :]
    case.trades_checked = len(case.chronicle.trades)
    for trade in trades:
        own_id, user = trade.row.client_order_id, trade.row.api_key.partition("-")[0]
        base, row = base_of(trade.row.symbol), rows.get(trade.row.client_order_id)
        if row is None:
            continue
        unhedged = trade.net_after - (trade.after - trade.before)
        is_turned = unhedged * trade.net_after < 0 and abs(trade.net_after) > TOLERANCE[base]
        grew = abs(trade.after) > abs(trade.before) or trade.after * trade.before < 0
        is_hedge = row["purpose"] == "hedge" and not _was_sent_with_an_opening(case, row)
        is_reduction = row["purpose"] == "reduce" and not case.is_foreign(user, base)
        if is_hedge and is_turned:
            yield f"I8: {own_id} was to hedge {unhedged}, now {trade.net_after} is unhedged"
        if is_reduction and grew:
            yield f"I8: {own_id} was to reduce {trade.before}, now {trade.after} is held"


def _was_sent_with_an_opening(case: Case, hedge: Row) -> bool:
    """Tell whether both legs were sent at once: then neither waits for what the other fills."""
    return any(
        row["purpose"] == "open"
        and (row["position_id"], row["created_at"]) == (hedge["position_id"], hedge["created_at"])
        for row in case.orders
    )


def i9_grid(case: Case) -> Sentences:
    """I9: quantities and prices at the venue lie on its grid."""
    listings = case.world.far.simulator.market.listings
    for order in case.world.far.ledger.orders.values():
        listing = listings[(order.venue, order.symbol)]
        off_grid = order.base_quantity % listing.lot or (order.price or Decimal(0)) % listing.tick
        if order.origin is Origin.USER and off_grid:
            yield f"I9: {order.client_order_id} is off the grid of {order.venue}"


def i10_windows_are_bounded(case: Case) -> Sentences:
    """I10: net base beyond tolerance is mended soon after the last fault, and told of meanwhile.

    Time in which Carry was dead or a venue could not be reached does not count.
    """
    for window in case.chronicle.open.values():
        excused = case.world.excused - window.excused_before
        if case.now - window.starts_at - excused <= ALERTED_WITHIN:
            continue
        if window.alerted_after is None:
            yield (
                f"I10: {window.user} holds {case.chronicle.net(window.user, window.base)} "
                f"{window.base} unhedged since {window.starts_at:%X}, and nobody was alerted"
            )
    closed = case.chronicle.closed[case.windows_checked :]
    case.windows_checked = len(case.chronicle.closed)
    for window in closed:
        if window.length > CALM_WITHIN and not window.is_faulted:
            seconds = window.length.total_seconds()
            yield f"I10: {window.user}'s {window.base} was unhedged for {seconds:.1f} s of calm"
        if window.since_fault > HEDGED_WITHIN and not _was_held(case, window):
            seconds = window.since_fault.total_seconds()
            yield f"I10: {window.user}'s {window.base} was mended {seconds:.1f} s after a fault"


def _was_held(case: Case, window: Window) -> bool:
    """Tell whether the position of a window waited for a person."""
    return bool(
        case.rows(
            "SELECT 1 FROM trading_statechange s JOIN trading_position p ON p.id = s.position_id "
            "JOIN accounts_user u ON u.id = p.user_id "
            "WHERE u.username = ? AND p.base = ? AND s.to_state = 'held' LIMIT 1",
            window.user,
            window.base,
        )
    )


def i13_one_live_position(case: Case) -> Sentences:
    """I13: one live position per user and pair."""
    live = Counter((p["user_id"], p["base"]) for p in case.positions if p["state"] in LIVE)
    for (_, base), count in live.items():
        if count > 1:
            yield f"I13: {count} live positions of one user in {base}"


def i14_reservations(case: Case) -> Sentences:
    """I14: what limits hold reserved is what live positions reserved, and within every cap."""
    reserved: Counter[str] = Counter()
    for position in case.positions:
        cents = int(Decimal(position["reserved_usd"]) * 100 + Decimal("0.99"))
        reserved[position["user_id"]] += cents
        if position["state"] in ENDED and cents:
            yield f"I14: a {position['state']} position still holds {cents} cents reserved"
    for row in case.rows("SELECT user_id, reserved_cents FROM trading_limituse WHERE scope='user'"):
        if abs(row["reserved_cents"] - reserved[row["user_id"]]) > 2:
            yield f"I14: {row['reserved_cents']} cents reserved, positions hold otherwise"
        if row["reserved_cents"] > 250_000 * 100:
            yield f"I14: {row['reserved_cents']} cents reserved are above the limit in all"


def i17_a_kill_ends_flat(case: Case) -> Sentences:
    """I17: in time after a kill everything of its scope is flat, or an alert names what is left."""
    for kill in case.world.kills:
        excused = case.world.excused - kill.excused_before
        is_due = case.now - kill.pressed_at - excused > FLAT_WITHIN
        if not (kill.closes and is_due) or kill.rearmed_at is not None:
            continue
        for position in case.positions:
            if kill.user_id not in (None, position["user_id"]) or position["state"] not in LIVE:
                continue
            if not case.was_alerted_of(position, after=kill.events_before):
                yield f"I17: {position['base']} is {position['state']} long after the kill"


def i18_a_kill_lasts(case: Case) -> Sentences:
    """I18: a press lasts until a person re-arms, whatever crashes in between."""
    pressed = {
        row["epoch"]
        for row in case.rows("SELECT epoch FROM trading_killswitch WHERE rearmed_at IS NULL")
    }
    for kill in case.world.kills:
        if kill.rearmed_at is None and kill.epoch not in pressed:
            yield f"I18: kill {kill.epoch} is over though nobody re-armed it"


def i19_closing_is_dispatched(case: Case) -> Sentences:
    """I19: an exit is on its way within seconds, whatever polls have used up before it.

    While anything is disturbed, or a venue cannot be reached, other rules bound it.
    """
    waiting = {p["id"]: p for p in case.positions if (p["state"], p["goal"]) == ("open", "flat")}
    if case.world.is_faulted:
        waiting.clear()
    case.to_close = {name: since for name, since in case.to_close.items() if name in waiting}
    for name, position in waiting.items():
        begun, excused = case.to_close.setdefault(name, (case.now, case.world.excused))
        waited = case.now - begun - (case.world.excused - excused)
        if waited > DISPATCHED_WITHIN:
            yield f"I19: nothing closes {position['base']} after {waited.total_seconds():.1f} s"


def i23_modes_never_mix(case: Case) -> Sentences:
    """I23: rehearsed positions stay rehearsed."""
    for position in case.positions:
        if position["mode"] != "rehearsal":
            yield f"I23: a position became {position['mode']}"


def i25_ended_means_flat(case: Case) -> Sentences:
    """I25: what is called ended holds nothing at its venues, whatever a read said."""
    for position in case.positions:
        user, base = position["username"], position["base"]
        if position["state"] not in ENDED or case.was_liquidated(user, base):
            continue
        if case.is_foreign(user, base):
            continue
        for venue, held in case.own_base(position).items():
            if abs(held) >= TOLERANCE[base]:
                yield f"I25: a {position['state']} {base} position still holds {held} at {venue}"


def i27_epochs_only_grow(case: Case) -> Sentences:
    """I27: lease epochs never fall."""
    for position in case.positions:
        if position["lease_epoch"] < case.epochs.get(position["id"], 0):
            yield f"I27: the lease epoch of a {position['base']} position fell"
        case.epochs[position["id"]] = position["lease_epoch"]


def i28_slots_run_once(case: Case) -> Sentences:
    """I28: two beats ring, one slot runs."""
    for slot, runs in case.world.beats.slots_run.items():
        if runs > 1:
            yield f"I28: the slot {slot} ran {runs} times"


def i32_no_interference(case: Case) -> Sentences:
    """I32: what one user does closes and kills nothing of another.

    Weaker than the design's: a run without the other user is no measure here, since both share the
    clock and the books of the venues.
    """
    for position in case.positions:
        asked = moment(position["exit_requested_at"])
        if asked is None or position["close_reason"] not in ("manual", "kill"):
            continue
        if position["username"] not in case.world.closers(position["close_reason"]):
            yield f"I32: a position of {position['username']} was closed by somebody else"


STEP_RULES = (
    i1_every_order_at_a_venue_is_ours,
    i4_success_has_evidence,
    i5_absence_is_proven,
    i5_unknown_is_resolved,
    i6_fills_at_most_once,
    i7_monotone,
    i8_reducing_reduces,
    i9_grid,
    i10_windows_are_bounded,
    i13_one_live_position,
    i14_reservations,
    i17_a_kill_ends_flat,
    i18_a_kill_lasts,
    i19_closing_is_dispatched,
    i23_modes_never_mix,
    i25_ended_means_flat,
    i27_epochs_only_grow,
    i28_slots_run_once,
    i32_no_interference,
)
