"""Hyperliquid over REST, `api.hyperliquid.xyz`: questions to `/info`, actions to `/exchange`.

All actions but those of trading are refused, and stand in the access log by their type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.simulator.accounts import Account
from exchanges.simulator.admission import Refusal
from exchanges.simulator.core import Simulator
from exchanges.simulator.countdowns import ALL, start_countdown
from exchanges.simulator.faces import hyperliquid_orders as orders
from exchanges.simulator.faces.hyperliquid_account import WalletQuestions
from exchanges.simulator.faces.hyperliquid_calls import (
    Question,
    account_of_agent,
    encoded,
    error_body,
    malformed,
    refused,
)
from exchanges.simulator.faces.hyperliquid_market import MarketQuestions
from exchanges.simulator.faces.hyperliquid_signatures import signer_of
from exchanges.simulator.listings import HYPERLIQUID, Listing
from exchanges.simulator.margin import margin_state
from exchanges.simulator.wire import (
    Dialect,
    Json,
    VenueRefusal,
    WireRequest,
    WireResponse,
    milliseconds,
)

INFO, EXCHANGE = ("POST", "/info"), ("POST", "/exchange")
DEFAULT = {"type": "default"}
PRACTICE_HOST = "api.hyperliquid-testnet.xyz"
NONCES_KEPT = 100
NONCE_BEHIND, NONCE_AHEAD = timedelta(days=2), timedelta(days=1)
SOONEST_CANCEL = timedelta(seconds=5)
MICRO_DOLLARS = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One action of an account, its signature checked."""

    body: Json
    owner: Account
    now: datetime


class HyperliquidFace:
    """Hyperliquid's perpetuals, margined in USDC."""

    dialect = Dialect(
        body=lambda code, message: error_body(message),
        reject_status=200,
        too_many=(429, "Too many requests"),
    )
    # No header names a key: whatever is asked is kept.
    key_header = "content-type"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(HYPERLIQUID)
        self._nonces: dict[str, list[int]] = {}
        self._answers = MarketQuestions(simulator).answers | WalletQuestions(simulator).answers
        self._actions: dict[str, Callable[[Act], Json]] = {
            "order": self._place,
            "cancelByCloid": self._cancel,
            "updateLeverage": self._set_leverage,
            "updateIsolatedMargin": self._add_margin,
            "scheduleCancel": self._schedule_cancel,
        }

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        called = (request.method, request.path)
        try:
            if called == INFO:
                return _answer(self._info(Question(body=request.json, now=now)))
            if called == EXCHANGE:
                practices = request.host == PRACTICE_HOST
                response = self._act(request.json, now, practices=practices)
                return _answer({"status": "ok", "response": response})
            raise VenueRefusal(404, "not found", status=404)
        except VenueRefusal as refusal:
            body = error_body(refusal.message) if refusal.status == 200 else refusal.message
            return WireResponse(
                status=refusal.status, body=encoded(body), outcome=refusal.message[:60]
            )

    def client_order_id(self, request: WireRequest) -> str:
        body = request.json
        action = body.get("action")
        if not isinstance(action, dict):
            return str(body["oid"]) if isinstance(body.get("oid"), str) else ""
        named = [*_rows(action, "orders"), *_rows(action, "cancels")]
        return next((str(row.get("c") or row.get("cloid") or "") for row in named), "")

    def _info(self, question: Question) -> object:
        answer = self._answers.get(question.text("type"))
        if answer is None:
            raise malformed()
        return answer(question)

    def _act(self, body: Json, now: datetime, *, practices: bool) -> Json:
        action, nonce = body.get("action"), body.get("nonce")
        if not isinstance(action, dict) or not isinstance(nonce, int):
            raise malformed()
        owner = self._signed_by(body, action, nonce, now, practices=practices)
        handler = self._actions.get(str(action.get("type")))
        if handler is None:
            raise refused(f"{action.get('type')} is not simulated")
        return handler(Act(body=action, owner=owner, now=now))

    def _signed_by(
        self, body: Json, action: Json, nonce: int, now: datetime, *, practices: bool
    ) -> Account:
        """Return the account whose agent signed; check the deadline and the nonce."""
        until, signature = body.get("expiresAfter"), body.get("signature")
        if body.get("vaultAddress") is not None or not isinstance(signature, dict):
            raise malformed()
        try:
            source = b"b" if practices else b"a"
            signer = signer_of(action, nonce, until, signature, source=source)
        except ValueError:
            raise malformed() from None
        owner = account_of_agent(self._simulator, signer)
        if owner is None or owner.practices is not practices:
            raise refused(f"User or API Wallet {signer} does not exist.")
        if until is not None and until < milliseconds(now):
            raise refused(f"Action expired: expiresAfter {until} has passed")
        known = self._nonces.setdefault(signer, [])
        first, last = milliseconds(now - NONCE_BEHIND), milliseconds(now + NONCE_AHEAD)
        is_low = len(known) == NONCES_KEPT and nonce < known[0]
        if nonce in known or is_low or not first <= nonce <= last:
            raise refused(f"Invalid nonce: duplicate nonce {nonce}")
        known.append(nonce)
        known.sort()
        del known[:-NONCES_KEPT]
        return owner

    # --- Actions ------------------------------------------------------------------------------

    def _place(self, act: Act) -> Json:
        if act.body.get("builder") is not None:
            raise refused("Builder fee has not been approved.")
        statuses = [self._placed(order, act) for order in _rows(act.body, "orders")]
        return {"type": "order", "data": {"statuses": statuses}}

    def _placed(self, order: Json, act: Act) -> Json:
        listing = self._asset(order.get("a"))
        intent = orders.intent_of(order, listing)
        result = self._simulator.place(act.owner, intent, now=act.now)
        if isinstance(result, Refusal):
            return {"error": f"{orders.words_of(result)} asset={order['a']}"}
        told = orders.placed(result)
        return {"error": f"{told['error']} asset={order['a']}"} if "error" in told else told

    def _cancel(self, act: Act) -> Json:
        statuses = [self._canceled(cancel, act) for cancel in _rows(act.body, "cancels")]
        return {"type": "cancel", "data": {"statuses": statuses}}

    def _canceled(self, cancel: Json, act: Act) -> object:
        symbol, own_id = self._asset(cancel.get("asset")).symbol, str(cancel.get("cloid"))
        named = self._simulator.ledger.orders_named(act.owner.api_key, HYPERLIQUID, own_id)
        for order in named:
            if order.symbol == symbol and self._simulator.engine.cancel(
                act.owner, order, now=act.now
            ):
                return "success"
        return {"error": f"{orders.GONE} asset={cancel['asset']}"}

    def _set_leverage(self, act: Act) -> Json:
        listing, leverage = self._asset(act.body.get("asset")), act.body.get("leverage")
        if not isinstance(leverage, int) or not 1 <= leverage <= listing.max_leverage:
            raise refused("Invalid leverage value")
        owner, wants_isolated = act.owner, act.body.get("isCross") is False
        is_isolated = owner.is_isolated(HYPERLIQUID, listing.symbol)
        if wants_isolated is not is_isolated:
            if self._simulator.ledger.holding(owner.api_key, listing.key).base_quantity:
                raise refused("Cannot switch leverage type with open position.")
            owner.isolated.pop(f"{HYPERLIQUID}:{listing.symbol}", None)
            if wants_isolated:
                owner.isolate(HYPERLIQUID, listing.symbol)
        owner.leverages[f"{HYPERLIQUID}:{listing.symbol}"] = Decimal(leverage)
        self._simulator.ledger.put_account(owner)
        return DEFAULT

    def _add_margin(self, act: Act) -> Json:
        listing, micro = self._asset(act.body.get("asset")), act.body.get("ntli")
        ledger, owner = self._simulator.ledger, act.owner
        if not isinstance(micro, int):
            raise malformed()
        holding = ledger.holding(owner.api_key, listing.key)
        if not holding.base_quantity or not owner.is_isolated(HYPERLIQUID, listing.symbol):
            raise refused("No isolated position to add margin to.")
        state = margin_state(ledger, self._simulator.market, owner, venue=HYPERLIQUID, now=act.now)
        amount = micro / MICRO_DOLLARS
        if not 0 < amount <= state.available:
            raise refused("Insufficient margin available to add.")
        owner.add_margin(HYPERLIQUID, listing.symbol, amount)
        ledger.put_account(owner)
        return DEFAULT

    def _schedule_cancel(self, act: Act) -> Json:
        """Cancel every order of the wallet at a time; without one, never."""
        at, after = act.body.get("time"), timedelta(0)
        if at is not None:
            after = timedelta(milliseconds=at - milliseconds(act.now))
            if after < SOONEST_CANCEL:
                raise refused("Scheduled cancel time must be at least 5 seconds in the future")
        ledger = self._simulator.ledger
        start_countdown(ledger, act.owner, HYPERLIQUID, ALL, after=after, now=act.now)
        return DEFAULT

    def _asset(self, index: object) -> Listing:
        listings = list(self._listings.values())
        if not isinstance(index, int) or not 0 <= index < len(listings):
            raise refused("Order has invalid asset.")
        return listings[index]


def _answer(payload: object) -> WireResponse:
    """Return an answer; the refusal of a single order in it is its outcome."""
    outcome = "ok"
    if isinstance(payload, dict) and payload.get("status") == "ok":
        data = payload["response"].get("data", {})
        failed = [row["error"] for row in data.get("statuses", ()) if "error" in row]
        outcome = failed[0] if failed else "ok"
    return WireResponse(status=200, body=encoded(payload), outcome=outcome)


def _rows(action: Json, name: str) -> list[Json]:
    found = action.get(name)
    rows = found if isinstance(found, list) else []
    return [row for row in rows if isinstance(row, dict)]
