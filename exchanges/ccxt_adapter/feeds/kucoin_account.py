"""KuCoin's private socket of futures, decoded straight from the wire.

Source: www.kucoin.com/docs-new, futures private channels: tradeOrders, positionAll and wallet. An
execution is told with its order and without its fee, which a list of executions has: it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from exchanges.ccxt_adapter import parse_account
from exchanges.ccxt_adapter.calls import kucoin_rows as rows
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.feeds.facts import ByVenueSymbol, EmitAccount
from exchanges.ccxt_adapter.feeds.kucoin import PING, Door, welcomed
from exchanges.ccxt_adapter.feeds.upkeep import PONG_SILENT_AFTER
from exchanges.ccxt_adapter.listing import Listing, Listings
from exchanges.ccxt_adapter.numbers import as_written, text
from exchanges.ccxt_adapter.rows import all_of
from exchanges.ccxt_adapter.sockets import Feed, Receive, Send
from exchanges.domain import AccountFact, Fill
from exchanges.errors import UnexpectedPayload
from exchanges.venues.kucoin import PROFILE

ORDERS, POSITIONS = "/contractMarket/tradeOrders", "/contract/positionAll"
TOPICS = ORDERS, POSITIONS, "/contractAccount/wallet"
ORDER_SUBJECTS = frozenset({"orderChange", "symbolOrderChange"})
POSITION, WALLET = "position.change", "walletBalance.change"
TOLD_OF_POSITIONS = {"currentQty", "positionSide", "marginMode"}
MATCH = "match"
LONGEST_PAUSE = 15.0
LOOK_EVERY = 0.2
# A list that still lacks an execution after so many looks is left to those who ask for it.
MOST_LOOKS = 25


@dataclass(slots=True)
class Executions:
    """Executions that the socket has told of, until they are read with their fees."""

    client: VenueClient
    emit: EmitAccount
    # By contract and number: our id of the order, and how often it was looked for.
    told: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

    def hear(self, row: dict[str, Any]) -> None:
        if row["type"] == MATCH:
            self.told[text(row["symbol"]), text(row["tradeId"])] = (row.get("clientOid") or "", 0)

    async def read(self) -> None:
        """Read the contracts of all that was told, and tell what is there. Raise VenueError."""
        for key, (own_id, looks) in list(self.told.items()):
            self.told[key] = own_id, looks + 1
            if looks >= MOST_LOOKS:
                del self.told[key]
        if self.told:
            for key, fill in await self.client.reading(self._found()):
                del self.told[key]
                self.emit(fill)

    async def _found(self) -> list[tuple[tuple[str, str], Fill]]:
        ask = self.client.exchange.futuresPrivateGetRecentFills
        contracts = sorted({symbol for symbol, _ in self.told})
        answers = await all_of(ask({"symbol": symbol}) for symbol in contracts)
        listed = [row for answer in answers for row in rows.listed(answer, "data")]
        keyed = [((text(row["symbol"]), text(row["tradeId"])), row) for row in listed]
        known = self.client.listings.by_venue_symbol
        return [
            (key, _fill(row, self.told[key][0], known[key[0]]))
            for key, row in dict(keyed).items()
            if key in self.told and key[0] in known
        ]


def _fill(row: dict[str, Any], own_id: str, listing: Listing) -> Fill:
    named = rows.fill({**row, "clientOid": own_id})
    return parse_account.fill(named, PROFILE.fills.columns, listing, PROFILE)


def account_feed(client: VenueClient, listings: Listings, emit: EmitAccount) -> Feed:
    door = Door(client, "futuresPrivatePostBulletPrivate")
    executions, pinged_at = Executions(client, emit), monotonic()

    async def greet(send: Send, receive: Receive) -> None:
        await welcomed(receive)
        for number, topic in enumerate(TOPICS):
            asked = {"topic": topic, "privateChannel": True, "response": True}
            await send({"id": str(number), "type": "subscribe", **asked})
            while (answer := await receive())["type"] != "ack":
                handle(answer)

    def handle(message: Any) -> bool:
        if "subject" not in message:
            return _is_pong(message)
        # Not what was listed when the socket was opened: a contract may be new.
        now, known = datetime.now(UTC), client.listings.by_venue_symbol
        subject, row = message["subject"], message["data"]
        for fact in account_facts(subject, row, known, now):
            emit(fact)
        if subject in ORDER_SUBJECTS:
            executions.hear(row)
        return True

    async def keep_up(send: Send) -> None:
        nonlocal pinged_at
        if monotonic() - pinged_at >= min(door.pause, LONGEST_PAUSE):
            pinged_at = monotonic()
            await send(PING)
            # This process may be the only one here that asks what is listed.
            await client.keep_listed()
        await executions.read()

    return Feed(
        name="kucoin account",
        url=door.url,
        greet=greet,
        handle=handle,
        silent_after=PONG_SILENT_AFTER,
        upkeep=keep_up,
        upkeep_every=LOOK_EVERY,
        pings=False,
        decode=as_written,
        follow_up=executions.read,
    )


def _is_pong(message: Any) -> bool:
    """Tell whether a message without data is an answer to a ping; raise on a refusal."""
    if message["type"] == "error":
        raise UnexpectedPayload(f"subscription refused: {message['data']}", venue=PROFILE.name)
    return bool(message["type"] == "pong")


def account_facts(
    subject: str, row: dict[str, Any], listings: ByVenueSymbol, now: datetime
) -> Iterator[AccountFact]:
    """Yield the facts of one private row: a margin coin, or what concerns a contract of ours."""
    if subject == WALLET:
        columns = PROFILE.balances.columns
        yield parse_account.balance(rows.balance(row), columns, PROFILE.name, now)
        return
    listing = listings.get(row["symbol"]) if subject in (*ORDER_SUBJECTS, POSITION) else None
    if listing is None:
        return
    if subject in ORDER_SUBJECTS:
        yield parse_account.order_report(rows.order(row), listing, now)
    # What only the mark has changed may be told without the quantity.
    elif row.keys() >= TOLD_OF_POSITIONS and PROFILE.positions is not None:
        columns = PROFILE.positions.columns
        yield parse_account.position(rows.position(row), columns, listing, now)
