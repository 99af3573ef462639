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
from exchanges.models import Exchange, ExchangeAccount
from exchanges.modes import Mode
from exchanges.selectors import enabled_exchanges
from trading.core.states import PositionState
from trading.models import Discrepancy, Opportunity, Order
from trading.selectors.alerts import AlertFeed, alert_feed, unread_of
from trading.selectors.board import load_board
from trading.selectors.dashboard import Summary, summary
from trading.selectors.engine import EngineStatus, engine_status
from trading.selectors.opportunities import (
    OpportunityLine,
    best_pairs,
    pair_cells,
    recent_opportunities,
)
from trading.selectors.positions import (
    PositionLine,
    closed_count,
    closed_positions,
    open_positions,
    pending_orders,
)
from trading.selectors.rates import Cells, RateSheet, rate_cells, rate_sheet
from trading.selectors.reconciliation import (
    AccountBooks,
    DiscrepancyLine,
    accounts_of,
    books_of,
    open_discrepancies,
    resolved_discrepancies,
)
from trading.selectors.venues import VenueStatus, venue_statuses
from trading.services.engine import active_accounts
from trading.services.money_mode import mode_among

ALERTS_SHOWN = 12
CLOSED_SHOWN = 30
OPPORTUNITIES_SHOWN = 60
# While legs are filled one after the other a difference is the plan, not an alarm.
MOVING_STATES = frozenset({PositionState.ENTERING, PositionState.EXITING})
TABS = ("open", "closed", "orders", "passed")


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
        # Which strategy's opportunities are shown; empty is all of them.
        self.strategy = ""

    @cached_property
    def exchanges(self) -> Sequence[Exchange]:
        return enabled_exchanges()

    @cached_property
    def board(self) -> Board:
        return load_board([exchange.code for exchange in self.exchanges])

    @cached_property
    def accounts(self) -> Sequence[ExchangeAccount]:
        """Return the user's active accounts."""
        return active_accounts(self.user)

    @cached_property
    def engine(self) -> EngineStatus:
        return engine_status(self.user, self.accounts, self.now)

    @cached_property
    def venues(self) -> list[VenueStatus]:
        return venue_statuses(self.accounts, self.exchanges, self.board, self.mode, self.now)

    @cached_property
    def mode(self) -> Mode:
        """Return in which mode the user trades."""
        return mode_among(self.user, self.accounts)

    @cached_property
    def venues_fresh(self) -> int:
        """Return how many venues deliver data now."""
        return sum(1 for venue in self.venues if venue.feed.glyph != "down")

    @cached_property
    def positions(self) -> list[PositionLine]:
        return open_positions(self.user, self.board, self.now)

    @cached_property
    def closed(self) -> list[PositionLine]:
        return closed_positions(self.user, self.board, self.now, limit=CLOSED_SHOWN)

    @cached_property
    def closed_count(self) -> int:
        return closed_count(self.user)

    @cached_property
    def orders(self) -> list[Order]:
        return pending_orders(self.user)

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
    def unhedged(self) -> list[PositionLine]:
        """Return positions of which one leg is larger than the other though none is on its way."""
        return [
            line
            for line in self.positions
            if line.unhedged_leg is not None and line.position.state not in MOVING_STATES
        ]

    @cached_property
    def summary(self) -> Summary:
        return summary(self.user, self.mode, self.positions, self.board, self.now)

    @cached_property
    def alerts(self) -> AlertFeed:
        return alert_feed(self.user, limit=ALERTS_SHOWN)

    @cached_property
    def unread(self) -> int:
        """Return how many alerts that matter are unread."""
        return unread_of(self.user).count()

    @cached_property
    def opportunities(self) -> list[OpportunityLine]:
        return recent_opportunities(
            self.user, self.now, limit=OPPORTUNITIES_SHOWN, strategy=self.strategy
        )

    @cached_property
    def books(self) -> list[AccountBooks]:
        """Return both sides of each account of the user."""
        return books_of(accounts_of(self.user), self.board, self.now)

    @cached_property
    def discrepancies(self) -> list[DiscrepancyLine]:
        return open_discrepancies(self.user, self.board)

    @cached_property
    def resolved(self) -> list[Discrepancy]:
        return resolved_discrepancies(self.user)

    @cached_property
    def sheet(self) -> RateSheet:
        return rate_sheet(self.exchanges)

    @cached_property
    def best_pairs(self) -> dict[str, Opportunity]:
        return best_pairs(self.user, self.now)

    @cached_property
    def cells(self) -> Cells:
        """Return every live cell of the funding table and of the venue lines."""
        shared = rate_cells(self.sheet, self.board, self.now)
        return shared | pair_cells(self.sheet.bases, self.best_pairs)

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


def tabs(screen: Screen) -> list[tuple[str, str, int | None]]:
    """Return (name, label, count) of the tabs of the positions panel."""
    return [
        ("open", "Open", len(screen.positions)),
        ("closed", "Closed", screen.closed_count),
        ("orders", "Orders", screen.engine.pending_orders),
        ("passed", "Passed over", None),
    ]
