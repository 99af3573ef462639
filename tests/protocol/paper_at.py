"""A paper account at a venue that answers with payloads, through the real adapter."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from arbsite.accounts.models import User
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.paper.account import PaperReads
from exchanges.paper.accounts import open_paper_account, watched_exchange
from exchanges.paper.market_data import PaperMarketData
from exchanges.paper.public_side import PublicSide
from exchanges.paper.rows import PaperFill
from exchanges.paper.trading import PaperTrading
from exchanges.paper.venue import PaperVenue
from exchanges.venues import PROFILES
from tests.protocol.canned import CannedVenue
from tests.simulator.nearby import call


@dataclass(slots=True)
class PaperAt:
    """The paper ports of one account, on what a venue answers."""

    canned: CannedVenue
    trading: PaperTrading
    reads: PaperReads

    def total(self, asset: str) -> Decimal:
        """Return what the wallet holds of an asset."""
        return {row.asset: row.total for row in call(self.reads.balances())}[asset]

    def free(self, asset: str) -> Decimal:
        return {row.asset: row.free for row in call(self.reads.balances())}[asset]


@contextmanager
def paper_at(canned: CannedVenue, owner: User, **how: Any) -> Generator[PaperAt]:
    """Open an account of 10,000 there, with what else is assumed of it."""
    values: dict[str, Any] = {"starting_balance": Decimal(10_000), **how}
    row = open_paper_account(
        user=owner,
        exchange=watched_exchange(canned.venue),
        label="main",
        actor="test",
        now=canned.now,
        **values,
    )
    data = PaperMarketData(CcxtMarketData(canned.client()))
    side = PublicSide(data, PROFILES[canned.venue], lambda: canned.now)
    venue = PaperVenue(str(row.pk), side)
    yield PaperAt(canned, PaperTrading(venue), PaperReads(venue))
    call(venue.close())
    call(data.close())


def fills() -> list[tuple[Decimal, Decimal, Decimal]]:
    """Return price, base quantity and fee of all that was filled, in order."""
    rows = PaperFill.objects.order_by("pk")
    return [(row.price, row.base_quantity, row.fee) for row in rows]
