"""What Kraken Futures is asked of an account, as flat orders."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import ccxt

from exchanges.ccxt_adapter.calls import kraken_futures_orders as orders
from exchanges.ccxt_adapter.calls import kraken_futures_wallet as wallet
from exchanges.ccxt_adapter.calls.known_moves import KnownMoves
from exchanges.ccxt_adapter.calls.kraken_futures_requests import KrakenFuturesRequests
from exchanges.ccxt_adapter.instants import of_iso
from exchanges.ccxt_adapter.numbers import exact, plain
from exchanges.ccxt_adapter.rows import all_of
from exchanges.errors import SettingRefused

Request = Mapping[str, Any]
Row = dict[str, Any]

TYPES = {"GTC": "lmt", "IOC": "ioc"}
# By how much an entry of the log may stand before the execution it belongs to.
LOG_SLACK = 60_000


class KrakenFuturesAccountCalls(KrakenFuturesRequests):
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
        """Place one order; one without a limit goes one percent beyond the touch at most."""
        terms = params or {}
        asked = {
            "orderType": "mkt",
            "symbol": self.market(symbol)["id"],
            "side": side,
            "size": plain(amount),
            "cliOrdId": terms["clientOrderId"],
            "reduceOnly": "true" if terms.get("reduceOnly") else "false",
        }
        if type == "limit":
            kind = "post" if terms.get("postOnly") else TYPES[terms["timeInForce"]]
            asked |= {"orderType": kind, "limitPrice": plain(price)}
        answer = await self._post("sendorder", **asked)
        return orders.placed(answer["sendStatus"])

    def parse_order(self, order: Any, market: Any = None) -> Row:
        return orders.order(order)

    async def order_rows(self, request: Request) -> list[Row]:
        """Return an order by our id; one that is shown no more is looked for in the past."""
        own_id = request["cliOrdId"]
        told = await self._post("orders/status", cliOrdIds=own_id)
        found = [orders.shown(row) for row in orders.listed(told, "orders")]
        if not found:
            past = await self._past(own_id, request["symbol"])
            return [past] if past is not None else []
        row = found[-1]
        if row["filled"]:
            number = row["order_id"]
            fills = [one for one in await self._fills() if one["order_id"] == number]
            row["average"] = orders.average(fills)
        return [row]

    async def _past(self, own_id: str, symbol: str) -> Row | None:
        """Return an order of its fills and of its contract's history.

        Both are read after the look-up knew none, which shows an order for five seconds after its
        end: by then its fills are listed.
        """
        fills = await self._fills()
        events = await self._events(own_id, symbol)
        if events:
            fills = await self._fills(since=min(int(one["timestamp"]) for _, one in events))
        return orders.past(own_id, symbol, events, fills, now=self.milliseconds())

    async def open_order_rows(self, request: Request) -> list[Row]:
        told = self._as_listed(orders.listed(await self._get("openorders"), "openOrders"))
        wanted = request.get("symbol")
        return [orders.working(row) for row in told if wanted in (None, row["symbol"])]

    async def cancel_rows(self, request: Request) -> list[Row]:
        await self._post("cancelorder", cliOrdId=request["cliOrdId"])
        return []

    # --- Settings -----------------------------------------------------------------------------

    async def preference_rows(self, request: Request) -> list[Row]:
        """Return whether a contract is on isolated margin: then it has a preference."""
        told = orders.listed(await self._get("leveragepreferences"), "leveragePreferences")
        named = [row["symbol"] for row in self._as_listed(told)]
        return [{"mode": "isolated" if request["symbol"] in named else "cross"}]

    async def cross_margin_rows(self, request: Request) -> list[Row]:
        await self.fetch2("leveragepreferences", "private", "PUT", {"symbol": request["symbol"]})
        return []

    async def leverage_rows(self, request: Request) -> list[Row]:
        """Check what is wanted: on cross margin the wallet alone says how far a position goes."""
        symbol, wanted = request["symbol"], exact(request["leverage"])
        [market] = self.markets_by_id[symbol]
        most = 1 / exact(market["info"]["marginLevels"][0]["initialMargin"])
        if wanted > most:
            words = f"{symbol} is offered with a leverage of up to {most:.0f}, not {wanted}"
            raise SettingRefused(words, venue=self.id)
        told = orders.listed(await self._get("pnlpreferences"), "preferences")
        paid_in = {row["symbol"]: row["pnlCurrency"].upper() for row in self._as_listed(told)}
        if paid_in.get(symbol, wallet.DOLLAR) != wallet.DOLLAR:
            words = (
                f"profits and funding of {symbol} are paid in {paid_in[symbol]}: in Kraken "
                "Futures' settings choose USD as its profit currency, and try again"
            )
            raise SettingRefused(words, venue=self.id)
        return []

    # --- The account --------------------------------------------------------------------------

    async def key_rows(self, request: Request) -> list[Row]:
        return [wallet.rights(await self._get("api-keys/v3/check", "auth"))]

    async def balance_rows(self, request: Request) -> list[Row]:
        told = await self._get("accounts")
        flex = told["accounts"]["flex"]
        return wallet.balances(flex, margin="availableMargin", unrealised="totalUnrealized")

    async def position_rows(self, request: Request) -> list[Row]:
        told = self._as_listed(orders.listed(await self._get("openpositions"), "openPositions"))
        if not told:
            return []
        tickers, accounts = await all_of([self.publicGetTickers(), self._get("accounts")])
        marks = {row["symbol"]: row.get("markPrice") for row in orders.listed(tickers, "tickers")}
        flex = accounts["accounts"]["flex"]
        return [
            wallet.position(row, marks.get(row["symbol"]), self._levels(row["symbol"]), flex)
            for row in told
        ]

    def _levels(self, symbol: str) -> list[Row]:
        """Return the margin levels of a contract; of one that is not listed, none."""
        markets = (self.markets_by_id or {}).get(symbol, ())
        return [level for market in markets for level in market["info"]["marginLevels"]]

    async def fill_rows(self, request: Request) -> list[Row]:
        """Return the executions of a contract with their fees. One without a fee is a failure."""
        since, until = request["since"], request["until"]
        told = [
            row
            for row in await self._fills(since=since)
            if row["symbol"] == request["symbol"] and since <= of_iso(row["fillTime"]) <= until
        ]
        if not told:
            return []
        paid = wallet.fees(await self._log(since - LOG_SLACK, until + LOG_SLACK))
        return [wallet.fill(row, paid) for row in told]

    async def payment_rows(self, request: Request) -> list[Row]:
        return wallet.payments(await self._log(request["since"], request["until"]))

    async def transfer_rows(self, request: Request) -> list[Row]:
        since, until = int(request["since"]), int(request["until"])
        entries = await self._log(self._moves.unread_since(since, until), until)
        return self._moves.with_these(wallet.transfers(entries), since, until)

    async def fee_rows(self, request: Request) -> list[Row]:
        raise ccxt.NotSupported("the fees of an account are told to keys of the spot market alone")
