"""What KuCoin is asked of a classic futures account, as flat rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

import ccxt
from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.calls import kucoin_rows as rows
from exchanges.ccxt_adapter.faults import code_of
from exchanges.ccxt_adapter.instants import CLOCK_ERROR
from exchanges.ccxt_adapter.numbers import flag
from exchanges.ccxt_adapter.rows import all_of
from exchanges.ccxt_adapter.windows import until_whole
from exchanges.venues.kucoin_access import right_of
from exchanges.venues.kucoin_codes import NOT_FOUND

Request = Mapping[str, Any]
Row = dict[str, Any]
Ask = Callable[[Request], Awaitable[Any]]

COINS = "USDT", "USDC"
CROSS = "CROSS"
# Keys made today; those of the second version are made no more.
KEY_VERSION = "3"
VERSION_HEADER = "KC-API-KEY-VERSION"
PAGE, MOST_PAGES = 1000, 1000
# Of lists that tell whether there is more: what is asked for, and what no answer holds back.
SLIDE, SURELY = 100, 10
MOST_RECENT = 1000
TRANSFERS = "TransferIn", "TransferOut", "Deposit", "Withdrawal"
COMPLETED = "Completed"


class KucoinAccountCalls(Exchange):  # type: ignore[misc]  # the library has no types
    """Orders and private reads."""

    def sign(self, *args: Any, **kwargs: Any) -> Any:
        """Sign as the library does, and name the version that keys have today."""
        request = super().sign(*args, **kwargs)
        if request["headers"] and VERSION_HEADER in request["headers"]:
            request["headers"][VERSION_HEADER] = KEY_VERSION
        return request

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
        """Place one order of an account in one-way mode, on cross margin, in whole contracts."""
        terms = params or {}
        order = {
            "clientOid": terms["clientOrderId"],
            "symbol": self.market(symbol)["id"],
            "side": side,
            "type": type,
            "size": rows.whole(amount),
            "reduceOnly": bool(terms.get("reduceOnly")),
            "marginMode": CROSS,
            # Asked for of every order, and heeded on isolated margin alone.
            "leverage": 1,
        }
        if type == "limit":
            is_post_only = bool(terms.get("postOnly"))
            force = "GTC" if is_post_only else terms["timeInForce"]
            order |= {"price": rows.plain(price), "timeInForce": force, "postOnly": is_post_only}
        answer = await self.futuresPrivatePostOrders(order)
        placed = answer["data"]
        return {
            "id": placed.get("orderId"),
            "clientOrderId": placed.get("clientOid"),
            "info": placed,
        }

    def parse_order(self, order: Any, market: Any = None) -> Row:
        return rows.order(order)

    async def order_rows(self, request: Request) -> list[Row]:
        """Return an order by our id: what works, and what has ended within seven days."""
        named = {"clientOid": request["clientOid"]}
        try:
            answer = await self.futuresPrivateGetOrdersByClientOid(named)
        except ccxt.BaseError as error:
            # The word on a cancel says nothing of whether there was an order.
            if code_of(error) in NOT_FOUND:
                raise LookupError("a look-up answered as a cancel") from None
            raise
        return [answer["data"]]

    async def order_of_fill_rows(self, request: Request) -> list[Row]:
        """Return the order with a number of the venue's, which shows it for three months."""
        answer = await self.futuresPrivateGetOrdersOrderId({"orderId": request["orderId"]})
        return [answer["data"]]

    async def open_order_rows(self, request: Request) -> list[Row]:
        asked = {**_symbol_of(request), "status": "active"}
        return await _pages(self.futuresPrivateGetOrders, asked)

    async def cancel_rows(self, request: Request) -> list[Row]:
        asked = {**_symbol_of(request), "clientOid": request["clientOid"]}
        await self.futuresPrivateDeleteOrdersClientOrderClientOid(asked)
        return []

    # --- The account --------------------------------------------------------------------------

    async def key_rows(self, request: Request) -> list[Row]:
        """Return what a key may do, and of which kind its account is."""
        key, kind = await all_of([self.privateGetUserApiKey(), self.utaPrivateGetAccountMode()])
        told = {**key["data"], "accountMode": kind["data"]["selfAccountMode"]}
        permissions = [right_of(word.strip()) for word in told["permission"].split(",") if word]
        # A key that may be used from anywhere has no list of addresses.
        addresses = told.get("ipWhitelist") or ""
        return [{**told, "permission": permissions, "ipWhitelist": addresses}]

    async def position_mode_rows(self, request: Request) -> list[Row]:
        return [(await self.futuresPrivateGetPositionGetPositionMode())["data"]]

    async def margin_mode_rows(self, request: Request) -> list[Row]:
        answer = await self.futuresPrivateGetPositionGetMarginMode(_symbol_of(request))
        return [answer["data"]]

    async def cross_margin_rows(self, request: Request) -> list[Row]:
        asked = {**_symbol_of(request), "marginMode": CROSS}
        await self.futuresPrivatePostPositionChangeMarginMode(asked)
        return []

    async def leverage_rows(self, request: Request) -> list[Row]:
        asked = {**_symbol_of(request), "leverage": request["leverage"]}
        await self.futuresPrivatePostChangeCrossUserLeverage(asked)
        return []

    async def add_margin_rows(self, request: Request) -> list[Row]:
        """Add to the margin of one position; what has the same number is done once."""
        once = {"margin": request["margin"], "bizNo": uuid4().hex}
        asked = {**_symbol_of(request), **once}
        await self.futuresPrivatePostPositionMarginDepositMargin(asked)
        return []

    async def balance_rows(self, request: Request) -> list[Row]:
        ask = self.futuresPrivateGetAccountOverview
        answers = await all_of(ask({"currency": coin}) for coin in COINS)
        return [rows.balance(answer["data"]) for answer in answers]

    async def position_rows(self, request: Request) -> list[Row]:
        told = rows.listed(await self.futuresPrivateGetPositions(), "data")
        wanted = request.get("symbol")
        return [rows.position(row) for row in told if wanted in (None, row["symbol"])]

    async def fill_rows(self, request: Request) -> list[Row]:
        asked = {**_symbol_of(request), **self._span(request)}
        return [rows.fill(row) for row in await _pages(self.futuresPrivateGetFills, asked)]

    async def recent_fill_rows(self, request: Request) -> list[Row]:
        """Return what was filled within a day; a list as long as can be is not all of it.

        Raise LookupError where the other one, which lags, does not reach to its first row.
        """
        told = rows.listed(await self.futuresPrivateGetRecentFills(_symbol_of(request)), "data")
        found = [rows.fill(row) for row in told]
        oldest = min((row["time"] for row in found), default=0)
        if len(found) >= MOST_RECENT and oldest > request["startAt"]:
            older = await self.fill_rows(request)
            if max((row["time"] for row in older), default=0) < oldest:
                raise LookupError("fills that may be in neither list")
            found += older
        return [row for row in found if request["startAt"] <= row["time"] <= request["endAt"]]

    async def payment_rows(self, request: Request) -> list[Row]:
        """Return the funding of each contract that `symbols` names: no list tells of all."""
        ask = self.futuresPrivateGetFundingHistory
        span = self._span(request)
        told = await all_of(
            _slides(ask, {"symbol": name}, span, "timePoint") for name in request["symbols"]
        )
        return [rows.payment(row) for part in told for row in part]

    async def transfer_rows(self, request: Request) -> list[Row]:
        ask, span = self.futuresPrivateGetTransactionHistory, self._span(request)
        told = await all_of(
            _slides(ask, {"currency": coin, "type": kind}, span, "time")
            for coin in COINS
            for kind in TRANSFERS
        )
        found = [row for part in told for row in part if row["status"] == COMPLETED]
        return [rows.transfer(row) for row in found]

    async def fee_rows(self, request: Request) -> list[Row]:
        answer = await self.futuresPrivateGetTradeFees(_symbol_of(request))
        return [answer["data"]]

    def _span(self, request: Request) -> dict[str, int]:
        """Return what bounds a list by time; nothing of it is to come, be our clock a bit ahead."""
        start, passed = request["startAt"], self.nonce() - CLOCK_ERROR
        return {"startAt": start, "endAt": max(start, min(request["endAt"], passed))}


def _symbol_of(request: Request) -> dict[str, str]:
    return {"symbol": request["symbol"]} if "symbol" in request else {}


async def _pages(ask: Ask, request: Request) -> list[Row]:
    """Return all pages of a numbered list."""
    found: list[Row] = []
    for number in range(1, MOST_PAGES + 1):
        data = (await ask({**request, "currentPage": number, "pageSize": PAGE}))["data"]
        found += rows.listed(data, "items")
        if number >= int(data["totalPage"]):
            return found
    raise LookupError("pages without an end")


async def _slides(ask: Ask, named: Request, span: Mapping[str, int], time: str) -> list[Row]:
    """Return all rows of a list that tells whether there is more, by shorter and shorter spans.

    Raise LookupError where one that is cut tells of another time: unheeded spans have no end.
    """

    async def told(start: int, end: int) -> tuple[list[Row], bool]:
        asked = {**named, "startAt": start, "endAt": end, "maxCount": SLIDE}
        data = (await ask(asked))["data"]
        found = rows.listed(data, "dataList")
        is_cut = flag(data["hasMore"]) and len(found) >= SURELY
        if is_cut and not all(start <= int(row[time]) <= end for row in found):
            raise LookupError("rows of another time than was asked for")
        return found, is_cut

    return await until_whole(told, span["startAt"], span["endAt"])
