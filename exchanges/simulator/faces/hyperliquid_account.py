"""What Hyperliquid tells by `/info` of a wallet; anybody may ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from exchanges.simulator.accounts import Account, HoldingRow, Order
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import hyperliquid_orders as orders
from exchanges.simulator.faces.hyperliquid_calls import (
    Question,
    account_of,
    account_of_agent,
    malformed,
)
from exchanges.simulator.faces.hyperliquid_signatures import address_of
from exchanges.simulator.listings import HYPERLIQUID, WALLETS
from exchanges.simulator.margin import (
    holding_of,
    isolated_margin,
    isolated_part,
    liquidation_price,
    margin_state,
)
from exchanges.simulator.wire import Json, milliseconds, plain

MOST_FILLS, MOST_ROWS = 2000, 500
AGENTS_LAST = timedelta(days=180)
UNKNOWN_ORDER = {"status": "unknownOid"}


class WalletQuestions:
    """The questions about one wallet."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._once_listed = simulator.once_listed_at(HYPERLIQUID)
        self.answers: dict[str, Callable[[Question], object]] = {
            "clearinghouseState": lambda question: state_payload(
                simulator, self._owner(question), question.now
            ),
            "orderStatus": self._order,
            "frontendOpenOrders": self._open_orders,
            "openOrders": self._open_orders,
            "userFills": lambda question: self._fills(question)[::-1][:MOST_FILLS],
            "userFillsByTime": self._fills_of_span,
            "userFunding": self._payments,
            "userNonFundingLedgerUpdates": self._transfers,
            "userFees": lambda question: self._fees(),
            "userRole": self._role,
            "extraAgents": self._agents,
            "userAbstraction": lambda question: "default",
        }

    def _owner(self, question: Question) -> Account:
        account = account_of(self._simulator, question.text("user"))
        if account is None:
            raise malformed()
        return account

    def _order(self, question: Question) -> Json:
        order = self._named(question)
        if order is None:
            return UNKNOWN_ORDER
        return {"status": "order", "order": orders.update(order, orders.whole_order(order))}

    def _named(self, question: Question) -> Order | None:
        """Return the visible order of a number, or of our own id."""
        owner, ledger, name = self._owner(question), self._simulator.ledger, question.body["oid"]
        if isinstance(name, str):
            found = ledger.orders_named(owner.api_key, HYPERLIQUID, name)
        else:
            every = ledger.account_orders(owner.api_key, HYPERLIQUID)
            found = [row for row in every if row.venue_order_id == str(name)]
        visible = [row for row in found if row.visible_at <= question.now]
        return visible[-1] if visible else None

    def _open_orders(self, question: Question) -> list[Json]:
        owner = self._owner(question)
        working = self._simulator.ledger.open_orders(api_key=owner.api_key, venue=HYPERLIQUID)
        return [orders.whole_order(row) for row in working if row.visible_at <= question.now]

    def _fills(self, question: Question) -> list[Json]:
        ledger, owner = self._simulator.ledger, self._owner(question)
        trades = ledger.account_trades(owner.api_key, HYPERLIQUID, None)
        return [orders.fill_payload(row, ledger.orders[row.order_number]) for row in trades]

    def _fills_of_span(self, question: Question) -> list[Json]:
        return _within(question, self._fills(question))[:MOST_FILLS]

    def _payments(self, question: Question) -> list[Json]:
        owner = self._owner(question)
        booked = self._simulator.ledger.account_funding(owner.api_key, HYPERLIQUID, None)
        rows = sorted(booked, key=lambda row: row.settled_at)
        return _within(question, [orders.payment_payload(row) for row in rows])[:MOST_ROWS]

    def _transfers(self, question: Question) -> list[Json]:
        owner = self._owner(question)
        moved = self._simulator.ledger.account_transfers(owner.api_key, WALLETS[HYPERLIQUID])
        return _within(question, [orders.transfer_payload(row) for row in moved])[:MOST_ROWS]

    def _fees(self) -> Json:
        listing = next(iter(self._once_listed.values()))
        cross, add = plain(listing.taker_fee), plain(listing.maker_fee)
        return {
            "dailyUserVlm": [],
            "feeSchedule": {"cross": cross, "add": add},
            "userCrossRate": cross,
            "userAddRate": add,
            "userSpotCrossRate": "0.0007",
            "userSpotAddRate": "0.0004",
            "activeReferralDiscount": "0",
            "trial": None,
            "stakingLink": None,
        }

    def _role(self, question: Question) -> Json:
        """Return what an address is: `may_withdraw` stands for a key of the wallet itself."""
        address = question.text("user").lower()
        owner = account_of_agent(self._simulator, address)
        if owner is None:
            is_wallet = account_of(self._simulator, address) is not None
            return {"role": "user" if is_wallet else "missing"}
        if owner.may_withdraw or owner.api_key.lower() == address:
            return {"role": "user"}
        return {"role": "agent", "data": {"user": owner.api_key}}

    def _agents(self, question: Question) -> list[Json]:
        owner = self._owner(question)
        until = milliseconds(owner.created_at + AGENTS_LAST)
        return [{"name": "carry", "address": address_of(owner.secret), "validUntil": until}]


def _within(question: Question, rows: list[Json]) -> list[Json]:
    start, end = question.span
    return [row for row in rows if start <= row["time"] <= end]


def state_payload(simulator: Simulator, owner: Account, now: datetime) -> Json:
    """Return margin and positions: `accountValue` counts what is won and lost, and all margin."""
    ledger, market = simulator.ledger, simulator.market
    state = margin_state(ledger, market, owner, venue=HYPERLIQUID, now=now)
    apart, won_apart = isolated_part(ledger, market, owner, venue=HYPERLIQUID, now=now)
    held = ledger.holdings(api_key=owner.api_key, venue=HYPERLIQUID)
    positions = [_position(simulator, owner, row, now) for row in held]
    total = sum((Decimal(row["positionValue"]) for row in positions), Decimal(0))
    used = state.initial_margin + state.order_margin

    def summary(equity: Decimal, margin: Decimal) -> Json:
        return {
            "accountValue": plain(equity),
            "totalNtlPos": plain(total),
            "totalRawUsd": plain(equity),
            "totalMarginUsed": plain(margin),
        }

    return {
        "marginSummary": summary(state.equity + apart + won_apart, used + apart),
        "crossMarginSummary": summary(state.equity, used),
        "crossMaintenanceMarginUsed": plain(state.maintenance_margin),
        "withdrawable": plain(max(state.available, Decimal(0))),
        "assetPositions": [{"type": "oneWay", "position": row} for row in positions],
        "time": milliseconds(now),
    }


def _position(simulator: Simulator, owner: Account, row: HoldingRow, now: datetime) -> Any:
    listing = simulator.market.listings[(row.venue, row.symbol)]
    holding, mark = holding_of(row), simulator.market.mark(listing, now)
    leverage, value = owner.leverage(HYPERLIQUID, row.symbol), holding.notional(mark)
    is_isolated = owner.is_isolated(HYPERLIQUID, row.symbol)
    margin = isolated_margin(owner, row) if is_isolated else value / leverage
    liquidation = liquidation_price(simulator.ledger, simulator.market, owner, row, now=now)
    return {
        "coin": row.symbol,
        "szi": plain(holding.base_quantity),
        "leverage": {"type": "isolated" if is_isolated else "cross", "value": int(leverage)},
        "entryPx": plain(round(holding.entry_price, 8)) if holding.entry_price else None,
        "positionValue": plain(value),
        "unrealizedPnl": plain(holding.unrealised_pnl(mark)),
        "returnOnEquity": "0.0",
        "liquidationPx": None if liquidation is None else plain(liquidation),
        "marginUsed": plain(round(margin, 8)),
        "maxLeverage": int(listing.max_leverage),
        "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
    }
