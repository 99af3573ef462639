"""What the library does not do, or not as money needs it, at Hyperliquid.

All is asked of two addresses, so that the calls named in the venue's profile are methods here. Only
actions of trading are signed, by us and outside the loop: the library would have the wallet pay its
author for each order and name him as its referrer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import ccxt
from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.calls import hyperliquid_rows as rows
from exchanges.ccxt_adapter.calls.hyperliquid_signing import REAL_PLACE, address_of, signature
from exchanges.ccxt_adapter.numbers import exact, plain

Request = Mapping[str, Any]
Rows = list[dict[str, Any]]

ACTIONS = frozenset({"order", "cancelByCloid", "updateLeverage", "updateIsolatedMargin"})
TIMES_IN_FORCE = {"GTC": "Gtc", "IOC": "Ioc"}
MICRO_DOLLARS = 1_000_000


class HyperliquidCalls(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes between our careful base and the library's class."""

    _signing: asyncio.Lock | None = None

    async def fetch2(
        self,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Any = None,
        config: Any = None,
    ) -> Any:
        """Send a question without what only the library's lists need, or a signed action."""
        asked = dict(params or {})
        if path == "exchange":
            asked = await self._signed(asked)
        asked.pop("limit", None)
        return await super().fetch2(path, api, method, asked, config or {})

    def nonce(self) -> Any:
        """Return the venue's time, which bounds until when an action may be done."""
        return self.milliseconds() - self.options.get("timeDifference", 0)

    def parse_json(self, text: Any) -> Any:
        """Read as the library does, and a bare string, which one question is answered with."""
        if isinstance(text, str) and text.startswith('"'):
            return {"text": self.on_json_response(text)}
        return super().parse_json(text)

    async def initialize_client(self) -> bool:
        """Do nothing: the library approves its author's fee here and names him as referrer."""
        return True

    async def _signed(self, action: dict[str, Any]) -> dict[str, Any]:
        if action.get("type") not in ACTIONS or "builder" in action:
            raise ccxt.NotSupported(f"{action.get('type')} is no action that is ever sent")
        if self._signing is None:
            self._signing = asyncio.Lock()
        # One thread at a time: more would only take turns, and the loop waits for all of them.
        async with self._signing:
            nonce = int(self.incrementing_nonce())
            until = nonce + int(self.receive_window.total_seconds() * 1000)
            source = self.practice.signs_as if self.practice else REAL_PLACE
            signed = await asyncio.to_thread(
                signature, action, nonce, until, self.privateKey, source=source
            )
        return {"action": action, "nonce": nonce, "signature": signed, "expiresAfter": until}

    async def _info(self, kind: str, **request: Any) -> Any:
        return await self.publicPostInfo({"type": kind, **request})

    async def _of_wallet(self, kind: str, **request: Any) -> Any:
        if not self.walletAddress:
            raise ccxt.AuthenticationError("no wallet address")
        return await self._info(kind, user=self.walletAddress, **request)

    async def _list_of_wallet(self, kind: str, **request: Any) -> list[Any]:
        return rows.listed(await self._of_wallet(kind, **request))

    # --- The market ---------------------------------------------------------------------------

    async def context_rows(self, request: Request) -> Rows:
        return rows.contexts(await self._info("metaAndAssetCtxs"))

    async def rate_rows(self, request: Request) -> Rows:
        """Return each contract's prices and coming rate with the time of its settlement."""
        contexts, predicted = await asyncio.gather(
            self.context_rows({}), self._info("predictedFundings")
        )
        settlements = {row["coin"]: row for row in rows.predictions(predicted)}
        return [row | settlements[row["coin"]] for row in contexts if row["coin"] in settlements]

    async def tier_rows(self, request: Request) -> Rows:
        return rows.tiers(await self._info("meta"))

    async def settlement_rows(self, request: Request) -> Rows:
        return rows.listed(await self._info("fundingHistory", **request))

    async def fetch_order_book(
        self, symbol: str, limit: int | None = None, params: Any = None
    ) -> dict[str, Any]:
        """Return a book as the venue wrote it; what is no book is no empty one."""
        told = await self._info("l2Book", coin=self.market(symbol)["baseName"])
        bids, asks = told["levels"]
        return {"bids": rows.levels(bids), "asks": rows.levels(asks)}

    # --- Orders -------------------------------------------------------------------------------

    async def create_order(
        self,
        symbol: str,
        type: str,
        side: str,
        amount: Any,
        price: Any = None,
        params: Any = None,
    ) -> dict[str, Any]:
        """Place one order; one without a limit is here one that acts at once, within `price`."""
        terms = params or {}
        tif = "Alo" if terms.get("postOnly") else TIMES_IN_FORCE[terms.get("timeInForce", "GTC")]
        order = {
            "a": int(self.market(symbol)["baseId"]),
            "b": side == "buy",
            "p": plain(price),
            "s": plain(amount),
            "r": bool(terms.get("reduceOnly")),
            "t": {"limit": {"tif": "Ioc" if type == "market" else tif}},
            "c": terms["clientOrderId"],
        }
        action = {"type": "order", "orders": [order], "grouping": "na"}
        answer = await self.privatePostExchange(action)
        [status] = answer["response"]["data"]["statuses"]
        placed = status.get("resting") or status["filled"]
        return {"id": str(placed["oid"]), "clientOrderId": placed.get("cloid"), "info": placed}

    def parse_order(self, order: Any, market: Any = None) -> dict[str, Any]:
        return rows.order(order)

    async def order_rows(self, request: Request) -> Rows:
        """Return an order by our id, with the average price of its executions."""
        found = await self._of_wallet("orderStatus", oid=request["cloid"])
        status = found["order"]
        placed = status["order"]
        row = {**status, "coin": placed["coin"]}
        if rows.filled(placed):
            fills = await self._list_of_wallet("userFillsByTime", startTime=placed["timestamp"])
            row["avgPx"] = rows.average_price(fills, placed)
        return [row]

    async def open_order_rows(self, request: Request) -> Rows:
        return _of_coin(await self._list_of_wallet("frontendOpenOrders"), request)

    async def cancel_rows(self, request: Request) -> Rows:
        cancel = {"asset": int(request["asset"]), "cloid": request["cloid"]}
        await self.privatePostExchange({"type": "cancelByCloid", "cancels": [cancel]})
        return []

    async def leverage_rows(self, request: Request) -> Rows:
        await self.privatePostExchange(
            {
                "type": "updateLeverage",
                "asset": int(request["asset"]),
                "isCross": True,
                "leverage": int(request["leverage"]),
            }
        )
        return []

    async def margin_rows(self, request: Request) -> Rows:
        added = int(exact(request["usdc"]) * MICRO_DOLLARS)
        asset = int(request["asset"])
        action = {"type": "updateIsolatedMargin", "asset": asset, "isBuy": True, "ntli": added}
        await self.privatePostExchange(action)
        return []

    # --- The account --------------------------------------------------------------------------

    async def position_rows(self, request: Request) -> Rows:
        state = await self._of_wallet("clearinghouseState")
        return _of_coin(rows.positions(state), request)

    async def balance_rows(self, request: Request) -> Rows:
        return [rows.balance(await self._of_wallet("clearinghouseState"))]

    async def fill_rows(self, request: Request) -> Rows:
        told = await self._list_of_wallet("userFillsByTime", **request)
        return [rows.fill(row, self.walletAddress) for row in told]

    async def payment_rows(self, request: Request) -> Rows:
        return [rows.payment(row) for row in await self._list_of_wallet("userFunding", **request)]

    async def transfer_rows(self, request: Request) -> Rows:
        told = await self._list_of_wallet("userNonFundingLedgerUpdates", **request)
        moved = (rows.transfer(row, self.walletAddress.lower()) for row in told)
        return [row for row in moved if row is not None]

    async def fee_rows(self, request: Request) -> Rows:
        told = await self._of_wallet("userFees")
        own = {"maker": told["userAddRate"], "taker": told["userCrossRate"]}
        return [{"coin": request["coin"], **own}]

    async def key_rows(self, request: Request) -> Rows:
        """Return whose key it is: what the venue says of the address that the key signs for."""
        signer = address_of(self.privateKey)
        role, abstraction = await asyncio.gather(
            self._info("userRole", user=signer), self._of_wallet("userAbstraction")
        )
        acts_for = (role.get("data") or {}).get("user", "")
        is_ours = acts_for.lower() == self.walletAddress.lower()
        row = {"role": role["role"], "acts_for_this_wallet": is_ours, "wallet": acts_for.lower()}
        return [row | {"abstraction": abstraction["text"]}]


def _of_coin(found: Sequence[dict[str, Any]], request: Request) -> Rows:
    return [row for row in found if request.get("coin") in (None, row["coin"])]
