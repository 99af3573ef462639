"""KuCoin's futures sockets: topics of contracts, and with a private token those of an account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qs

from exchanges.simulator.accounts import Account, HoldingRow
from exchanges.simulator.books import beat
from exchanges.simulator.core import Simulator
from exchanges.simulator.events import AccountEvent
from exchanges.simulator.faces import kucoin_account as payloads
from exchanges.simulator.faces.kucoin_market import PUBLIC_TOKEN, marks, touch
from exchanges.simulator.faces.kucoin_orders import streamed_match, streamed_order
from exchanges.simulator.faces.passphrase_signature import signature
from exchanges.simulator.faces.sockets import Outgoing, read_message
from exchanges.simulator.listings import KUCOIN, Listing
from exchanges.simulator.wire import Json, milliseconds

HOST = "ws-api-futures.kucoin.com"
REPLY_TOPIC = "reply"
MARKS, BOOKS = "/contract/instrument", "/contractMarket/tickerV2"
ORDERS, POSITIONS, WALLET = (
    "/contractMarket/tradeOrders",
    "/contract/positionAll",
    "/contractAccount/wallet",
)
PRIVATE = (ORDERS, POSITIONS, WALLET)

Builder = Callable[[Simulator, Listing, datetime], Json]
BUILDERS: dict[str, tuple[str, Builder]] = {
    MARKS: ("mark.index.price", marks),
    BOOKS: ("tickerV2", touch),
}


def token_of(account: Account) -> str:
    """Return what opens an account's socket."""
    return signature(account.secret, f"bullet{account.api_key}")


def socket_of(simulator: Simulator, query: str) -> Socket | None:
    """Return the socket that a token opens, None for a token that nobody was given."""
    [token] = parse_qs(query).get("token", [""])
    if token == PUBLIC_TOKEN:
        return Socket(simulator, None)
    for account in simulator.ledger.accounts.values():
        if account.venue == KUCOIN and token == token_of(account):
            return Socket(simulator, account)
    return None


class Socket:
    """One client's topics."""

    venue = KUCOIN

    def __init__(self, simulator: Simulator, account: Account | None) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(KUCOIN)
        self._account = account
        # By topic and contract, when it was told of last; and topics of the account.
        self._markets: dict[tuple[str, str], int] = {}
        self._private: set[str] = set()

    @property
    def topics(self) -> list[str]:
        return [*(":".join(one) for one in self._markets), *sorted(self._private)]

    def welcome(self) -> Outgoing:
        return Outgoing.of(REPLY_TOPIC, {"id": "simulated", "type": "welcome"})

    def receive(self, text: str, *, now: datetime) -> list[Outgoing]:
        message = read_message(text)
        number, topic = message.get("id"), str(message.get("topic", ""))
        match message.get("type"):
            case "ping":
                pong = {"id": number, "type": "pong", "timestamp": milliseconds(now)}
                return [Outgoing.of(REPLY_TOPIC, pong)]
            case "subscribe":
                return self._subscribe(number, topic, is_answered=message.get("response") is True)
            case _:
                return [_error(number, 415, "type is not supported")]

    def beat(self, *, now: datetime) -> list[Outgoing]:
        stamp = beat(now)
        due = [one for one, last in self._markets.items() if last != stamp]
        said = []
        for name, symbol in due:
            self._markets[name, symbol] = stamp
            listing = self._listings.get(symbol)
            if listing is not None:
                subject, build = BUILDERS[name]
                row = build(self._simulator, listing, now)
                told = {"symbol": symbol, **row} if name == BOOKS else row
                said.append(_message(f"{name}:{symbol}", subject, told))
        return said

    def happened(self, event: AccountEvent) -> list[Outgoing]:
        if event.account is not self._account or event.venue != KUCOIN:
            return []
        said = [(ORDERS, _private(ORDERS, "symbolOrderChange", row)) for row in self._orders(event)]
        symbol = event.trade.symbol if event.trade else ""
        if symbol:
            row = self._position(event.account, symbol, event.at)
            said.append((POSITIONS, _private(POSITIONS, "position.change", row)))
        if event.trade is not None or event.funding is not None:
            wallet = payloads.wallet(self._simulator, event.account, event.at)
            said.append((WALLET, _private(WALLET, "walletBalance.change", wallet)))
        return [message for topic, message in said if topic in self._private]

    def _orders(self, event: AccountEvent) -> list[Json]:
        """Return what one event makes an order's channel say: the execution, then the end."""
        order, owner = event.order, event.account
        if order is None:
            return []
        listing = self._simulator.market.listings[(KUCOIN, order.symbol)]
        said = []
        if event.trade is not None:
            said.append(streamed_match(order, event.trade, owner, listing))
        if order.is_final:
            kind = "filled" if not order.remaining else "canceled"
            said.append(streamed_order(order, owner, listing, kind))
        return said or [streamed_order(order, owner, listing, "open")]

    def _position(self, owner: Account, symbol: str, now: datetime) -> Json:
        held = self._simulator.ledger.holdings(api_key=owner.api_key, venue=KUCOIN)
        found = [row for row in held if row.symbol == symbol]
        flat = HoldingRow(
            api_key=owner.api_key,
            venue=KUCOIN,
            symbol=symbol,
            base_quantity=payloads.ZERO,
            cost=payloads.ZERO,
            updated_at=now,
        )
        row = payloads.position(self._simulator, owner, (found or [flat])[0], now)
        return row | {"changeReason": "positionChange"}

    def _subscribe(self, number: object, topic: str, *, is_answered: bool) -> list[Outgoing]:
        name, _, symbols = topic.partition(":")
        asked = [(name, symbol) for symbol in symbols.split(",") if symbols]
        if name in PRIVATE and not symbols:
            if self._account is None:
                return [_error(number, 403, "login is required")]
            self._private.add(name)
        elif name not in BUILDERS or not asked:
            return [_error(number, 404, f"topic {topic} is not found")]
        else:
            unknown = [symbol for _, symbol in asked if symbol not in self._listings]
            if unknown:
                return [_error(number, 404, f"topic {name}:{unknown[0]} is not found")]
            self._markets |= dict.fromkeys(asked, -1)
        ack = Outgoing.of(REPLY_TOPIC, {"id": number, "type": "ack"})
        return [ack] if is_answered else []


def _error(number: object, code: int, said: str) -> Outgoing:
    return Outgoing.of(REPLY_TOPIC, {"id": number, "type": "error", "code": code, "data": said})


def _message(topic: str, subject: str, data: Json) -> Outgoing:
    return Outgoing.of(
        topic, {"topic": topic, "type": "message", "subject": subject, "sn": 1, "data": data}
    )


def _private(topic: str, subject: str, data: Json) -> Outgoing:
    told = {"topic": topic, "type": "message", "subject": subject, "channelType": "private"}
    return Outgoing.of(topic, told | {"userId": "simulated", "data": data})
