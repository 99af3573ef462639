"""Funding, liquidations and delistings: what venues do to accounts without being asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from exchanges.matching import funding_payment
from exchanges.simulator.accounts import (
    Account,
    FundingRow,
    HoldingRow,
    Order,
    Origin,
    SettlementRow,
)
from exchanges.simulator.accrual import earned, is_paid, payment_id
from exchanges.simulator.engine import Engine
from exchanges.simulator.events import AccountEvent, Happening
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import Listing
from exchanges.simulator.margin import margin_state, state_behind
from exchanges.simulator.market import Market, next_settlement
from exchanges.simulator.pins import PinnedMarket

SETTLED_UNTIL = "settled_until"


class FundingClock:
    """Books every settlement exactly once, those missed while stopped included."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        market: PinnedMarket,
        tell: Callable[[AccountEvent], None],
        started_at: datetime,
    ) -> None:
        self._ledger = ledger
        self._market = market
        self._tell = tell
        stored = ledger.meta(SETTLED_UNTIL)
        self._settled_until = datetime.fromisoformat(stored) if stored else started_at
        if stored is None:
            ledger.put_meta(SETTLED_UNTIL, started_at.isoformat())
            ledger.commit()
        self._perpetuals = [
            row for row in market.listings.values() if row.is_perpetual and not row.is_inverse
        ]
        self._due_at = self._next_due()

    def settle_due(self, now: datetime) -> None:
        """Book all settlements of (settled until, now], in order of time."""
        if now < self._due_at:
            return
        due = [
            (settlement_at, listing)
            for listing in self._perpetuals
            for settlement_at in self._times(listing, now)
        ]
        for settlement_at, listing in sorted(due, key=lambda row: row[0]):
            self._settle(listing, settlement_at)
        self._settled_until = now
        self._due_at = self._next_due()
        self._ledger.put_meta(SETTLED_UNTIL, now.isoformat())
        self._ledger.commit()

    def _times(self, listing: Listing, now: datetime) -> list[datetime]:
        interval = self._market.interval(listing)
        times = []
        settlement_at = next_settlement(self._settled_until, interval)
        while settlement_at <= now:
            times.append(settlement_at)
            settlement_at += interval
        return times

    def _next_due(self) -> datetime:
        return min(
            next_settlement(self._settled_until, self._market.interval(listing))
            for listing in self._perpetuals
        )

    def _settle(self, listing: Listing, settlement_at: datetime) -> None:
        rate = self._market.settled_rate(listing, settlement_at)
        price = settlement_price(self._market, listing, settlement_at)
        row = SettlementRow(
            venue=listing.venue,
            symbol=listing.symbol,
            funding_rate=rate,
            settlement_price=price,
            settled_at=settlement_at,
        )
        self._ledger.add_settlement(row)
        if not is_paid(listing, settlement_at):
            return
        for holding in self._ledger.holdings(venue=listing.venue):
            if holding.symbol == listing.symbol:
                self._pay(listing, holding, row)

    def _due(self, listing: Listing, holding: HoldingRow, settlement: SettlementRow) -> Decimal:
        """Return what a holding is paid: for its whole period, or for what is not yet realised."""
        if listing.habits.accrues:
            to = settlement.settled_at
            return earned(self._ledger, self._market, listing, holding, to=to)
        return funding_payment(
            position_base=holding.base_quantity,
            settlement_price=settlement.settlement_price,
            funding_rate=settlement.funding_rate,
        )

    def _pay(self, listing: Listing, holding: HoldingRow, settlement: SettlementRow) -> None:
        account = self._ledger.accounts[holding.api_key]
        number = len(self._ledger.funding) + 1
        row = FundingRow(
            number=number,
            venue_payment_id=payment_id(listing, number, settlement.settled_at),
            api_key=account.api_key,
            venue=listing.venue,
            symbol=listing.symbol,
            asset=listing.settle,
            position_base=holding.base_quantity,
            settlement_price=settlement.settlement_price,
            funding_rate=settlement.funding_rate,
            payment=self._due(listing, holding, settlement),
            settled_at=settlement.settled_at,
        )
        account.credit(listing.wallet, listing.settle, row.payment)
        self._ledger.add_funding(row)
        self._ledger.put_account(account)
        event = AccountEvent(
            happening=Happening.FUNDING,
            account=account,
            venue=listing.venue,
            at=settlement.settled_at,
            funding=row,
        )
        self._tell(event)


def settlement_price(market: Market, listing: Listing, settlement_at: datetime) -> Decimal:
    """Return the price a settlement counts by; what accrues is counted from its period's begin."""
    if listing.habits.accrues:
        settlement_at -= market.interval(listing)
    at_index = listing.habits.settles_at_index
    return (market.index if at_index else market.mark)(listing, settlement_at)


def liquidate_weak(ledger: Ledger, market: PinnedMarket, engine: Engine, *, now: datetime) -> None:
    """Close holdings of every wallet, and isolated ones, below their maintenance margin."""
    exposed = {(row.api_key, row.venue) for row in ledger.holdings()}
    for api_key, venue in sorted(exposed):
        account = ledger.accounts[api_key]
        if margin_state(ledger, market, account, venue=venue, now=now).is_liquidatable:
            _liquidate_wallet(ledger, market, engine, account, venue, now)
    for row in ledger.holdings():
        account = ledger.accounts[row.api_key]
        alone = account.is_isolated(row.venue, row.symbol)
        if alone and state_behind(ledger, market, account, row, now=now).is_liquidatable:
            listing = market.listings[(row.venue, row.symbol)]
            engine.close_by_venue(account, listing, Origin.LIQUIDATION, now=now)


def _liquidate_wallet(
    ledger: Ledger,
    market: PinnedMarket,
    engine: Engine,
    account: Account,
    venue: str,
    now: datetime,
) -> None:
    """Cancel the wallet's orders, then close its largest holdings until the rest is safe."""
    for order in ledger.open_orders(api_key=account.api_key, venue=venue):
        engine.cancel(account, order, now=now)

    def notional(row: HoldingRow) -> Decimal:
        return abs(row.base_quantity) * market.mark(market.listings[(row.venue, row.symbol)], now)

    rows = [
        row
        for row in ledger.holdings(api_key=account.api_key, venue=venue)
        if not account.is_isolated(venue, row.symbol)
    ]
    for row in sorted(rows, key=notional, reverse=True):
        if not margin_state(ledger, market, account, venue=venue, now=now).is_liquidatable:
            return
        listing = market.listings[(row.venue, row.symbol)]
        engine.close_by_venue(account, listing, Origin.LIQUIDATION, now=now)


def delist(
    ledger: Ledger,
    engine: Engine,
    listing: Listing,
    *,
    price: Decimal | None,
    now: datetime,
    origin: Origin = Origin.SETTLEMENT,
) -> list[Order]:
    """Cancel every order in an instrument and settle every holding at one price."""
    for order in ledger.open_orders(venue=listing.venue, symbol=listing.symbol):
        engine.cancel(ledger.accounts[order.api_key], order, now=now)
    holders = [row for row in ledger.holdings(venue=listing.venue) if row.symbol == listing.symbol]
    settled = [
        engine.close_by_venue(ledger.accounts[row.api_key], listing, origin, price=price, now=now)
        for row in holders
    ]
    return [order for order in settled if order is not None]
