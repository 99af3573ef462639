"""What Gate is asked of a classic account of USDT contracts, as flat rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import ccxt

from exchanges.ccxt_adapter.calls import gate_rows as rows
from exchanges.ccxt_adapter.calls.early_stamps import EarlyStamps
from exchanges.ccxt_adapter.faults import code_of
from exchanges.ccxt_adapter.instants import CLOCK_ERROR
from exchanges.ccxt_adapter.numbers import flag, text
from exchanges.ccxt_adapter.parse import MILLISECOND
from exchanges.ccxt_adapter.rows import all_of
from exchanges.venues.gate_access import power_of
from exchanges.venues.gate_codes import ENDED, UNSHOWN

Request = Mapping[str, Any]
Row = dict[str, Any]
Ask = Callable[[Request], Awaitable[Any]]

OF_DOLLARS = {"settle": "usdt"}
CROSS = "0"
# A signed request is served as long after its stamp; an order has a deadline of its own besides.
STAMPS_LAST = timedelta(seconds=60)
PAGE, MOST_PAGES = 100, 1000
FUNDING, TRANSFER = "fund", "dnw"
FORCES = {"GTC": "gtc", "IOC": "ioc"}
# By our id it shows an order for a minute after its end. Then the list of what has ended is read,
# so far back; of what filled before that the fills speak, which name our id too.
ENDED_WITHIN = timedelta(days=1)
MOST_ENDED_PAGES = 10
# How much of a key a list of keys has to show.
LEAST_SHOWN = 8


class GateAccountCalls(EarlyStamps):
    """Orders and private reads; sizes have a fraction by a header that the library sends."""

    stamps_last = STAMPS_LAST

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
        """Place one order of an account in one-way mode."""
        terms, market = params or {}, self.market(symbol)
        is_limit = type == "limit"
        force = "poc" if terms.get("postOnly") else FORCES[terms.get("timeInForce", "IOC")]
        order = {
            **OF_DOLLARS,
            "contract": market["id"],
            "size": rows.contracts(amount, side),
            # No price is one that takes what there is.
            "price": format(price.normalize(), "f") if is_limit else "0",
            "tif": force if is_limit else "ioc",
            "reduce_only": bool(terms.get("reduceOnly")),
            "text": terms["clientOrderId"],
        }
        return rows.order(await self.privateFuturesPostSettleOrders(order))

    def parse_order(self, order: Any, market: Any = None) -> Row:
        return rows.order(order)

    async def order_rows(self, request: Request) -> list[Row]:
        """Return an order by our id; one that is shown by it no more is among those that ended."""
        named = {**OF_DOLLARS, "order_id": request["text"]}
        try:
            found = [await self.privateFuturesGetSettleOrdersOrderId(named)]
        except ccxt.ExchangeError as error:
            if (code := code_of(error)) not in (*UNSHOWN, *ENDED):
                raise
            found = await self._ended(request)
            # What has ended was there: it is no order that never came to be.
            if code in ENDED and not found:
                raise LookupError("an order that ended is not listed") from None
        if any(row["contract"] != request["contract"] for row in found):
            raise LookupError("an order of another contract")
        return found

    async def _ended(self, request: Request) -> list[Row]:
        """Return an order among those that ended lately; raise LookupError where these are many."""
        since = self.nonce() - ENDED_WITHIN // MILLISECOND
        asked = {**OF_DOLLARS, "contract": request["contract"], "status": "finished"}
        for number in range(MOST_ENDED_PAGES):
            page = await self._page(self.privateFuturesGetSettleOrders, asked, number)
            found = [row for row in page if row["text"] == request["text"]]
            # A page that is not full proves no end: what is forgotten may have been left out of it.
            if found or all(rows.ended_at(row) < since for row in page):
                return found
        raise LookupError("more orders ended than are read")

    async def open_order_rows(self, request: Request) -> list[Row]:
        asked = {**OF_DOLLARS, **_contract(request), "status": "open"}
        return await self._pages(self.privateFuturesGetSettleOrders, asked)

    async def cancel_rows(self, request: Request) -> list[Row]:
        named = {**OF_DOLLARS, "order_id": request["text"]}
        await self.privateFuturesDeleteSettleOrdersOrderId(named)
        return []

    async def countdown_rows(self, request: Request) -> list[Row]:
        asked = {"contract": request["contract"], "timeout": int(request["timeout"])}
        await self.privateFuturesPostSettleCountdownCancelAll({**OF_DOLLARS, **asked})
        return []

    # --- The account --------------------------------------------------------------------------

    async def account_rows(self, request: Request) -> list[Row]:
        told = await self.privateFuturesGetSettleAccounts(OF_DOLLARS)
        return [{**told, "mode": rows.position_mode(told)}]

    async def user_id(self) -> str:
        """Return the number by which the sockets know an account."""
        [account] = await self.account_rows({})
        return str(int(account["user"]))

    async def key_rows(self, request: Request) -> list[Row]:
        """Return what a key may do, whose it is and how its account trades."""
        keys, [account] = await all_of(
            [self.privateAccountGetMainKeys(), self.account_rows(request)]
        )
        [own] = [row for row in keys if self._is_ours(row["key"])]
        writes = [row["name"] for row in own["perms"] if not flag(row["read_only"])]
        return [
            {
                "user_id": own["user_id"],
                "ip_whitelist": own["ip_whitelist"],
                "powers": [power_of(text(name)) for name in writes],
                "is_classic": str(own["mode"]) == "1" and rows.is_classic(account),
                "is_one_way": account["mode"] == "single",
            }
        ]

    def _is_ours(self, shown: str) -> bool:
        """Tell whether a key of the list is that which asks: its end is hidden there."""
        begin = shown.rstrip("*")
        return len(begin) >= LEAST_SHOWN and self.apiKey.startswith(begin)

    async def leverage_rows(self, request: Request) -> list[Row]:
        """Set the leverage of cross margin, to which a contract is set by the same call."""
        asked = {"leverage": CROSS, "cross_leverage_limit": request["leverage"]}
        named = {**OF_DOLLARS, **_contract(request)}
        await self.privateFuturesPostSettlePositionsContractLeverage({**named, **asked})
        return []

    async def add_margin_rows(self, request: Request) -> list[Row]:
        named = {**OF_DOLLARS, **_contract(request)}
        asked = {"change": request["change"]}
        await self.privateFuturesPostSettlePositionsContractMargin({**named, **asked})
        return []

    async def balance_rows(self, request: Request) -> list[Row]:
        return [rows.balance(row) for row in await self.account_rows(request)]

    async def position_rows(self, request: Request) -> list[Row]:
        asked = {**OF_DOLLARS, "holding": "true"}
        told = await self._pages(self.privateFuturesGetSettlePositions, asked)
        wanted = request.get("contract")
        return [rows.position(row) for row in told if wanted in (None, row["contract"])]

    async def fill_rows(self, request: Request) -> list[Row]:
        """Return executions by their time, and besides the latest, should that list lag."""
        asked = {**OF_DOLLARS, **_contract(request)}
        by_time, latest = await all_of(
            [
                self._listed(self.privateFuturesGetSettleMyTradesTimerange, asked, request),
                self._page(self.privateFuturesGetSettleMyTrades, asked, 0),
            ]
        )
        told = [rows.fill(row) for row in (*by_time, *latest)]
        return [row for row in told if request["since"] <= row["time"] <= request["until"]]

    async def payment_rows(self, request: Request) -> list[Row]:
        return await self._changes(request, FUNDING)

    async def transfer_rows(self, request: Request) -> list[Row]:
        return await self._changes(request, TRANSFER)

    async def fee_rows(self, request: Request) -> list[Row]:
        told = await self.privateFuturesGetSettleFee({**OF_DOLLARS, **_contract(request)})
        return [
            {"contract": name, "maker": row["maker_fee"], "taker": row["taker_fee"]}
            for name, row in told.items()
        ]

    async def _changes(self, request: Request, kind: str) -> list[Row]:
        asked = {**OF_DOLLARS, "type": kind}
        told = await self._listed(self.privateFuturesGetSettleAccountBook, asked, request)
        found = [rows.payment(row) for row in told if row["type"] == kind]
        if kind == FUNDING and not all(row["contract"] for row in found):
            raise LookupError("funding of no contract")
        return found

    async def _listed(self, ask: Ask, asked: Request, request: Request) -> list[Row]:
        """Return all pages of a list that is bounded by whole seconds; without an end it is now."""
        bounds = {"from": request["since"] // 1000}
        if request["until"] < self.nonce() - CLOCK_ERROR:
            bounds["to"] = -(-request["until"] // 1000)
        return await self._pages(ask, {**asked, **bounds})

    async def _pages(self, ask: Ask, asked: Request) -> list[Row]:
        found: list[Row] = []
        for number in range(MOST_PAGES):
            page = await self._page(ask, asked, number)
            found += page
            if len(page) < PAGE:
                return found
        raise LookupError("pages without an end")

    @staticmethod
    async def _page(ask: Ask, asked: Request, number: int) -> list[Row]:
        return rows.listed(await ask({**asked, "limit": PAGE, "offset": number * PAGE}))


def _contract(request: Request) -> dict[str, str]:
    return {"contract": request["contract"]} if "contract" in request else {}
