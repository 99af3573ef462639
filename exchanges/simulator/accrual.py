"""Funding that is owed all along: what a position has earned since it was last paid.

The rate of a period holds from its beginning on, in dollars a unit: it is a part of the index at
that moment.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.matching import funding_payment
from exchanges.simulator.accounts import Account, FundingRow, HoldingRow
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import Listing
from exchanges.simulator.market import Market, next_settlement
from exchanges.simulator.wire import milliseconds

STEP = Decimal("1e-10")
# When in UTC who pays daily pays.
PAYDAY_BEGINS, DAY = timedelta(hours=8), timedelta(days=1)
# Entries of one millisecond in an account's log.
ENTRIES = 1000

Period = tuple[datetime, datetime]


def period_of(market: Market, listing: Listing, at: datetime) -> Period:
    """Return the beginning and the end of the funding period that `at` falls in, or ends."""
    interval = market.interval(listing)
    ends = next_settlement(at - timedelta.resolution, interval)
    return ends - interval, ends


def accrued(
    row: HoldingRow, *, price: Decimal, rate: Decimal, period: Period, to: datetime
) -> Decimal:
    """Return what a position has earned in its period up to `to`, > 0 where it is received."""
    since = max(period[0], row.updated_at)
    held, whole_period = to - since, period[1] - period[0]
    share = Decimal(held // timedelta.resolution) / (whole_period // timedelta.resolution)
    whole = funding_payment(
        position_base=row.base_quantity, settlement_price=price, funding_rate=rate
    )
    return (whole * share).quantize(STEP)


def day_began(at: datetime) -> datetime:
    """Return the last 08:00 UTC before `at`, where one day of accruing begins."""
    before = at - timedelta.resolution - PAYDAY_BEGINS
    return before.replace(hour=0, minute=0, second=0, microsecond=0) + PAYDAY_BEGINS


def is_paid(listing: Listing, settled_at: datetime) -> bool:
    """Tell whether what has accrued is paid at the end of this period."""
    return not listing.habits.pays_daily or settled_at == day_began(settled_at) + DAY


def earned(
    ledger: Ledger, market: Market, listing: Listing, row: HoldingRow, *, to: datetime
) -> Decimal:
    """Return what a position has earned since it was last paid, > 0 where it is received."""
    is_daily = listing.habits.pays_daily
    told = {one.settled_at: one for one in ledger.settlements(listing.key)} if is_daily else {}
    began = day_began(to) if is_daily else period_of(market, listing, to)[0]
    at, total = max(began, row.updated_at), Decimal(0)
    while at < to:
        begins, ends = period = period_of(market, listing, at + timedelta.resolution)
        known = told.get(ends)
        price = known.settlement_price if known else market.index(listing, begins)
        rate = known.funding_rate if known else market.settled_rate(listing, ends)
        total += accrued(row, price=price, rate=rate, period=period, to=min(ends, to))
        at = ends
    return total


def realise(
    ledger: Ledger, market: Market, account: Account, listing: Listing, *, trade: int, now: datetime
) -> None:
    """Pay what a position has earned, since it is about to change by the execution `trade`."""
    if not listing.habits.accrues:
        return
    row = ledger.holding_row(account.api_key, listing.key)
    if row is None:
        return
    begins, ends = period_of(market, listing, now)
    price, rate = market.index(listing, begins), market.settled_rate(listing, ends)
    payment = earned(ledger, market, listing, row, to=now)
    if not payment:
        return
    number = len(ledger.funding) + 1
    account.credit(listing.wallet, listing.settle, payment)
    ledger.add_funding(
        FundingRow(
            number=number,
            venue_payment_id=payment_id(listing, number, now),
            api_key=account.api_key,
            venue=listing.venue,
            symbol=listing.symbol,
            asset=listing.settle,
            position_base=row.base_quantity,
            settlement_price=price,
            funding_rate=rate,
            payment=payment,
            settled_at=now,
            trade_number=trade,
        )
    )


def payment_id(listing: Listing, number: int, at: datetime) -> str:
    """Return the venue's name of its payment with this number."""
    return listing.habits.payment_id.format(
        number=9_000_000_000 + number,
        stamp=milliseconds(at),
        symbol=listing.symbol,
        entry=entry_id(number, at),
    )


def entry_id(number: int, at: datetime) -> int:
    """Return the number of an entry in an account's log, which grows with time."""
    return milliseconds(at) * ENTRIES + number % ENTRIES
