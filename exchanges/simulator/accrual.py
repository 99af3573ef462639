"""Funding that is owed all along: what a position has earned since it was last paid.

The rate of a period holds from its beginning on, in dollars a unit: it is a part of the index at
that moment. Where funding is paid daily a pin may let the rate move within its hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.matching import funding_payment
from exchanges.simulator.accounts import Account, FundingRow, HoldingRow
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import Listing
from exchanges.simulator.market import Market, next_settlement
from exchanges.simulator.wire import milliseconds

STEP, ZERO = Decimal("1e-10"), Decimal(0)
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


def share_of(period: Period, since: datetime, to: datetime, *, skew: Decimal = ZERO) -> Decimal:
    """Return which part of a period's funding is owed from one of its instants to another.

    At a skew of 1 the rate rises from nothing to twice its mean, at 0 it stands.
    """
    whole = (period[1] - period[0]) // timedelta.resolution

    def until(at: datetime) -> Decimal:
        passed = Decimal((at - period[0]) // timedelta.resolution) / whole
        return passed + skew * (passed * passed - passed)

    return until(to) - until(since)


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
    began = day_began(to) if is_daily else period_of(market, listing, to)[0]
    total = ZERO
    for price, rate in _owed(ledger, market, listing, max(began, row.updated_at), to):
        total += funding_payment(
            position_base=row.base_quantity, settlement_price=price, funding_rate=rate
        ).quantize(STEP)
    return total


def owed_between(
    ledger: Ledger, market: Market, listing: Listing, since: datetime, until: datetime
) -> Decimal:
    """Return what was owed between two instants, as a fraction of the index."""
    return sum((rate for _, rate in _owed(ledger, market, listing, since, until)), ZERO)


def _owed(
    ledger: Ledger, market: Market, listing: Listing, since: datetime, until: datetime
) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield the price of each period and what was owed in the part of it that a span holds."""
    is_daily, pin = listing.habits.pays_daily, ledger.pins.get(listing.key)
    told = {one.settled_at: one for one in ledger.settlements(listing.key)} if is_daily else {}
    skew = (pin.funding_skew if pin and is_daily else None) or ZERO
    while since < until:
        begins, ends = period = period_of(market, listing, since + timedelta.resolution)
        known = told.get(ends)
        price = known.settlement_price if known else market.index(listing, begins)
        rate = known.funding_rate if known else market.settled_rate(listing, ends)
        yield price, rate * share_of(period, since, min(ends, until), skew=skew)
        since = ends


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
