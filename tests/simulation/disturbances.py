"""Kinds of venue faults by name, as rules of the simulator's own fault script."""

from __future__ import annotations

from typing import Any

from exchanges.simulator.listings import BITGET, BYBIT, GATE, KUCOIN, OKX, SPOT, USDM
from tests.simulation.markets import CREATE

QUERY = {
    USDM: "/fapi/v1/order",
    BYBIT: "/v5/order/realtime",
    SPOT: "/api/v3/order",
    OKX: "/api/v5/trade/order",
    BITGET: "/api/v2/mix/order/detail",
    GATE: "/api/v4/futures/usdt/orders/",
    KUCOIN: "/api/v1/orders/byClientOid",
}
CANCEL = {
    USDM: ("DELETE", "/fapi/v1/order"),
    BYBIT: ("POST", "/v5/order/cancel"),
    SPOT: ("DELETE", "/api/v3/order"),
    OKX: ("POST", "/api/v5/trade/cancel-order"),
    BITGET: ("POST", "/api/v2/mix/order/cancel-order"),
    GATE: ("DELETE", "/api/v4/futures/usdt/orders/"),
    KUCOIN: ("DELETE", "/api/v1/orders/client-order/"),
}
# Of spot, the wallet.
POSITIONS = {
    USDM: "/fapi/v3/positionRisk",
    BYBIT: "/v5/position/list",
    SPOT: "/api/v3/account",
    OKX: "/api/v5/account/positions",
    BITGET: "/api/v2/mix/position/all-position",
    GATE: "/api/v4/futures/usdt/positions",
    KUCOIN: "/api/v1/positions",
}
FILLS = {
    USDM: "/fapi/v1/userTrades",
    BYBIT: "/v5/execution/list",
    SPOT: "/api/v3/myTrades",
    OKX: "/api/v5/trade/fills",
    BITGET: "/api/v2/mix/order/fills",
    GATE: "/api/v4/futures/usdt/my_trades",
    KUCOIN: "/api/v1/recentFills",
}
EMPTY = {
    USDM: "[]",
    BYBIT: '{"retCode":0,"retMsg":"OK","result":{"list":[],"nextPageCursor":"",'
    '"category":"linear"},"retExtInfo":{},"time":0}',
    SPOT: '{"accountType":"SPOT","canTrade":true,"balances":[],"permissions":["SPOT"]}',
    OKX: '{"code":"0","msg":"","data":[]}',
    BITGET: '{"code":"00000","msg":"success","requestTime":0,"data":[]}',
    GATE: "[]",
    KUCOIN: '{"code":"200000","data":[]}',
}
REFUSALS = {
    USDM: (-2019, "Margin is insufficient."),
    BYBIT: (110007, "ab not enough"),
    SPOT: (-2010, "Account has insufficient balance for requested action."),
    OKX: (51008, "Order failed. Insufficient USDT margin in account"),
    BITGET: (40762, "The order amount exceeds the balance"),
    GATE: ("INSUFFICIENT_AVAILABLE", "Insufficient available balance"),
    KUCOIN: (300003, "Balance insufficient"),
}
OUTDATED = {
    USDM: (-1111, "Precision is over the maximum."),
    BYBIT: (10001, "Qty invalid"),
    SPOT: (-1013, "Filter failure: LOT_SIZE"),
    OKX: (51121, "Order quantity must be a multiple of the lot size."),
    BITGET: (40808, "Parameter verification exception size"),
    GATE: ("INVALID_PRECISION", "Invalid size precision"),
    KUCOIN: (100001, "Quantity parameter invalid"),
}
OVERLOADED = {
    USDM: (503, -1008, "Request throttled"),
    BYBIT: (503, 0, ""),
    SPOT: (503, -1008, "Server is currently overloaded"),
    OKX: (503, 50001, "Service temporarily unavailable."),
    BITGET: (503, 45001, "Unknown error"),
    GATE: (503, "TOO_BUSY", "System is busy"),
    KUCOIN: (503, 500000, "Internal Server Error"),
}
UNKNOWN = {
    USDM: (503, -1000, "Unknown error, please check your request"),
    BYBIT: (504, 0, ""),
    SPOT: (503, -1000, "Unknown error, please check your request"),
    OKX: (504, 50026, "System error. Try again later."),
    BITGET: (504, 40015, "System is abnormal, please try again later"),
    GATE: (500, "SERVER_ERROR", "Internal server error"),
    KUCOIN: (504, 300010, "Order processing timed out"),
}

# What may befall the creation of an order.
ON_CREATE: dict[str, dict[str, Any]] = {
    "create-dropped": {"action": "drop_before_accept"},
    "create-unanswered": {"action": "accept_no_answer"},
    "create-reset": {"action": "accept_then_reset"},
    "create-5xx": {"action": "server_error"},
    "create-5xx-accepted": {"action": "server_error_after_accept"},
    "create-truncated": {"action": "garbage"},
    "create-html": {"action": "garbage", "garbage": "html"},
    "create-empty": {"action": "garbage", "garbage": "empty"},
    "create-null": {"action": "garbage", "garbage": "null"},
    "create-object": {"action": "garbage", "garbage": "object"},
    "create-429": {"action": "rate_limit", "retry_after": 2},
    "create-late": {"action": "delay", "seconds": 3.0},
    "create-too-late": {"action": "delay", "seconds": 4.5},
    "create-answer-late": {"action": "delay", "seconds": 5.0, "after_accept": True},
    "create-hidden": {"action": "hide_order", "seconds": 8.0},
}
# What may befall reads and cancels.
ON_READS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "query-5xx": (QUERY, {"action": "server_error"}),
    "query-unanswered": (QUERY, {"action": "accept_no_answer"}),
    "query-truncated": (QUERY, {"action": "garbage"}),
    "positions-5xx": (POSITIONS, {"action": "server_error"}),
    "positions-object": (POSITIONS, {"action": "garbage", "garbage": "object"}),
    "positions-truncated": (POSITIONS, {"action": "garbage"}),
    "fills-5xx": (FILLS, {"action": "server_error"}),
    "fills-truncated": (FILLS, {"action": "garbage"}),
}
KINDS = (
    *ON_CREATE,
    *ON_READS,
    "create-refused",
    "create-outdated",
    "create-overloaded",
    "create-unknown",
    "positions-empty",
    "cancel-unanswered",
    "cancel-dropped",
    "cancel-5xx",
    "any-5xx",
    "any-dropped",
)


def fault_rules(kind: str, venue: str, count: int, options: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rules of one disturbance that strikes `count` requests at a venue."""
    common: dict[str, Any] = {"venue": venue, "count": max(1, count), **options}
    create = {**common, "method": "POST", "path": CREATE[venue]}
    if kind in ON_CREATE:
        return [{**create, **ON_CREATE[kind]}]
    if kind in ON_READS:
        paths, rule = ON_READS[kind]
        return [{**common, "method": "GET", "path": paths[venue], **rule}]
    if kind in ("create-refused", "create-outdated"):
        code, message = (REFUSALS if kind == "create-refused" else OUTDATED)[venue]
        return [{**create, "action": "reject", "code": code, "message": message}]
    if kind in ("create-overloaded", "create-unknown"):
        status, code, message = (OVERLOADED if kind == "create-overloaded" else UNKNOWN)[venue]
        action = "server_error" if kind == "create-overloaded" else "server_error_after_accept"
        rule = {"action": action, "status": status, "code": code}
        return [{**create, **rule, "message": message}]
    if kind == "positions-empty":
        rule = {"action": "garbage", "body": EMPTY[venue]}
        return [{**common, "method": "GET", "path": POSITIONS[venue], **rule}]
    if kind.startswith("cancel-"):
        method, path = CANCEL[venue]
        actions = {
            "cancel-unanswered": "accept_no_answer",
            "cancel-dropped": "drop_before_accept",
            "cancel-5xx": "server_error_after_accept",
        }
        return [{**common, "method": method, "path": path, "action": actions[kind]}]
    action = "server_error" if kind == "any-5xx" else "drop_before_accept"
    return [{**common, "action": action}]
