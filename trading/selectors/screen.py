"""Everything one page shows of one user at one instant, each part read at most once.

Page, fragment and socket render the same templates from a `Screen`, so a figure cannot differ
between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.models import Exchange
from trading.models import Opportunity, Order
from trading.selectors import alerts, dashboard, engine, opportunities, positions, rates, venues
from trading.selectors.board import load_board

ALERTS_SHOWN = 12
CLOSED_SHOWN = 30
OPPORTUNITIES_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTotals:
    """The parts of the open positions' P&L, added up."""

    net: Decimal
    funding: Decimal
    price: Decimal
    fees: Decimal


class Screen:
    """One user's view of the moment `now`."""

    def __init__(self, user: User, *, now: datetime, tab: str = "open") -> None:
        self.user = user
        self.now = now
        self.tab = tab

    @cached_property
    def exchanges(self) -> Sequence[Exchange]:
        return venues.enabled_exchanges()

    @cached_property
    def board(self) -> Board:
        return load_board([exchange.code for exchange in self.exchanges])

    @cached_property
    def engine(self) -> engine.EngineStatus:
        return engine.engine_status(self.user, self.now)

    @cached_property
    def venues(self) -> list[venues.VenueStatus]:
        return venues.venue_statuses(self.user, self.exchanges, self.board, self.now)

    @cached_property
    def venues_fresh(self) -> int:
        """Return how many venues deliver data now."""
        return sum(1 for venue in self.venues if venue.feed.glyph != "down")

    @cached_property
    def positions(self) -> list[positions.PositionLine]:
        return positions.open_positions(self.user, self.board, self.now)

    @cached_property
    def closed(self) -> list[positions.PositionLine]:
        return positions.closed_positions(self.user, self.board, self.now, limit=CLOSED_SHOWN)

    @cached_property
    def closed_count(self) -> int:
        return positions.closed_count(self.user)

    @cached_property
    def orders(self) -> list[Order]:
        return positions.pending_orders(self.user)

    @cached_property
    def totals(self) -> PartTotals:
        parts = [line.pnl for line in self.positions]
        zero = Decimal(0)
        return PartTotals(
            net=sum((part.total for part in parts), zero),
            funding=sum((part.funding for part in parts), zero),
            price=sum((part.price_pnl for part in parts), zero),
            fees=-sum((part.fees + part.borrow for part in parts), zero),
        )

    @cached_property
    def unhedged(self) -> list[positions.PositionLine]:
        """Return positions of which one leg is larger than the other."""
        return [line for line in self.positions if line.unhedged_leg is not None]

    @cached_property
    def summary(self) -> dashboard.Summary:
        return dashboard.summary(self.user, self.positions, self.board, self.now)

    @cached_property
    def alerts(self) -> alerts.AlertFeed:
        return alerts.alert_feed(self.user, limit=ALERTS_SHOWN)

    @cached_property
    def opportunities(self) -> list[Opportunity]:
        return opportunities.recent_opportunities(self.user, limit=OPPORTUNITIES_SHOWN)

    @cached_property
    def sheet(self) -> rates.RateSheet:
        return rates.rate_sheet(self.exchanges)

    @cached_property
    def best_pairs(self) -> dict[str, Opportunity]:
        return opportunities.best_pairs(self.user, self.now)

    @cached_property
    def cells(self) -> rates.Cells:
        """Return every live cell of the funding table and of the venue lines."""
        shared = rates.rate_cells(self.sheet, self.board, self.now)
        return shared | opportunities.pair_cells(self.sheet.bases, self.best_pairs)

    @cached_property
    def ranked_bases(self) -> list[str]:
        """Return the bases by net APR, those without a pair last."""
        return sorted(
            self.sheet.bases,
            key=lambda base: (
                -self.best_pairs[base].net_apr if base in self.best_pairs else Decimal("Infinity"),
                base,
            ),
        )
