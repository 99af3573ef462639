"""One recorded instrument as a strategy sees it, at any moment of its past.

The rate of the coming settlement counts as predicted right: shortly before a settlement venues'
predictions hardly differ from what they settle. Of prices only what was recorded by then is known;
an order is filled at the first one after it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from exchanges.domain import BookTop, FundingRate, IntervalSource, Side
from trading.core.funding import SettledRate, rate_per_interval, settled_rates_8h
from trading.core.history import running_averages
from trading.research.recorded import RecordedLeg
from trading.strategies.base import InstrumentFacts

ONE, ZERO = Decimal(1), Decimal(0)
PLENTY = Decimal(1_000_000)
# Bid and ask are never the same.
LEAST_HALF = Decimal("1e-9")
MOST_INTERVALS = 2
"""A settlement that is later than this many usual intervals has a gap before it."""
PRICES_LAST = timedelta(hours=8)
"""The spacing of the recorded bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingCost:
    """What every order of every leg costs, as fractions: the fee, and the way from mid to fill."""

    fee: Decimal
    slippage: Decimal

    def touch(self, mid: Decimal, *, is_bought: bool) -> Decimal:
        """Return the price at which an order is filled at this mid."""
        half = max(self.slippage, LEAST_HALF)
        return mid * (1 + half) if is_bought else mid * (1 - half)


class Tape:
    """A recorded leg, indexed by time."""

    def __init__(self, leg: RecordedLeg, half_life: timedelta) -> None:
        self.instrument = leg.instrument
        self.rates: tuple[SettledRate, ...] = settled_rates_8h(leg.settled)
        self.times = [rate.settled_at for rate in self.rates]
        self._prices = leg.prices
        self._priced_at = sorted(leg.prices)
        self._averages = running_averages(self.rates, half_life)
        usual = median(rate.interval_seconds for rate in self.rates) if self.rates else 0
        self.spacing = timedelta(seconds=usual)
        self._longest = usual * MOST_INTERVALS

    def facts(self, now: datetime, cost: TradingCost) -> InstrumentFacts | None:
        """Return what was known at `now`; None within a gap."""
        price = self.known_price(now)
        index = bisect_right(self.times, now)
        if price is None or (self.rates and not self._is_covered(index)):
            return None
        return InstrumentFacts(
            instrument=self.instrument,
            funding=self._coming(index, now) if self.rates else None,
            book=self._book(price, cost, now),
            taker_fee=cost.fee,
            slippage=cost.slippage,
            carry_8h=self._averages[index - 1] if self.rates else None,
            borrow_rate_per_hour=None,
        )

    def price(self, at: datetime) -> Decimal | None:
        """Return the price of the bar that opened at this very instant."""
        return self._prices.get(at) if self._prices else ONE

    def known_price(self, now: datetime) -> Decimal | None:
        """Return the last price that was recorded by `now`, None where that is long ago."""
        if not self._prices:
            return ONE
        index = bisect_right(self._priced_at, now) - 1
        if index < 0 or now - self._priced_at[index] > PRICES_LAST:
            return None
        return self._prices[self._priced_at[index]]

    def paid(self, side: Side, since: datetime, until: datetime) -> Decimal:
        """Return what the settlements in (since, until] paid, as a fraction of the notional."""
        rates = self.rates[bisect_right(self.times, since) : bisect_right(self.times, until)]
        paid = (rate_per_interval(rate.rate_8h, rate.interval_seconds) for rate in rates)
        return -side.sign * sum(paid, ZERO)

    def _is_covered(self, index: int) -> bool:
        """Tell whether the settlement before and the one to come are both on record."""
        if not 0 < index < len(self.rates):
            return False
        return self.rates[index].interval_seconds < self._longest

    def _coming(self, index: int, now: datetime) -> FundingRate:
        coming = self.rates[index]
        return FundingRate(
            venue=self.instrument.venue,
            symbol=self.instrument.symbol,
            funding_rate=rate_per_interval(coming.rate_8h, coming.interval_seconds),
            interval_seconds=coming.interval_seconds,
            interval_source=IntervalSource.VENUE,
            next_funding_at=coming.settled_at,
            observed_at=now,
        )

    def _book(self, price: Decimal, cost: TradingCost, now: datetime) -> BookTop:
        return BookTop(
            venue=self.instrument.venue,
            symbol=self.instrument.symbol,
            bid=cost.touch(price, is_bought=False),
            bid_quantity=PLENTY,
            ask=cost.touch(price, is_bought=True),
            ask_quantity=PLENTY,
            observed_at=now,
        )
