"""An account at KuCoin whose answers are canned, written after its documentation."""

from __future__ import annotations

from typing import Any

from exchanges.domain import (
    ClientOrderId,
)
from exchanges.venues import PROFILES
from tests.protocol.canned import CannedAccount
from tests.protocol.test_kucoin import CONTRACT, answered

PROFILE = PROFILES["kucoin"]
OWN_ID = ClientOrderId("ca0o0001aaaaaaaaaaaaaaaaaaaaaaaa")
NOT_THERE = {"code": "100001", "msg": "error.getOrder.orderNotExist"}
ORDER = {
    "id": "5cdfc138b21023a909e5ad55",
    "symbol": "XBTUSDTM",
    "type": "limit",
    "side": "buy",
    "price": "60000",
    "size": 20,
    "value": "1200",
    "dealValue": "600.105",
    "dealSize": 10,
    "timeInForce": "IOC",
    "clientOid": OWN_ID,
    "isActive": False,
    "cancelExist": True,
    "marginMode": "CROSS",
    "avgDealPrice": "60010.5",
    "filledSize": 10,
    "filledValue": "600.105",
    "status": "done",
    "reduceOnly": False,
}
FILL = {
    "symbol": "XBTUSDTM",
    "tradeId": "1784277229880",
    "orderId": "236317213710184449",
    "side": "buy",
    "liquidity": "taker",
    "forceTaker": False,
    "price": "67430.9",
    "size": 1,
    "value": "67.4309",
    "feeRate": "0.00060",
    "fixFee": "0",
    "feeCurrency": "USDT",
    "tradeTime": 1772367599000000000,
    "marginMode": "CROSS",
    "settleCurrency": "USDT",
    "fee": "0.04045854",
    "orderType": "market",
    "tradeType": "trade",
    "createdAt": 1772367599000,
}
POSITION = {
    "symbol": "XBTUSDTM",
    "currentQty": -20,
    "avgEntryPrice": 60000.5,
    "markPrice": 60010.0,
    "liquidationPrice": 0,
    "leverage": 5,
    "unrealisedPnl": -0.19,
    "posMargin": 240.002,
    "marginMode": "CROSS",
    "positionSide": "BOTH",
}


class Asked(CannedAccount):
    """An account at a venue that answers each path with one payload; `__` stands for a slash."""

    def __init__(self, **payloads: Any) -> None:
        named = {f"/{name.replace('__', '/')}": told for name, told in payloads.items()}
        super().__init__("kucoin", {"/contracts/active": answered([CONTRACT])} | named)


def refusal(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "msg": message}
