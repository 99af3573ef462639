"""A paper account under test: the simulator's market stands for that of the real venue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from arbsite.accounts.models import User
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.models import Exchange
from exchanges.modes import Mode
from exchanges.paper.account import PaperReads
from exchanges.paper.accounts import open_paper_account
from exchanges.paper.market_data import PaperMarketData
from exchanges.paper.public_side import QUOTES_LAST, PublicSide
from exchanges.paper.rows import PaperFill, PaperFunding, PaperOrder
from exchanges.paper.stream import PaperStream
from exchanges.paper.trading import PaperTrading
from exchanges.paper.venue import PaperVenue
from exchanges.ports import MarketData
from exchanges.venues import PROFILES
from tests.conformance.bench import Bench, Doors
from tests.conformance.cards import Subject
from tests.simulator.nearby import call
from tests.simulator.world import World


@dataclass(slots=True)
class PaperBench(Bench):
    """The paper ports of one account over a client that only reads the market."""

    account_id: str = ""
    venues: dict[VenueClient, PaperVenue] = field(default_factory=dict)

    @classmethod
    def at(cls, world: World, subject: Subject) -> PaperBench:
        opened = super(PaperBench, cls).at(world, subject)
        assert isinstance(opened, cls)
        paper = open_paper_account(
            user=User.objects.create_user("owner"),
            exchange=Exchange.objects.create(code=subject.venue, mode=Mode.PAPER, name="paper"),
            label="main",
            starting_balance=Decimal(100_000),
            asset=subject.dollar,
            actor="test",
            now=world.at,
        )
        opened.account_id = str(paper.pk)
        return opened

    @property
    def market(self) -> MarketData:
        return PaperMarketData(CcxtMarketData(self.client))

    def doors(self, client: VenueClient) -> Doors:
        if client not in self.venues:
            data = PaperMarketData(CcxtMarketData(client))
            side = PublicSide(data, PROFILES[self.subject.venue], lambda: self.world.at)
            self.venues[client] = PaperVenue(self.account_id, side)
        venue = self.venues[client]
        return Doors(PaperTrading(venue), PaperReads(venue), PaperStream(venue))

    @property
    def funding(self) -> Sequence[Any]:
        return list(PaperFunding.objects.all())

    @property
    def trades(self) -> Sequence[Any]:
        return list(PaperFill.objects.select_related("order"))

    def placed(self) -> int:
        return PaperOrder.objects.count()

    def disturb(self, action: str, **rule: Any) -> None:
        super(PaperBench, self).disturb(action, **rule)
        # What was read of the market a moment ago is not asked again.
        self.world.at += QUOTES_LAST

    def close(self) -> None:
        for venue in self.venues.values():
            call(venue.close())
        super(PaperBench, self).close()
