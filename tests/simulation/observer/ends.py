"""Invariants of a world that has come to rest: no faults, everything swept, nothing left to do."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from exchanges.simulator.listings import SPOT
from tests.simulation.chronicle import TOLERANCE
from tests.simulation.markets import base_of
from tests.simulation.observer.case import Case, Row, Sentences
from tests.simulation.observer.steps import ENDED
from tests.simulation.venue_side import USDT
from trading.models import Position
from trading.services.pnl import realised_parts

ROUNDING = Decimal("1e-8")
FINGERPRINT = (
    "SELECT client_order_id, state, filled_base_quantity, is_final_at_venue FROM trading_order",
    "SELECT id, state, goal, exposure_version FROM trading_position",
    "SELECT venue_trade_id, base_quantity FROM trading_trade",
    "SELECT venue_payment_id, payment FROM trading_fundingevent",
    "SELECT id FROM trading_event",
    "SELECT id FROM trading_statechange",
    "SELECT id, halted_at FROM exchanges_exchangeaccount",
)


def i11_everything_comes_to_rest(case: Case) -> Sentences:
    """I11: each position is hedged, flat, or held with an alert; nothing is unresolved."""
    for row in case.orders:
        if row["state"] in ("planned", "sending", "unknown"):
            yield f"I11: {row['client_order_id']} is still {row['state']}"
    for position in case.positions:
        yield from _rest(case, position)
    live = {p["id"] for p in case.positions if p["state"] not in ENDED}
    for row in case.orders:
        working = [order for order in case.at_venue(row["client_order_id"]) if not order.is_final]
        if working and row["position_id"] not in live:
            yield f"I11: {row['client_order_id']} still works for a position that has ended"


def _rest(case: Case, position: Row) -> Sentences:
    name, user, base = position["state"], position["username"], position["base"]
    if name in ENDED:
        return
    if name == "held":
        if not case.was_alerted_of(position):
            yield f"I11: a {base} position is held and nobody was alerted"
        return
    if name != "open" or position["goal"] != "hedged":
        if not case.was_alerted_of(position) or name in ("planned", "entering"):
            yield f"I11: a {base} position is still {name}, goal {position['goal']}"
        return
    if case.is_foreign(user, base) or case.was_liquidated(user, base):
        return
    net = sum(case.own_base(position).values(), Decimal(0))
    if abs(net) > TOLERANCE[base]:
        yield f"I11: an open {base} position is unhedged by {net}"


def i6_all_fills_are_booked(case: Case) -> Sentences:
    """I6: what is booked is what the venues filled, order by order and trade by trade."""
    booked = {
        (row["venue"], row["venue_trade_id"])
        for row in case.rows(
            "SELECT t.venue_trade_id, e.code AS venue FROM trading_trade t "
            "JOIN exchanges_exchangeaccount a ON a.id = t.account_id "
            "JOIN exchanges_exchange e ON e.id = a.exchange_id"
        )
    }
    own = {row["client_order_id"] for row in case.orders}
    for trade in case.world.far.ledger.trades:
        key = (trade.venue, trade.venue_trade_id)
        if trade.client_order_id in own and key not in booked:
            yield f"I6: {trade.base_quantity} filled of {trade.client_order_id} is not booked"


def i17_after_a_kill_all_is_flat(case: Case) -> Sentences:
    """I17: at rest a pressed kill has left nothing of its scope but what is held with an alert."""
    for kill in case.world.kills:
        if kill.rearmed_at is not None or not kill.closes:
            continue
        for position in case.positions:
            is_bound = kill.user_id in (None, position["user_id"])
            if is_bound and position["state"] not in {*ENDED, "held"}:
                yield f"I17: {position['base']} is {position['state']} at rest after a kill"


def i20_funding_is_complete(case: Case) -> Sentences:
    """I20: every payment of an own holding is booked once, and its sum is exact."""
    booked: Counter[tuple[str, str, str]] = Counter()
    sums: dict[tuple[str, str, str], Decimal] = {}
    for row in case.rows(
        "SELECT u.username, e.code AS venue, p.base, f.payment FROM trading_fundingevent f "
        "JOIN trading_position p ON p.id = f.position_id JOIN accounts_user u ON u.id = p.user_id "
        "JOIN exchanges_exchangeaccount a ON a.id = f.account_id "
        "JOIN exchanges_exchange e ON e.id = a.exchange_id"
    ):
        key = (row["username"], row["venue"], row["base"])
        booked[key] += 1
        sums[key] = sums.get(key, Decimal(0)) + Decimal(row["payment"])
    paid: Counter[tuple[str, str, str]] = Counter()
    totals: dict[tuple[str, str, str], Decimal] = {}
    for payment in case.world.far.ledger.funding:
        user, base = payment.api_key.partition("-")[0], base_of(payment.symbol)
        if case.is_foreign(user, base):
            continue
        key = (user, payment.venue, base)
        paid[key] += 1
        totals[key] = totals.get(key, Decimal(0)) + payment.payment
    for key in paid:
        if booked[key] != paid[key]:
            yield f"I20: {paid[key]} payments of {' '.join(key)}, {booked[key]} are booked"
        elif abs(sums[key] - totals[key]) > ROUNDING * paid[key]:
            yield f"I20: {' '.join(key)} paid {totals[key]}, {sums[key]} is booked"


def i21_the_bridge_closes(case: Case) -> Sentences:
    """I21: with everything ended, the parts of all positions are what the wallets gained."""
    for user in case.world.users.values():
        name = user.username
        mine = [p for p in case.positions if p["username"] == name]
        if any(p["state"] not in ENDED for p in mine):
            continue
        if any(
            case.is_foreign(name, base) or case.was_liquidated(name, base) for base in TOLERANCE
        ):
            continue
        accounts = [a for a in case.world.far.ledger.accounts.values() if _owner(a.api_key) == name]
        gained = sum((b["USDT"] - USDT for a in accounts for b in a.wallets.values()), Decimal(0))
        gained += sum((_dust_value(case, position) for position in mine), Decimal(0))
        told = sum(
            (realised_parts(p).total for p in Position.objects.filter(user=user)), Decimal(0)
        )
        if abs(gained - told) > ROUNDING * 100:
            yield f"I21: {name}'s wallets gained {gained}, the positions tell {told}"


def _dust_value(case: Case, position: Row) -> Decimal:
    """Return what the coins that no lot could sell are worth at the last price they were sold at.

    What is left of a coin that was bought, less its fee, is part of what a position has earned.
    """
    left = case.own_base(position).get(SPOT, Decimal(0))
    return left * case.last_price(position, SPOT) if left else left


def i25_what_differs_is_halted(case: Case) -> Sentences:
    """I25: an account that holds what is not ours is halted, or was looked at by a person since.

    Coins beyond ours are nobody's business: a wallet may hold more than what Carry bought.
    """
    for (user, venue, base), quantity in case.chronicle.foreign.items():
        if abs(quantity) < TOLERANCE[base] or user in case.world.released:
            continue
        if venue == SPOT and _coins_suffice(case, user, base):
            continue
        halted = case.rows(
            "SELECT 1 FROM exchanges_exchangeaccount a "
            "JOIN exchanges_exchange e ON e.id = a.exchange_id "
            "JOIN accounts_user u ON u.id = a.user_id "
            "WHERE u.username = ? AND e.code = ? AND a.halted_at IS NOT NULL",
            user,
            venue,
        )
        if not halted:
            yield f"I25: {user} at {venue} holds {quantity} foreign {base} and is not halted"


def _coins_suffice(case: Case, user: str, base: str) -> bool:
    own = case.chronicle.own.get((user, SPOT, base), Decimal(0))
    return case.world.far.held(user, SPOT, base) > own - TOLERANCE[base]


def i26_reconciling_twice_changes_nothing(case: Case) -> Sentences:
    """I26: a second reconciliation writes nothing that matters and sends nothing.

    The first one ended the run. What screens show as last read is written each time and is not
    counted.
    """
    before = fingerprint(case)
    case.world.reconcile()
    if fingerprint(case) != before:
        yield "I26: reconciling a second time changed something"


def i33_no_secret_in_any_sink(case: Case) -> Sentences:
    """I33: no key, secret or passphrase is in anything that is kept, sent or shown."""
    accounts = case.world.far.ledger.accounts.values()
    canaries = {
        canary for row in accounts for canary in (row.api_key, row.secret, row.passphrase) if canary
    }
    for sink, text in case.world.laboratory.sinks.texts():
        for canary in sorted(canaries):
            if canary in text:
                yield f"I33: {sink} holds {canary}"


def fingerprint(case: Case) -> list[list[Row]]:
    """Return everything reconciliation could change, and what the venues received."""
    received: list[Row] = [{"sights": len(case.world.far.sights)}]
    return [*(case.rows(query) for query in FINGERPRINT), received]


def _owner(api_key: str) -> str:
    return api_key.partition("-")[0]


END_RULES = (
    i11_everything_comes_to_rest,
    i6_all_fills_are_booked,
    i17_after_a_kill_all_is_flat,
    i20_funding_is_complete,
    i21_the_bridge_closes,
    i25_what_differs_is_halted,
    i26_reconciling_twice_changes_nothing,
    i33_no_secret_in_any_sink,
)
