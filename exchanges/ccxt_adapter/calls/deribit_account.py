"""What Deribit is asked of an account that is margined in USDC, as flat rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from exchanges.ccxt_adapter.calls import deribit_orders as orders
from exchanges.ccxt_adapter.calls import deribit_wallet as wallet
from exchanges.ccxt_adapter.calls.deribit_requests import (
    DOLLAR,
    MILLISECOND,
    OF_DOLLARS,
    SOUGHT,
    DeribitRequests,
)
from exchanges.ccxt_adapter.calls.known_moves import KnownMoves
from exchanges.ccxt_adapter.numbers import exact
from exchanges.ccxt_adapter.rows import all_of
from exchanges.errors import OrderNotFound, SettingRefused
from exchanges.venues.deribit_access import PORTFOLIO_ADVICE

Request = Mapping[str, Any]
Row = dict[str, Any]

FORCES = {"GTC": "good_til_cancelled", "IOC": "immediate_or_cancel"}


class DeribitAccountCalls(DeribitRequests):
    """Orders, settings and private reads."""

    @cached_property
    def _moves(self) -> KnownMoves:
        return KnownMoves()

    # --- Orders -------------------------------------------------------------------------------

    async def create_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Any,
        price: Any = None,
        params: Any = None,
    ) -> Row:
        """Place one order, which the venue begins with only within five seconds of its time.

        A market order has a price to go to, and goes as a limit that ends at once.
        """
        terms, usual = params or {}, "GTC" if type == "limit" else "IOC"
        asked = {
            "instrument_name": self.market(symbol)["id"],
            "amount": amount,
            "type": "limit",
            "price": price,
            "label": terms["clientOrderId"],
            "reduce_only": bool(terms.get("reduceOnly")),
            "time_in_force": FORCES[terms.get("timeInForce", usual)],
            "valid_until": self.now_there() + self.receive_window // MILLISECOND,
        }
        if terms.get("postOnly"):
            # Without the second its price would be moved to where it does not take.
            asked |= {"post_only": True, "reject_post_only": True}
        return orders.order((await self._post(side, **asked))["order"])

    def parse_order(self, order: Any, market: Any = None) -> Row:
        return orders.order(order)

    async def order_rows(self, request: Request) -> list[Row]:
        """Return an order by our id: as it is shown, else of the history, else of executions.

        It is absent only where all of them say so.
        """
        label, symbol = request["label"], request["instrument_name"]
        named = {"currency": DOLLAR, "label": label}
        # The first tells of recent orders: of what has worked for longer maybe no more.
        for path in ("get_order_state_by_label", "get_open_orders_by_label"):
            shown = orders.listed(await self._get(path, **named))
            if (found := orders.one_of_label(shown, label, symbol)) is not None:
                return [found]
        return await self._past(label, symbol)

    async def _past(self, label: str, symbol: str) -> list[Row]:
        """Return an order of its contract's history, or else of executions."""
        ended = [row for row in await self._history(symbol) if row.get("label") == label]
        found = orders.one_of_label(ended, label, symbol)
        if found is None:
            now = self.now_there()
            trades = await self._trades(symbol, now - SOUGHT, now)
            found = orders.of_trades(trades, label, symbol)
        return [] if found is None else [found]

    async def open_order_rows(self, request: Request) -> list[Row]:
        if symbol := request.get("instrument_name"):
            told = await self._get("get_open_orders_by_instrument", instrument_name=symbol)
        else:
            told = await self._get("get_open_orders_by_currency", **OF_DOLLARS)
        return orders.listed(told)

    async def cancel_rows(self, request: Request) -> list[Row]:
        """Cancel what carries our id. Raise OrderNotFound where nothing was cancelled."""
        ended = await self._post("cancel_by_label", label=request["label"], currency=DOLLAR)
        if not exact(ended):
            raise OrderNotFound("the venue cancelled no order of this id", venue=self.id)
        return []

    # --- Settings -----------------------------------------------------------------------------

    async def leverage_rows(self, request: Request) -> list[Row]:
        """Check what is wanted: the account's margin model alone says how far a position goes."""
        symbol, wanted = request["instrument_name"], exact(request["leverage"])
        [market] = self.markets_by_id[symbol]
        most = exact(market["info"]["max_leverage"])
        if wanted > most:
            words = f"{symbol} is offered with a leverage of up to {most}, not {wanted}"
            raise SettingRefused(words, venue=self.id)
        if not wallet.is_standard(await self._summary()):
            raise SettingRefused(PORTFOLIO_ADVICE, venue=self.id)
        return []

    # --- The account --------------------------------------------------------------------------

    async def key_rows(self, request: Request) -> list[Row]:
        """Return the rights of the key that asks; all else of the list of keys stays here."""
        keys, summary = await all_of([self._get("list_api_keys"), self._summary()])
        [own] = [row for row in orders.listed(keys) if row["client_id"] == self.apiKey]
        return [wallet.rights(own, summary)]

    async def _summary(self) -> Row:
        told: Row = await self._get("get_account_summary", currency=DOLLAR, extended="true")
        return told

    async def balance_rows(self, request: Request) -> list[Row]:
        told, held = await all_of(
            [self._get("get_account_summaries"), self._get("get_positions", **OF_DOLLARS)]
        )
        summaries, positions = orders.listed(told["summaries"]), wallet.perpetuals(held)
        if all(row["currency"] != DOLLAR for row in summaries):
            raise LookupError("no summary of what margins contracts")
        return [wallet.balance(row, positions) for row in summaries]

    async def position_rows(self, request: Request) -> list[Row]:
        told = wallet.perpetuals(await self._get("get_positions", **OF_DOLLARS))
        summary = await self._summary() if any(map(wallet.signed_size, told)) else None
        return [wallet.position(row, summary) for row in told]

    async def fill_rows(self, request: Request) -> list[Row]:
        since, until = int(request["since"]), int(request["until"])
        told = await self._trades(request["instrument_name"], since, until)
        return [orders.fill(row) for row in told]

    async def payment_rows(self, request: Request) -> list[Row]:
        return wallet.payments(await self._log(int(request["since"]), int(request["until"])))

    async def transfer_rows(self, request: Request) -> list[Row]:
        since, until = int(request["since"]), int(request["until"])
        entries = await self._log(self._moves.unread_since(since, until), until)
        return self._moves.with_these(wallet.transfers(entries), since, until)

    async def fee_rows(self, request: Request) -> list[Row]:
        return wallet.fees(await self._summary())
