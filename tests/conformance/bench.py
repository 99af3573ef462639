"""One market under test: the real adapters at a simulator in this process, on a clock by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.streams import CcxtAccountStream, CcxtMarketStream
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.client_order_ids import client_order_id, in_venue_form
from exchanges.domain import OrderReport, OrderRequest, OrderType, Side, TimeInForce
from exchanges.ports import Account, AccountStream, MarketData, MarketStream, Trading
from exchanges.simulator.accounts import Account as Owner
from exchanges.venues import PROFILES
from tests.conformance.cards import SUBJECTS, Subject
from tests.simulator.nearby import call, client_at, public_client_at
from tests.simulator.world import World

CATALOGUES = {subject.venue: Catalogue(PROFILES[subject.venue]) for subject in SUBJECTS}
_numbers = count(1)


class Doors(NamedTuple):
    """The private ports of one account."""

    trading: Trading
    account: Account
    stream: AccountStream


@dataclass(slots=True)
class Bench:
    """The ports of one account; what is opened here is closed by `close`."""

    world: World
    subject: Subject
    client: VenueClient
    opened: list[VenueClient] = field(default_factory=list)

    @classmethod
    def at(cls, world: World, subject: Subject) -> Bench:
        world.pin(subject.simulated, subject.venue_symbol, price="60000")
        catalogue = CATALOGUES[subject.venue]
        if subject.is_watched:
            client = public_client_at(world, catalogue)
        else:
            client = client_at(world, subject.venue, catalogue)
        return cls(world, subject, client, [client])

    @property
    def trading(self) -> Trading:
        return self.doors(self.client).trading

    @property
    def account(self) -> Account:
        return self.doors(self.client).account

    @property
    def market(self) -> MarketData:
        return CcxtMarketData(self.client)

    def doors(self, client: VenueClient) -> Doors:
        """Return the ports of the account over one client."""
        return Doors(CcxtTrading(client), CcxtAccount(client), CcxtAccountStream(client))

    @property
    def funding(self) -> Sequence[Any]:
        """Return what the venue itself has booked as funding."""
        return self.world.simulator.ledger.funding

    @property
    def trades(self) -> Sequence[Any]:
        """Return what the venue itself has booked as executions."""
        return self.world.simulator.ledger.trades

    @property
    def owner(self) -> Owner:
        return self.world.account(self.subject.simulated)

    def over(self, url: str, *, secret: str | None = None) -> VenueClient:
        """Return a client of the account that goes over a real socket to `url`."""
        client = VenueClient(
            Catalogue(PROFILES[self.subject.venue]),
            credential=None if self.subject.is_watched else self._credential(secret),
            simulator_url=url,
            surroundings=Surroundings(now=lambda: self.world.at),
        )
        self.opened.append(client)
        return client

    def _credential(self, secret: str | None) -> Credential:
        owner = self.owner
        return Credential(
            api_key=owner.api_key, secret=secret or owner.secret, passphrase=owner.passphrase
        )

    def market_stream(self, client: VenueClient) -> MarketStream:
        """Return what brings the market."""
        return CcxtMarketStream(client)

    def order(
        self, quantity: str = "0.01", side: Side = Side.BUY, price: Any = None, **more: Any
    ) -> OrderRequest:
        """Return a market order, or a limit order where a price is given."""
        return OrderRequest(
            client_order_id=in_venue_form(
                client_order_id(uuid4(), 0, "open", next(_numbers)), self.subject.venue
            ),
            symbol=self.subject.symbol,
            side=side,
            order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
            base_quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
            time_in_force=TimeInForce.GTC,
            **more,
        )

    def submit(self, request: OrderRequest) -> OrderReport:
        return call(self.trading.submit(request))

    def find(self, request: OrderRequest) -> OrderReport:
        return call(self.trading.find_order(request.client_order_id, request.symbol))

    def placed(self) -> int:
        """Return how many orders the venue holds of this market."""
        orders = self.world.simulator.ledger.orders.values()
        return sum(order.venue == self.subject.simulated for order in orders)

    def pin(self, **values: str) -> None:
        self.world.pin(self.subject.simulated, self.subject.venue_symbol, **values)

    def disturb(self, action: str, **rule: Any) -> None:
        self.world.venues.faults.add({"action": action, **rule})

    def of_subject(self, rows: Any) -> Any:
        """Return the one fact of this market among those of a venue."""
        [found] = [row for row in rows if row.symbol == self.subject.symbol]
        return found

    def close(self) -> None:
        for client in self.opened:
            call(client.close())
