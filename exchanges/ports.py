"""The four doors to a venue, one Protocol per use, so that a poller cannot trade.

All calls are coroutines that run on the loop of `exchanges.loop`; all speak base units, Decimal and
aware UTC; all raise only `exchanges.errors.VenueError` and its kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from exchanges.access import KeyFacts, Maintenance
from exchanges.activity import Activity
from exchanges.domain import (
    AccountFact,
    AccountTransfer,
    Balance,
    BookTop,
    BorrowInterest,
    BorrowRate,
    ClientOrderId,
    Depth,
    FeeTier,
    Fill,
    FundingPayment,
    FundingRate,
    Instrument,
    MarketFact,
    OrderReport,
    OrderRequest,
    Quote,
    SettledFunding,
    Symbol,
    VenuePosition,
)
from exchanges.risk_tiers import TierLadder


class MarketData(Protocol):
    """Public reads by REST. Raise VenueUnavailable when the venue cannot be asked."""

    async def instruments(self) -> Sequence[Instrument]:
        """Return spot and linear instruments only; inverse and quanto are filtered out."""

    async def funding_rates(self) -> Sequence[FundingRate]:
        """Return the coming rate of every perpetual with its interval and that one's source."""

    async def borrow_rates(self) -> Sequence[BorrowRate]:
        """Return the rates of listed spot assets that are lent; the day's highest is only now's."""

    async def activity(self) -> Sequence[Activity]:
        """Return open interest and turnover of all perpetuals, as facts apart where told apart."""

    async def open_interest(self, symbol: Symbol) -> Activity | None:
        """Return that of one perpetual where no list tells it, else None."""

    async def risk_tiers(self, symbols: Collection[Symbol]) -> Mapping[Symbol, TierLadder]:
        """Return the risk tiers of these contracts that the venue tells everybody."""

    async def quotes(self) -> Sequence[Quote]:
        """Return mark and index price of every contract; of spot the last price as mark."""

    async def book_tops(self) -> Sequence[BookTop]:
        """Return best bid and ask of every instrument."""

    async def depth(self, symbol: Symbol, *, levels: int) -> Depth:
        """Return at least `levels` levels a side where the book has them."""

    async def settled_funding(self, symbol: Symbol, *, since: datetime) -> Sequence[SettledFunding]:
        """Return past settlements after `since`, oldest first, all pages."""

    async def accrued_rate(
        self, symbol: Symbol, *, since: datetime, until: datetime
    ) -> Decimal | None:
        """Return what was owed in a span of whole milliseconds, as a fraction of the index.

        > 0 where longs paid. None where a rate stands for its whole period, or nothing accrues.
        """

    async def maintenance(self) -> Sequence[Maintenance]:
        """Return the windows to come and those that go on; empty where the venue tells of none."""

    async def server_time(self) -> datetime:
        """Return the venue's clock."""

    async def close(self) -> None:
        """Close sessions; the object is of no use afterwards."""


class MarketStream(Protocol):
    """Public WebSockets. Runs until cancelled; reconnects by itself."""

    async def run(self, symbols: Collection[Symbol], on_fact: Callable[[MarketFact], None]) -> None:
        """Call `on_fact` on the loop for each funding rate, quote and book top of `symbols`.

        A rate comes without an interval where the venue's stream does not say it.
        """

    async def reopen(self, symbol: Symbol, kind: type[MarketFact]) -> bool:
        """Open anew the socket that told such facts of a symbol; tell whether one was."""

    async def close(self) -> None: ...


class AccountStream(Protocol):
    """Own orders and fills by WebSocket. Runs until cancelled; reconnects by itself."""

    async def run(
        self, on_fact: Callable[[AccountFact], None], on_open: Callable[[], None]
    ) -> None:
        """Call `on_fact` on the loop for each own order, fill, position and balance change.

        Call `on_open` after each opening: what happened before it must be read by REST. Raise
        CredentialRefused.
        """

    async def close(self) -> None: ...


class Trading(Protocol):
    """Orders of one account. `submit` is called by `trading.services.submit` and nowhere else."""

    async def prepare(self, symbol: Symbol, *, leverage: Decimal) -> None:
        """Set one-way mode, cross margin and leverage. Raise SettingRefused if the venue won't."""

    async def clock_error(self) -> timedelta:
        """Return how far this machine's clock is ahead of the venue's; behind is negative.

        Raise VenueUnavailable where the venue does not tell its time quickly enough to know.
        """

    async def submit(self, request: OrderRequest) -> OrderReport:
        """Send one order once and return the venue's acknowledgement, which carries a venue id.

        Raise OrderRejected (certain no), OrderOutcomeUnknown (all else, an answer without a venue
        id or with a differing echo included), RateLimited or CredentialRefused (surely not placed).
        """

    async def find_order(self, client_order_id: ClientOrderId, symbol: Symbol) -> OrderReport:
        """Look an order up by our own id. Raise OrderNotFound if the venue does not know it now."""

    async def cancel(self, client_order_id: ClientOrderId, symbol: Symbol) -> None:
        """Ask to cancel. Raise OrderNotFound if unknown or already final; the look-up decides."""

    async def open_orders(self, *symbols: Symbol) -> Sequence[OrderReport]:
        """Return what works of some instruments; of all where none is named."""

    async def add_margin(self, symbol: Symbol, amount: Decimal) -> None:
        """Move `amount` of the settle asset from the account's free balance behind one position.

        Raise SettingRefused, RateLimited or CredentialRefused where surely nothing moved; after all
        else only the position's margin tells.
        """

    async def arm_dead_man(self, symbol: Symbol, *, after: timedelta) -> None:
        """Let the venue cancel every order of `symbol` `after` this time unless called again.

        Zero ends it. Raise SettingRefused where the venue has none that is safe.
        """


class Account(Protocol):
    """Private reads of one account. A failed read raises; it never returns empty instead."""

    async def balances(self) -> Sequence[Balance]: ...

    async def positions(self) -> Sequence[VenuePosition]:
        """Return every open derivative position; spot holdings are balances."""

    async def fills(self, symbol: Symbol, *, since: datetime) -> Sequence[Fill]:
        """Return own executions after `since`, oldest first, all pages, funding rows excluded."""

    async def trace(self, fill: Fill) -> Fill:
        """Return the fill with its order's own id and cause, where the list of fills has neither.

        Asks once; a row that already says both comes back as it is.
        """

    async def funding_payments(
        self, contracts: Mapping[str, Symbol], *, since: datetime
    ) -> Sequence[FundingPayment]:
        """Return booked payments after `since`, oldest first, all pages, `payment` > 0 received.

        `contracts` are perpetuals by the venue's names, listed still or not. One question tells of
        them all: asking for each would use up a venue's limits with a handful of positions.
        """

    async def borrow_interest(self, *, since: datetime) -> Sequence[BorrowInterest]:
        """Return what was charged for borrowed assets after `since`, oldest first, all pages."""

    async def isolated_margin(self, symbol: Symbol) -> Decimal | None:
        """Return what stands behind one position alone; None in a cross account, or without one."""

    async def transfers(self, *, since: datetime) -> Sequence[AccountTransfer]:
        """Return what moved in (> 0) and out after `since`, oldest first; empty where untold."""

    async def fee_tier(self, symbol: Symbol) -> FeeTier:
        """Return the account's own maker and taker fee."""

    async def risk_tiers(self, symbols: Collection[Symbol]) -> Mapping[Symbol, TierLadder]:
        """Return the risk tiers of these contracts where the venue tells them to accounts alone."""

    async def check_key(self) -> KeyFacts:
        """Return what the venue says of the key.

        Raise CredentialRefused, with what to do, if it does not work, may withdraw or move money,
        may not trade, or if its account is in hedge mode; UnexpectedPayload if that is unreadable.
        """
