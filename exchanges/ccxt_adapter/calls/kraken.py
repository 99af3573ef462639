"""What Kraken is asked, as flat rows; the library would number requests by milliseconds."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import ccxt
from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.bad_rows import made_of
from exchanges.ccxt_adapter.calls import kraken_rows as rows
from exchanges.ccxt_adapter.calls.kraken_schedule import windows
from exchanges.ccxt_adapter.numbers import exact, plain
from exchanges.errors import OrderNotFound

Request = Mapping[str, Any]
Row = dict[str, Any]

PAGE, MOST_PAGES = 50, 1000
# Money, whatever is bought or sold: what a leg holds is then what it has bought.
FEES_IN_MONEY, POST_ONLY = "fciq", "fciq,post"
MICROSECOND = timedelta(microseconds=1)
# The last number of each key in this process: no two of its clients may use one twice.
_numbers: dict[str, int] = {}


class KrakenCalls(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes between our careful base and the library's class."""

    surroundings: Any
    receive_window: timedelta

    # --- The market ---------------------------------------------------------------------------

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        """Return the pairs, of which the library tells the leverage of margin trading.

        Their digits it takes for their tick, which may be larger.
        """
        markets: list[Any] = await super().fetch_markets(params or {})
        for market in markets:
            market["limits"]["leverage"] = {"min": None, "max": None}
            if tick := market["info"].get("tick_size"):
                market["precision"]["price"] = exact(tick)
        return markets

    async def spot_top_rows(self, request: Request) -> list[Row]:
        told = (await self.publicGetTicker())["result"]

        def top(name: str) -> Row:
            row = told[name]
            return {
                "symbol": name,
                "bid": row["b"][0],
                "bid_quantity": row["b"][2],
                "ask": row["a"][0],
                "ask_quantity": row["a"][2],
                "mark_price": row["c"][0],
                "volume": row["v"][1],
            }

        return made_of(told, top, "kraken tops")

    async def status_rows(self, request: Request) -> list[Row]:
        """Return the mode that trading is in now, and what is announced."""
        told = (await self.publicGetSystemStatus())["result"]
        now = {
            "key": "now",
            "status": told["status"],
            "title": f"Kraken is in {told['status']} mode",
            "services": ["all"],
        }
        return [now, *windows(await self.publicGetMaintenanceSchedule())]

    # --- Signing ------------------------------------------------------------------------------

    def incrementing_nonce(self) -> int:
        """Return a number that grows in this process, and with the venue's time beyond it."""
        number = (self._venue_time() - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND
        number = max(number, _numbers.get(self.apiKey, 0) + 1)
        _numbers[self.apiKey] = number
        return number

    def _venue_time(self) -> datetime:
        ahead = timedelta(milliseconds=int(self.options["timeDifference"]))
        now: datetime = self.surroundings.now()
        return now - ahead

    def sign(
        self,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Any = None,
        headers: Any = None,
        body: Any = None,
    ) -> Any:
        """Sign; an order is told until when the engine may take it, so that it is not done late."""
        group = api if isinstance(api, str) else api[0]
        if group == "private" and not _is_base64(self.secret):
            raise ccxt.AuthenticationError("a secret that is none")
        told = dict(params or {})
        if path == "AddOrder":
            until = (self._venue_time() + self.receive_window).isoformat(timespec="milliseconds")
            told["deadline"] = until.replace("+00:00", "Z")
        return super().sign(path, api, method, told)

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
        """Place one order in cash. The answer names neither our id nor the quantity apart."""
        terms, market = params or {}, self.market(symbol)
        asked = {
            "pair": market["id"],
            "type": side,
            "ordertype": type,
            "volume": plain(amount),
            "oflags": POST_ONLY if terms.get("postOnly") else FEES_IN_MONEY,
            "cl_ord_id": terms["clientOrderId"],
        }
        if type == "limit":
            asked |= {"price": plain(price), "timeinforce": terms.get("timeInForce", "GTC")}
        answer = await self.privatePostAddOrder(asked)
        [number] = answer["result"]["txid"]
        return {"id": number, "info": answer["result"]}

    def parse_order(self, order: Any, market: Any = None) -> Row:
        return rows.order(order, self._pair(order["pair"])["symbol"])

    async def order_rows(self, request: Request) -> list[Row]:
        """Return an order by our id, looked up where it works and then where it has ended.

        One after the other: an order that ends in between is in the later list. Raise LookupError
        where two have one id.
        """
        asked = {"cl_ord_id": request["cl_ord_id"]}
        found = await self._orders(self.privatePostOpenOrders, asked, "open")
        if not found:
            found = await self._orders(self.privatePostClosedOrders, asked, "closed")
        if len(found) > 1:
            raise LookupError("several orders of one id")
        return found

    async def open_order_rows(self, request: Request) -> list[Row]:
        return await self._orders(self.privatePostOpenOrders, {}, "open")

    async def order_of_fill_rows(self, request: Request) -> list[Row]:
        """Return the order with a number of the venue's."""
        told = (await self.privatePostQueryOrders({"txid": request["txid"]}))["result"]
        return [{**row, "cl_ord_id": rows.own_id(row.get("cl_ord_id"))} for row in rows.named(told)]

    async def cancel_rows(self, request: Request) -> list[Row]:
        answer = await self.privatePostCancelOrder({"cl_ord_id": request["cl_ord_id"]})
        if not int(answer["result"]["count"]):
            raise OrderNotFound("the venue has cancelled nothing", venue="kraken")
        return []

    async def _orders(
        self, ask: Callable[[Request], Awaitable[Any]], request: Request, name: str
    ) -> list[Row]:
        """Return the orders of a list with the pair as it is listed, which they name otherwise."""
        told = rows.named((await ask(request))["result"][name])
        return [{**row, "pair": self._listed(row["descr"]["pair"])} for row in told]

    def _listed(self, name: str) -> str:
        """Return a pair's id by either name, empty for what is not listed, as shares are not."""
        try:
            return str(self._pair(name)["id"])
        except LookupError:
            return ""

    def _pair(self, name: str) -> Any:
        """Return what is listed by either of its names. Raise LookupError where nothing is."""
        by_id = self.markets_by_id.get(name)
        return by_id[0] if by_id else self.options["marketsByAltname"][name]

    # --- The account --------------------------------------------------------------------------

    async def key_rows(self, request: Request) -> list[Row]:
        return [rows.key((await self.privatePostGetApiKeyInfo())["result"])]

    async def balance_rows(self, request: Request) -> list[Row]:
        told = (await self.privatePostBalanceEx())["result"]
        listed = [rows.balance(self.safe_currency_code(name), row) for name, row in told.items()]
        return rows.balances(listed)

    async def fill_rows(self, request: Request) -> list[Row]:
        """Return the executions of a pair since a moment, each by itself, newest first.

        What comes in meanwhile moves the rest back: a row may come twice, none is missed.
        """
        # Whole seconds, of which the first is left out.
        since = int(request["since"]) // 1000 - 1
        asked = {"start": since, "consolidate_taker": "false", "without_count": "true"}
        found: list[Row] = []
        for number in range(MOST_PAGES):
            told = await self.privatePostTradesHistory({**asked, "ofs": number * PAGE})
            page = rows.named(told["result"]["trades"])
            found += page
            if len(page) < PAGE:
                break
        else:
            raise LookupError("pages without an end")
        own = [row for row in found if self._listed(row["pair"]) == request["pair"]]
        return [rows.fill(row) for row in own]

    async def fee_rows(self, request: Request) -> list[Row]:
        told = await self.privatePostTradeVolume({"pair": request["pair"]})
        return [rows.fees(told["result"], request["pair"])]


def _is_base64(secret: str) -> bool:
    try:
        return bool(base64.b64decode(secret))
    except (binascii.Error, ValueError):
        return False
