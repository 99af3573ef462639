"""Simulated payloads have the keys and types of recorded ones; what is left out has a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from exchanges.domain import Side
from exchanges.simulator.events import AccountEvent, Happening
from exchanges.simulator.faces.binance_events import spot_messages, usdm_messages
from exchanges.simulator.faces.bybit_events import private_messages
from exchanges.simulator.faces.okx_orders import streamed_order
from exchanges.simulator.listings import BYBIT, DYDX, HYPERLIQUID, OKX, SPOT, USDM
from exchanges.simulator.switchboard import Switchboard
from exchanges.simulator.wire import WireRequest
from tests.simulator.world import World
from tests.wallets import wallet_of

pytestmark = pytest.mark.core

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "fixtures"
ADAPTERS = SHARED / "nautilus_trader" / "crates" / "adapters"
NAMES = ("binance", "bybit", "okx", "hyperliquid", "dydx")
FOLDERS = {name: ADAPTERS / name / "test_data" for name in NAMES}

if not ADAPTERS.is_dir():
    pytest.skip(f"recorded payloads ../shared/fixtures absent: {SHARED}", allow_module_level=True)

# Keys that recorded payloads have and simulated ones do not, by file, each with its reason.
NO_TRAILING_STOPS = {
    "o.AP": "activation price: there are no trailing stops here",
    "o.cr": "callback rate: there are no trailing stops here",
}
OTHER_PRODUCTS = "a permission for a product that is not simulated"
LEFT_OUT: dict[str, dict[str, str]] = {
    "futures/user_data_json/order_update_trade.json": NO_TRAILING_STOPS,
    "futures/user_data_json/order_update_new.json": NO_TRAILING_STOPS,
    "hyperliquid/http_meta_perp_sample.json": {
        "universe[].isDelisted": "told only of a contract that has ended",
        "universe[].onlyIsolated": "told only of a contract that takes no cross margin",
    },
    "hyperliquid/ws_allmids.json": dict.fromkeys(
        ("data.mids.@142", "data.mids.PURR/USDC"), "spot is not simulated there"
    ),
    "spot/http_json/exchange_info_response.json": {"sors": "smart order routing is not offered"},
    "http_get_user_query_api.json": {"result.permissions.Wallet": "keys move no money here"}
    | {
        f"result.permissions.{name}": OTHER_PRODUCTS
        for name in (
            "Earn",
            "FiatP2P",
            "FiatBybitPay",
            "FiatConvertBroker",
            "FiatGlobalPay",
            "FiatBitPay",
            "BitCard",
            "ByXPost",
        )
    },
}

LINEAR = {"category": "linear", "symbol": "BTCUSDT"}


def traded(world: World) -> World:
    """Return a world in which every venue has a resting order, a fill and a position."""
    for venue in (USDM, BYBIT, SPOT, OKX, HYPERLIQUID):
        world.pin(venue, price="60000")
        world.place(venue, Side.BUY, "0.01", client_order_id=f"fill{venue}")
        world.place(venue, Side.BUY, "0.01", price="59000", client_order_id=f"rest{venue}")
        canceled = world.place(venue, Side.BUY, "0.01", price="58000")
        world.simulator.engine.cancel(world.account(venue), canceled, now=world.at)
    return world


def bybit(path: str, **parameters: Any) -> Callable[[World], Any]:
    return lambda world: world.private(BYBIT, "GET", path, **(LINEAR | parameters)).body


def binance(venue: str, method: str, path: str, **parameters: Any) -> Callable[[World], Any]:
    values = {"symbol": "BTCUSDT"} | parameters
    return lambda world: world.private(venue, method, path, **values).body


def okx(path: str, **parameters: Any) -> Callable[[World], Any]:
    return lambda world: world.private(OKX, "GET", f"/api/v5/{path}", **parameters).body


def okx_row(path: str, **parameters: Any) -> Callable[[World], Any]:
    """Return the one row of an answer: some recordings are cut down to it."""
    return lambda world: okx(path, **parameters)(world)["data"][0]


def okx_order(world: World) -> Any:
    """Return the private message of a fill."""
    told = event(world, OKX, Happening.TRADE)
    assert told.order is not None
    row = streamed_order(told.order, told.trade, world.listing(OKX), told.account)
    return {"arg": {"channel": "orders", "instType": "SWAP"}, "data": [row]}


def okx_account(world: World) -> Any:
    return {"arg": {"channel": "account"}, "data": okx("account/balance")(world)["data"]}


def okx_placed(world: World) -> Any:
    order = {"instId": SWAP, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1"}
    return world.private(OKX, "POST", "/api/v5/trade/order", **order).body["data"][0]


def okx_stream(channel: str) -> Callable[[World], Any]:
    subscription = {"op": "subscribe", "args": [{"channel": channel, "instId": SWAP}]}
    return streamed("ws.okx.com", "/ws/v5/public", subscription, pick=1)


def event(world: World, venue: str, happening: Happening) -> AccountEvent:
    """Return the last event of one kind at `venue`, as the engine tells it."""
    ledger = world.simulator.ledger
    orders = {row.client_order_id: row for row in ledger.orders.values() if row.venue == venue}
    is_trade = happening is Happening.TRADE
    order = orders[f"fill{venue}" if is_trade else f"rest{venue}"]
    trade = next(row for row in ledger.trades if row.venue == venue) if is_trade else None
    account = world.account(venue)
    return AccountEvent(
        happening=happening, account=account, venue=venue, at=world.at, order=order, trade=trade
    )


def told(
    build: Callable[..., list[Any]], venue: str, name: str, happening: Happening
) -> Callable[[World], Any]:
    """Return the message of one kind that a private stream sends."""

    def message(world: World) -> Any:
        messages = build(world.simulator, event(world, venue, happening))
        return next(row for row in messages if name in (row.get("e"), row.get("topic")))

    return message


def hyperliquid(kind: str, **asked: Any) -> Callable[[World], Any]:
    request = WireRequest(
        host="api.hyperliquid.xyz",
        method="POST",
        path="/info",
        body=orjson.dumps({"type": kind, **asked}),
    )

    def answer(world: World) -> Any:
        response = world.venues.answer(request).response
        assert response is not None
        return orjson.loads(response.body)

    return answer


def dydx(path: str) -> Callable[[World], Any]:
    return lambda world: world.public(DYDX, f"/v4/{path}").body


def dydx_stream(channel: str, pick: int, **more: object) -> Callable[[World], Any]:
    asked = {"type": "subscribe", "channel": channel, **more}
    return streamed("indexer.dydx.trade", "/v4/ws", asked, pick=pick)


def hyperliquid_stream(**subscription: str) -> Callable[[World], Any]:
    asked = {"method": "subscribe", "subscription": subscription}
    return streamed("api.hyperliquid.xyz", "/ws", asked, pick=1)


def hyperliquid_contexts(world: World) -> Any:
    """Return the contexts as a message of those of all markets is recorded."""
    contexts = hyperliquid("metaAndAssetCtxs")(world)[1]
    return {"channel": "allDexsAssetCtxs", "data": {"ctxs": [["", contexts]]}}


def streamed(host: str, path: str, subscription: Any, pick: int = 0) -> Callable[[World], Any]:
    """Return the message `pick` that a public stream sends on its second beat."""

    def message(world: World) -> Any:
        socket = Switchboard(world.venues).open(host, path, "")
        assert socket is not None
        replies = socket.receive(orjson.dumps(subscription).decode(), now=world.at)
        world.simulator.ledger.pins.clear()
        world.wait(seconds=1)
        return orjson.loads([*replies, *socket.beat(now=world.at)][pick].body)

    return message


def usdm_stream(name: str) -> Callable[[World], Any]:
    subscription = {"method": "SUBSCRIBE", "params": [name], "id": 1}
    return streamed("fstream.binance.com", "/public/ws/0", subscription, pick=1)


def bybit_stream(topic: str, pick: int) -> Callable[[World], Any]:
    subscription = {"op": "subscribe", "req_id": "1", "args": [topic]}
    return streamed("stream.bybit.com", "/v5/public/linear", subscription, pick=pick)


SWAP = "BTC-USDT-SWAP"
OKX_SWAPS = {"instType": "SWAP", "instId": SWAP}
FUTURES, SPOT_HTTP = "futures/http_json", "spot/http_json"
CASES: dict[str, Callable[[World], Any]] = {
    f"{FUTURES}/order_response.json": binance(
        USDM, "GET", "/fapi/v1/order", origClientOrderId=f"rest{USDM}"
    ),
    f"{FUTURES}/account_info_v2.json": binance(USDM, "GET", "/fapi/v2/account"),
    f"{FUTURES}/position_risk.json": binance(USDM, "GET", "/fapi/v2/positionRisk"),
    f"{FUTURES}/balance.json": binance(USDM, "GET", "/fapi/v2/balance"),
    "futures/market_data_json/mark_price_stream.json": usdm_stream("btcusdt@markPrice@1s"),
    "futures/market_data_json/book_ticker_stream.json": usdm_stream("btcusdt@bookTicker"),
    "futures/market_data_json/depth_update_stream.json": usdm_stream("btcusdt@depth@100ms"),
    "futures/market_data_json/ticker_stream.json": usdm_stream("btcusdt@ticker"),
    "futures/user_data_json/order_update_trade.json": told(
        usdm_messages, USDM, "ORDER_TRADE_UPDATE", Happening.TRADE
    ),
    "futures/user_data_json/order_update_new.json": told(
        usdm_messages, USDM, "ORDER_TRADE_UPDATE", Happening.NEW
    ),
    "futures/user_data_json/account_update.json": told(
        usdm_messages, USDM, "ACCOUNT_UPDATE", Happening.TRADE
    ),
    f"{SPOT_HTTP}/exchange_info_response.json": binance(SPOT, "GET", "/api/v3/exchangeInfo"),
    f"{SPOT_HTTP}/order_response.json": binance(
        SPOT, "GET", "/api/v3/order", origClientOrderId=f"rest{SPOT}"
    ),
    f"{SPOT_HTTP}/new_order_full_response.json": binance(
        SPOT, "POST", "/api/v3/order", side="BUY", type="MARKET", quantity="0.01"
    ),
    f"{SPOT_HTTP}/cancel_order_response.json": binance(
        SPOT, "DELETE", "/api/v3/order", origClientOrderId=f"rest{SPOT}"
    ),
    f"{SPOT_HTTP}/open_orders_response.json": binance(SPOT, "GET", "/api/v3/openOrders"),
    f"{SPOT_HTTP}/all_orders_response.json": binance(SPOT, "GET", "/api/v3/allOrders"),
    f"{SPOT_HTTP}/cancel_open_orders_response.json": binance(SPOT, "DELETE", "/api/v3/openOrders"),
    f"{SPOT_HTTP}/account_response.json": binance(SPOT, "GET", "/api/v3/account"),
    f"{SPOT_HTTP}/account_trades_response.json": binance(SPOT, "GET", "/api/v3/myTrades"),
    f"{SPOT_HTTP}/book_ticker_response.json": binance(SPOT, "GET", "/api/v3/ticker/bookTicker"),
    f"{SPOT_HTTP}/ticker_24hr_response.json": binance(SPOT, "GET", "/api/v3/ticker/24hr"),
    f"{SPOT_HTTP}/depth_response.json": binance(SPOT, "GET", "/api/v3/depth"),
    f"{SPOT_HTTP}/server_time_response.json": binance(SPOT, "GET", "/api/v3/time"),
    "spot/user_data_json/execution_report_new.json": told(
        spot_messages, SPOT, "executionReport", Happening.NEW
    ),
    "spot/user_data_json/execution_report_trade.json": told(
        spot_messages, SPOT, "executionReport", Happening.TRADE
    ),
    "spot/user_data_json/account_position.json": told(
        spot_messages, SPOT, "outboundAccountPosition", Happening.TRADE
    ),
    "http_get_instruments_linear.json": bybit("/v5/market/instruments-info"),
    "http_get_instruments_inverse.json": bybit(
        "/v5/market/instruments-info", category="inverse", symbol="BTCUSD"
    ),
    "http_get_orderbook.json": bybit("/v5/market/orderbook"),
    "http_get_funding_history.json": bybit("/v5/market/funding/history"),
    "http_get_orders_realtime.json": bybit("/v5/order/realtime"),
    "http_get_orders_history.json": bybit("/v5/order/history"),
    "http_get_executions.json": bybit("/v5/execution/list"),
    "http_get_positions.json": bybit("/v5/position/list"),
    "http_get_wallet_balance.json": bybit("/v5/account/wallet-balance"),
    "http_get_fee_rate.json": bybit("/v5/account/fee-rate"),
    "http_get_account_info.json": bybit("/v5/account/info"),
    "http_get_user_query_api.json": bybit("/v5/user/query-api"),
    "ws_ticker_linear.json": bybit_stream("tickers.BTCUSDT", pick=1),
    "ws_orderbook_snapshot.json": bybit_stream("orderbook.50.BTCUSDT", pick=1),
    "ws_orderbook_delta.json": bybit_stream("orderbook.50.BTCUSDT", pick=2),
    "ws_subscription_ack.json": bybit_stream("tickers.BTCUSDT", pick=0),
    "ws_account_order.json": told(private_messages, BYBIT, "order", Happening.NEW),
    "ws_account_execution.json": told(private_messages, BYBIT, "execution", Happening.TRADE),
    "ws_account_position.json": told(private_messages, BYBIT, "position", Happening.TRADE),
    "ws_account_wallet.json": told(private_messages, BYBIT, "wallet", Happening.TRADE),
    "okx/http_get_instruments_swap.json": okx("public/instruments", **OKX_SWAPS),
    "okx/http_get_instruments_spot.json": okx("public/instruments", instType="SPOT"),
    "okx/http_get_mark_price.json": okx("public/mark-price", **OKX_SWAPS),
    "okx/http_get_funding_rate_history.json": okx("public/funding-rate-history", instId=SWAP),
    "okx/http_get_position_tiers.json": okx(
        "public/position-tiers", instType="SWAP", tdMode="cross", instFamily="BTC-USDT"
    ),
    "okx/http_get_order_book.json": okx("market/books", instId=SWAP, sz="5"),
    "okx/http_get_account_balance.json": okx("account/balance"),
    "okx/http_get_positions.json": okx("account/positions", instType="SWAP"),
    "okx/http_get_trade_fee_response.json": okx("account/trade-fee", instType="SWAP"),
    "okx/http_get_orders_pending.json": okx("trade/orders-pending", instType="SWAP"),
    "okx/http_get_orders_history.json": okx("trade/orders-history", instType="SWAP"),
    "okx/http_transaction_detail.json": okx_row("trade/fills", instType="SWAP"),
    "okx/http_place_order_response.json": okx_placed,
    "okx/ws_orders.json": okx_order,
    "okx/ws_account.json": okx_account,
    "okx/ws_tickers.json": okx_stream("tickers"),
    "okx/ws_funding_rate.json": okx_stream("funding-rate"),
    "okx/ws_bbo_tbt.json": okx_stream("bbo-tbt"),
    "hyperliquid/http_meta_perp_sample.json": hyperliquid("meta"),
    "hyperliquid/http_funding_history.json": hyperliquid("fundingHistory", coin="BTC", startTime=0),
    "hyperliquid/http_l2_book_btc.json": hyperliquid("l2Book", coin="BTC"),
    "hyperliquid/http_clearinghouse_state_negative_total_raw_usd.json": hyperliquid(
        "clearinghouseState", user=wallet_of(HYPERLIQUID).address
    ),
    "hyperliquid/http_user_fills_dust_conversion.json": hyperliquid(
        "userFillsByTime", user=wallet_of(HYPERLIQUID).address, startTime=0
    ),
    "hyperliquid/ws_allmids.json": hyperliquid_stream(type="allMids"),
    "hyperliquid/ws_all_dexs_asset_ctxs.json": hyperliquid_contexts,
    "dydx/http_get_time.json": dydx("time"),
    "dydx/http_get_perpetual_markets.json": dydx("perpetualMarkets"),
    "dydx/http_get_orderbook.json": dydx("orderbooks/perpetualMarket/BTC-USD"),
    "dydx/http_get_historical_funding.json": dydx("historicalFunding/BTC-USD"),
    "dydx/ws_markets_subscribed.json": dydx_stream("v4_markets", 0),
    "dydx/ws_markets_update.json": dydx_stream("v4_markets", 1),
    "dydx/ws_orderbook_subscribed.json": dydx_stream("v4_orderbook", 0, id="BTC-USD"),
    "dydx/ws_orderbook_update.json": dydx_stream("v4_orderbook", 1, id="BTC-USD"),
}


def recorded(name: str) -> Any:
    venue, _, file = name.partition("/")
    if venue == "dydx":
        told = orjson.loads((FOLDERS[venue] / file).read_bytes())
        return told["result"] if file.startswith("http") else told
    if venue not in ("okx", "hyperliquid"):
        venue, file = ("binance" if file else "bybit"), name
    return orjson.loads((FOLDERS[venue] / file).read_bytes())


def kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield (key path, what is wrong); of lists the first elements are compared."""
    if expected is None or actual is None:
        return
    if kind(expected) != kind(actual):
        yield path, f"is {kind(actual)}, recorded {kind(expected)}"
    elif isinstance(expected, dict):
        for key, value in expected.items():
            inner = f"{path}.{key}" if path else key
            if key in actual:
                yield from differences(value, actual[key], inner)
            else:
                yield inner, "is missing"
    elif isinstance(expected, list) and expected:
        if actual:
            yield from differences(expected[0], actual[0], f"{path}[]")
        else:
            yield path, "is empty"


@pytest.mark.parametrize("name", CASES)
def test_a_payload_has_the_recorded_keys_and_types(world: World, name: str) -> None:
    simulated = CASES[name](traded(world))

    wrong = dict(differences(recorded(name), simulated))

    excused = LEFT_OUT.get(name, {})
    assert {path: text for path, text in wrong.items() if path not in excused} == {}
    assert set(excused) <= set(wrong), "an excuse that is no longer needed"
