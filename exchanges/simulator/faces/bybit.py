"""Bybit v5 over REST (`api.bybit.com`): orders, executions, positions, settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from exchanges.simulator.accounts import Order
from exchanges.simulator.admission import Refusal
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import bybit_account as account_payloads
from exchanges.simulator.faces import bybit_market as market_payloads
from exchanges.simulator.faces.bybit_calls import (
    Call,
    authenticated,
    envelope,
    invalid,
    listed,
    refusal,
    within,
)
from exchanges.simulator.faces.bybit_intents import CODES, SPOT_CODES, intent_of
from exchanges.simulator.faces.bybit_log import borrow_payload, log_payload, log_rows
from exchanges.simulator.faces.bybit_orders import (
    execution_payload,
    executions,
    order_payload,
)
from exchanges.simulator.listings import BYBIT, BYBIT_SPOT, Listing
from exchanges.simulator.margin import margin_state
from exchanges.simulator.usage import bybit_pause
from exchanges.simulator.wire import Dialect, Json, VenueRefusal, WireRequest, WireResponse

PUBLIC_PREFIXES = ("/v5/market/", "/v5/spot-margin-trade/data", "/v5/system/")
VENUES = {"linear": BYBIT, "spot": BYBIT_SPOT}

Handler = Callable[[Call], Json]


class BybitFace:
    """Bybit's v5 interface of one unified account: linear and spot trade, inverse is shown."""

    dialect = Dialect(
        body=refusal,
        reject_status=200,
        too_many=(10006, "Too many visits!"),
        pause=bybit_pause,
    )
    key_header = "x-bapi-api-key"

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = {
            category: simulator.listings_at(venue) for category, venue in VENUES.items()
        }
        market = market_payloads.MarketPages(simulator)
        self._routes: dict[tuple[str, str], Handler] = {
            ("GET", "/v5/order/realtime"): self._orders_now,
            ("GET", "/v5/order/history"): self._orders_past,
            ("POST", "/v5/order/create"): self._create,
            ("POST", "/v5/order/cancel"): self._cancel,
            ("POST", "/v5/order/cancel-all"): self._cancel_all,
            ("GET", "/v5/execution/list"): self._executions,
            ("GET", "/v5/position/list"): self._positions,
            ("POST", "/v5/position/set-leverage"): self._set_leverage,
            ("POST", "/v5/position/add-margin"): self._add_margin,
            ("POST", "/v5/position/switch-mode"): self._switch_mode,
            ("POST", "/v5/account/set-margin-mode"): self._set_margin_mode,
            ("GET", "/v5/account/wallet-balance"): self._wallet_balance,
            ("GET", "/v5/account/fee-rate"): self._fee_rate,
            ("GET", "/v5/account/transaction-log"): self._transaction_log,
            ("GET", "/v5/account/borrow-history"): self._borrow_history,
            ("GET", "/v5/account/info"): lambda call: account_payloads.account_info(call.owner),
            ("GET", "/v5/user/query-api"): lambda call: account_payloads.api_key(call.owner),
            ("GET", "/v5/asset/coin/query-info"): lambda call: account_payloads.coins(),
        } | market.routes

    def handle(self, request: WireRequest, *, now: datetime) -> WireResponse:
        try:
            handler = self._routes.get((request.method, request.path))
            if handler is None:
                raise VenueRefusal(10001, f"Request path {request.path} is unknown", status=404)
            account = None
            if not request.path.startswith(PUBLIC_PREFIXES):
                account = authenticated(self._simulator, request, now)
            parameters = request.json if request.method == "POST" else request.query_parameters
            result = handler(Call(parameters=parameters, now=now, account=account))
        except VenueRefusal as refused:
            body = envelope({}, now, code=refused.code, message=refused.message)
            return WireResponse(status=refused.status, body=body, outcome=str(refused.code))
        return WireResponse(status=200, body=envelope(result, now), outcome="ok")

    def client_order_id(self, request: WireRequest) -> str:
        found = request.json if request.method == "POST" else request.query_parameters
        return str(found.get("orderLinkId") or "")

    def _listing(self, call: Call) -> Listing:
        listing = self._listings.get(call.text("category"), {}).get(call.text("symbol"))
        if listing is None or listing.is_inverse:
            raise invalid(f"symbol invalid {call.text('symbol')}")
        return listing

    def _contract(self, call: Call) -> Listing:
        listing = self._listing(call)
        if not listing.is_contract:
            raise invalid("category invalid")
        return listing

    def _venue(self, call: Call) -> str:
        """Return where the orders of a category are booked; nothing is booked elsewhere."""
        return VENUES.get(call.text("category"), "")

    def _create(self, call: Call) -> Json:
        intent = intent_of(call, self._listing(call))
        if call.number("positionIdx", 0) and not call.owner.is_hedge_mode:
            raise invalid("position idx not match position mode")
        result = self._simulator.place(call.owner, intent, now=call.now)
        if isinstance(result, Refusal):
            codes = CODES if intent.listing.is_contract else SPOT_CODES
            code, message = codes[result.reason]
            raise VenueRefusal(code, message, status=200)
        return {"orderId": result.venue_order_id, "orderLinkId": result.client_order_id}

    def _cancel(self, call: Call) -> Json:
        self._listing(call)
        found = self._named(call)
        if not found or not self._simulator.engine.cancel(call.owner, found[-1], now=call.now):
            message = "order not exists or too late to cancel"
            code = 110001 if self._venue(call) == BYBIT else 170213
            raise VenueRefusal(code, message, status=200)
        return {"orderId": found[-1].venue_order_id, "orderLinkId": found[-1].client_order_id}

    def _cancel_all(self, call: Call) -> Json:
        symbol = call.text("symbol") or None
        canceled = []
        for order in self._simulator.ledger.open_orders(
            api_key=call.owner.api_key, venue=self._venue(call), symbol=symbol
        ):
            self._simulator.engine.cancel(call.owner, order, now=call.now)
            ids = {"orderId": order.venue_order_id, "orderLinkId": order.client_order_id}
            canceled.append(ids)
        return {"list": canceled, "success": "1"}

    def _named(self, call: Call) -> list[Order]:
        """Return the visible orders that orderId or orderLinkId name; client id wins."""
        ledger, owner, venue = self._simulator.ledger, call.owner, self._venue(call)
        link = call.text("orderLinkId")
        if link:
            found = ledger.orders_named(owner.api_key, venue, link)
        else:
            orders = ledger.account_orders(owner.api_key, venue)
            found = [row for row in orders if row.venue_order_id == call.text("orderId")]
        return [row for row in found if row.visible_at <= call.now]

    def _orders_now(self, call: Call) -> Json:
        if call.text("orderId") or call.text("orderLinkId"):
            rows = self._named(call)
        else:
            symbol = call.text("symbol") or None
            rows = [
                row
                for row in self._simulator.ledger.open_orders(
                    api_key=call.owner.api_key, venue=self._venue(call), symbol=symbol
                )
                if row.visible_at <= call.now
            ]
        rows = sorted(rows, key=lambda row: row.number, reverse=True)
        return listed(call, rows, order_payload)

    def _orders_past(self, call: Call) -> Json:
        if call.text("orderId") or call.text("orderLinkId"):
            rows = self._named(call)
        else:
            symbol = call.text("symbol") or None
            ledger, venue = self._simulator.ledger, self._venue(call)
            orders = ledger.account_orders(call.owner.api_key, venue, symbol)
            rows = [row for row in orders if row.visible_at <= call.now]
        final = [row for row in reversed(rows) if row.is_final]
        kept = within(final, call, lambda row: row.created_at)
        return listed(call, kept, order_payload)

    def _executions(self, call: Call) -> Json:
        ledger = self._simulator.ledger
        rows = executions(ledger, call.owner, call.text("symbol") or None, venue=self._venue(call))
        kind, number, link = call.text("execType"), call.text("orderId"), call.text("orderLinkId")
        kept = [
            row
            for row in reversed(rows)
            if kind in ("", row.kind)
            and number in ("", row.venue_order_id)
            and link in ("", row.client_order_id)
        ]
        inside = within(kept, call, lambda row: row.at)
        return listed(call, inside, lambda row: execution_payload(ledger, row))

    def _positions(self, call: Call) -> Json:
        if call.text("category") != "linear":
            return listed(call, [], dict)
        symbol = call.text("symbol")
        if not symbol and not call.text("settleCoin"):
            raise invalid("symbol or settleCoin is required")
        listings = [self._contract(call)] if symbol else None
        rows = account_payloads.positions(self._simulator, call.owner, listings, call.now)
        return listed(call, rows, dict)

    def _set_leverage(self, call: Call) -> Json:
        listing = self._contract(call)
        leverage = call.decimal("buyLeverage")
        if not 1 <= leverage <= listing.max_leverage:
            raise VenueRefusal(110013, "cannot set leverage due to risk limit", status=200)
        if leverage == call.owner.leverage(BYBIT, listing.symbol):
            raise VenueRefusal(110043, "leverage not modified", status=200)
        call.owner.leverages[f"{BYBIT}:{listing.symbol}"] = leverage
        self._simulator.ledger.put_account(call.owner)
        return {}

    def _switch_mode(self, call: Call) -> Json:
        wanted = call.number("mode", 0) == 3
        if wanted == call.owner.is_hedge_mode:
            raise VenueRefusal(110025, "Position mode is not modified", status=200)
        if self._simulator.ledger.holdings(api_key=call.owner.api_key):
            message = "You have an existing position, so position mode cannot be switched"
            raise VenueRefusal(110024, message, status=200)
        call.owner.is_hedge_mode = wanted
        self._simulator.ledger.put_account(call.owner)
        return {}

    def _set_margin_mode(self, call: Call) -> Json:
        wanted = call.text("setMarginMode")
        if wanted not in ("REGULAR_MARGIN", "ISOLATED_MARGIN"):
            raise VenueRefusal(3400045, "Set margin mode failed", status=200)
        call.owner.isolated.clear()
        if wanted == "ISOLATED_MARGIN":
            call.owner.isolate(BYBIT)
        self._simulator.ledger.put_account(call.owner)
        return {"reasons": []}

    def _add_margin(self, call: Call) -> Json:
        listing, amount = self._contract(call), call.decimal("margin")
        holding = self._simulator.ledger.holding(call.owner.api_key, listing.key)
        is_alone = call.owner.is_isolated(BYBIT, listing.symbol)
        if amount <= 0 or not holding.base_quantity or not is_alone:
            raise invalid("margin is added to isolated positions only")
        state = margin_state(
            self._simulator.ledger, self._simulator.market, call.owner, venue=BYBIT, now=call.now
        )
        if amount > state.available:
            raise VenueRefusal(110012, "insufficient available balance", status=200)
        call.owner.add_margin(BYBIT, listing.symbol, amount)
        self._simulator.ledger.put_account(call.owner)
        return account_payloads.position(self._simulator, call.owner, listing, call.now)

    def _wallet_balance(self, call: Call) -> Json:
        return account_payloads.wallet_balance(self._simulator, call.owner, call.now)

    def _transaction_log(self, call: Call) -> Json:
        rows = log_rows(self._simulator.ledger, call.owner, call.text("type"))
        return listed(call, within(rows, call, lambda row: row.at), log_payload)

    def _borrow_history(self, call: Call) -> Json:
        asset = call.text("currency")
        charged = self._simulator.ledger.account_interest(call.owner.api_key)
        rows = [row for row in charged if asset in ("", row.asset)]
        inside = within(rows[::-1], call, lambda row: row.charged_at)
        return listed(call, inside, borrow_payload)

    def _fee_rate(self, call: Call) -> Json:
        symbol = call.text("symbol")
        of_category = self._listings.get(call.text("category"), {})
        listings = [self._listing(call)] if symbol else list(of_category.values())
        return account_payloads.fee_rates(listings)
