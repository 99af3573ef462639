"""What Bitget is asked of an account, as flat rows; `coin` in a request names the product."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import ccxt

from exchanges.ccxt_adapter.calls import bitget_rows as rows
from exchanges.ccxt_adapter.calls.early_stamps import EarlyStamps
from exchanges.ccxt_adapter.instants import CLOCK_ERROR
from exchanges.ccxt_adapter.numbers import plain
from exchanges.ccxt_adapter.rows import all_of
from exchanges.venues.bitget_codes import NOT_FOUND

Request = Mapping[str, Any]
Row = dict[str, Any]
Ask = Callable[[Request], Awaitable[Any]]

COINS = "USDT", "USDC"
CROSS = "crossed"
PAGE, MOST_PAGES = 100, 1000
FUNDING, TRANSFER = "contract_settle_fee", "trans_"
# By which the rights of a key and the modes of its account are asked for.
BITCOIN = {"symbol": "BTCUSDT", "coin": "USDT"}
# A signed request is served as long after its stamp.
STAMPS_LAST = timedelta(seconds=30)
FORCES = {"GTC": "gtc", "IOC": "ioc"}


class BitgetAccountCalls(EarlyStamps):
    """Orders and private reads; the library would name its author as our broker."""

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
        """Place one order of an account in one-way mode, on cross margin."""
        terms, market = params or {}, self.market(symbol)
        order = {
            **_named({"symbol": market["id"], "coin": market["settle"]}),
            "marginMode": CROSS,
            "side": side,
            "orderType": type,
            "size": plain(amount),
            "reduceOnly": "YES" if terms.get("reduceOnly") else "NO",
            "clientOid": terms["clientOrderId"],
        }
        if type == "limit":
            force = "post_only" if terms.get("postOnly") else FORCES[terms["timeInForce"]]
            order |= {"price": plain(price), "force": force}
        answer = await self.privateMixPostV2MixOrderPlaceOrder(order)
        placed = answer["data"]
        return {
            "id": placed.get("orderId"),
            "clientOrderId": placed.get("clientOid"),
            "info": placed,
        }

    def parse_order(self, order: Any, market: Any = None) -> Row:
        return rows.order(order)

    async def order_rows(self, request: Request) -> list[Row]:
        """Return an order by our id; one that the venue shows no more is in its history."""
        named = {**_named(request), "clientOid": request["clientOid"]}
        try:
            answer = await self.privateMixGetV2MixOrderDetail(named)
        except ccxt.ExchangeError as error:
            if getattr(error, "answer", None) is None or error.answer.code not in NOT_FOUND:
                raise
            answer = {"data": None}
        if answer["data"] is not None:
            return [answer["data"]]
        past = await self.privateMixGetV2MixOrderOrdersHistory(named)
        return rows.listed(past["data"], "entrustedList")

    async def order_of_fill_rows(self, request: Request) -> list[Row]:
        """Return the order with a number of the venue's."""
        named = {**_named(request), "orderId": request["orderId"]}
        answer = await self.privateMixGetV2MixOrderDetail(named)
        return [answer["data"]]

    async def open_order_rows(self, request: Request) -> list[Row]:
        """Return what works; unasked for, the list may leave out what is filled in part.

        One after the other: an order that is filled between both is in the later one.
        """
        untouched = await self._working(request, "live")
        return untouched + await self._working(request, "partially_filled")

    async def _working(self, request: Request, status: str) -> list[Row]:
        ask = self.privateMixGetV2MixOrderOrdersPending
        told = await self._of_account(
            request, lambda one: _pages(ask, {**one, "status": status}, "entrustedList")
        )
        return [rows.named(row) for row in told]

    async def cancel_rows(self, request: Request) -> list[Row]:
        named = {**_named(request), "clientOid": request["clientOid"]}
        await self.privateMixPostV2MixOrderCancelOrder(named)
        return []

    # --- The account --------------------------------------------------------------------------

    async def account_rows(self, request: Request) -> list[Row]:
        """Return how the account trades one contract: position, margin and asset mode."""
        answer = await self.privateMixGetV2MixAccountAccount(_named(request))
        return [answer["data"]]

    async def key_rows(self, request: Request) -> list[Row]:
        answer = await self.privateSpotGetV2SpotAccountInfo()
        [account] = await self.account_rows(BITCOIN)
        modes = {name: account[name] for name in ("posMode", "assetMode")}
        return [{**answer["data"], **modes}]

    async def leverage_rows(self, request: Request) -> list[Row]:
        asked = {**_named(request), "leverage": request["leverage"]}
        await self.privateMixPostV2MixAccountSetLeverage(asked)
        return []

    async def cross_margin_rows(self, request: Request) -> list[Row]:
        asked = {**_named(request), "marginMode": CROSS}
        await self.privateMixPostV2MixAccountSetMarginMode(asked)
        return []

    async def add_margin_rows(self, request: Request) -> list[Row]:
        """Add to the margin of the one position of a contract, whose side has to be named."""
        [held] = await self.position_rows({key: request[key] for key in ("symbol", "coin")})
        added = {"amount": request["amount"], "holdSide": held["holdSide"]}
        await self.privateMixPostV2MixAccountSetMargin({**_named(request), **added})
        return []

    async def balance_rows(self, request: Request) -> list[Row]:
        told = await self._of_account(request, _data_of(self.privateMixGetV2MixAccountAccounts))
        return [rows.balance(row) for row in told]

    async def position_rows(self, request: Request) -> list[Row]:
        ask = (
            self.privateMixGetV2MixPositionSinglePosition
            if "symbol" in request
            else self.privateMixGetV2MixPositionAllPosition
        )
        return [rows.position(row) for row in await self._of_account(request, _data_of(ask))]

    async def fill_rows(self, request: Request) -> list[Row]:
        told = await self._listed(self.privateMixGetV2MixOrderFills, request, "fillList")
        return [rows.fill(row) for row in told]

    async def payment_rows(self, request: Request) -> list[Row]:
        return await self._bills({**request, "businessType": FUNDING})

    async def transfer_rows(self, request: Request) -> list[Row]:
        told = await self._bills(request)
        return [row for row in told if row["businessType"].startswith(TRANSFER)]

    async def fee_rows(self, request: Request) -> list[Row]:
        asked = {"symbol": request["symbol"], "businessType": "mix"}
        answer = await self.privateCommonGetV2CommonTradeRate(asked)
        told = answer["data"]
        own = {"maker": told["makerFeeRate"], "taker": told["takerFeeRate"]}
        return [{"symbol": request["symbol"], **own}]

    async def _bills(self, request: Request) -> list[Row]:
        told = await self._listed(self.privateMixGetV2MixAccountBill, request, "bills")
        return [rows.named(row) for row in told]

    async def _listed(self, ask: Ask, request: Request, name: str) -> list[Row]:
        """Return all pages of a list that is bounded by time.

        An end to come is refused, and a millisecond to come is one: no end is told as late as now.
        """
        bounds = {key: request[key] for key in ("startTime", "businessType") if key in request}
        if request["endTime"] < self.nonce() - CLOCK_ERROR:
            bounds["endTime"] = request["endTime"]
        return await self._of_account(request, lambda one: _pages(ask, {**one, **bounds}, name))

    @staticmethod
    async def _of_account(
        request: Request, ask: Callable[[Request], Awaitable[list[Row]]]
    ) -> list[Row]:
        """Ask for one contract, or for all contracts of each product."""
        if "symbol" in request:
            return await ask(_named(request))
        answers = await all_of(ask(_product(coin)) for coin in COINS)
        return [row for answer in answers for row in answer]


def _product(coin: str) -> dict[str, str]:
    return {"productType": f"{coin}-FUTURES", "marginCoin": coin}


def _named(request: Request) -> dict[str, str]:
    return {"symbol": request["symbol"], **_product(request["coin"])}


def _data_of(ask: Ask) -> Callable[[Request], Awaitable[list[Row]]]:
    async def told(request: Request) -> list[Row]:
        return rows.listed(await ask(request), "data")

    return told


async def _pages(ask: Ask, request: Request, name: str) -> list[Row]:
    """Return all pages of a list, newest first, each of what is older than the one before."""
    found: list[Row] = []
    older: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        answer = await ask({**request, "limit": str(PAGE), **older})
        page = rows.listed(answer["data"], name)
        found += page
        if len(page) < PAGE:
            return found
        before, older = older, {"idLessThan": answer["data"]["endId"]}
        if older == before:
            break
    raise LookupError("pages without an end")
