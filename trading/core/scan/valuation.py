"""What each instrument brings by itself, as the long and as the short leg of a pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exchanges.domain import InstrumentKind
from trading.core.scan.facts import ALWAYS, NEVER, Floats, ScanFacts
from trading.core.scan.settings import SECONDS_PER_8H, ScanSettings, hours_begun

WHOLE = slice(None)
SHORT, LONG = 0, 1
Along = tuple[slice | None, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """What instruments bring over a hold of its own length; `rate_8h` is expected of funding."""

    rate_8h: Floats
    long: Floats
    short: Floats


class Valuation:
    """Values the instruments of one set of facts, all of them or one at a time.

    `price` and `worth` [role, slot, base] are each instrument's mid and its return over the
    horizon, first as a short and then as a long leg; of a long leg the inverse of the mid. What
    cannot be trusted is worth -inf in both roles. `hold` [slot, base] is for how long it can be
    held, seconds, and `left` how long it lasts. `now` [base] is when a base was valued.
    """

    def __init__(self, facts: ScanFacts, settings: ScanSettings) -> None:
        self.facts, self.settings = facts, settings
        slots, bases = len(facts.slots), len(facts.bases)
        self.price: Floats = np.ones((2, slots, bases))
        self.worth: Floats = np.full((2, slots, bases), NEVER)
        self.hold: Floats = np.full((slots, bases), settings.horizon)
        self.left: Floats = np.full((slots, bases), ALWAYS)
        self.now: Floats = np.zeros(bases)
        # When what is known of an instrument ends to be true by the clock alone.
        self.until: Floats = np.full((slots, bases), ALWAYS)
        self.own_price, self.own_worth = np.empty((2, 2, 1))
        """Price and worth of the instrument that was valued last, first as a long leg."""
        self._work: Floats = np.empty((8, slots, bases))
        self._perpetuals = facts.of_kind(InstrumentKind.PERPETUAL)
        self._futures = facts.of_kind(InstrumentKind.FUTURE)
        self._hours_begun = float(hours_begun(np.array(settings.horizon)))

    def value(self, bases: slice, now: float) -> None:
        """Value every instrument of some bases."""
        settings, rows = self.settings, self.facts.rows[:, :, bases]
        book_at, cost = rows[0], rows[4]
        bid, ask, borrow, expires = rows[7:11]
        until, mid = self._work[6:, :, bases]
        short, long = self.worth[:, :, bases]
        np.add(book_at, settings.max_book_age, out=until)
        np.multiply(borrow, -self._hours_begun, out=short)
        short -= cost
        np.negative(cost, out=long)
        next_count = self._fund(bases, now, until)
        if self.facts.is_dated:
            self._end(bases, expires, now)
            np.minimum(until, expires - settings.expiry_lead, out=until)
        lost = ~(ask > bid)
        lost |= until <= now
        np.add(bid, ask, out=mid)
        mid *= 0.5
        np.copyto(mid, 1.0, where=lost)
        self.price[0, :, bases] = mid
        np.divide(1.0, mid, out=self.price[1, :, bases])
        for worth in (short, long):
            np.copyto(worth, NEVER, where=lost)
            # What is NaN, of a fact that nobody knows, is not above anything.
            np.fmax(worth, NEVER, out=worth)
        funded = until[self._perpetuals]
        np.fmin(funded, next_count, out=funded)
        np.copyto(until, ALWAYS, where=lost)
        self.until[:, bases] = until

    def _fund(self, bases: slice, now: float, until: Floats) -> Floats:
        """Add what perpetuals settle; return when one more of their settlements begins to count."""
        settings, rows = self.settings, self.facts.rows[:, self._perpetuals, bases]
        rate_at, next_funding, interval, _, carry, predicted = rows[1:7]
        length, coming, later, count, more, steady = self._work[:6, self._perpetuals, bases]
        short, long = self.worth[:, self._perpetuals, bases]
        np.divide(interval, SECONDS_PER_8H, out=length)
        np.multiply(predicted, length, out=coming)
        if settings.beta is None:
            later[:] = coming
        else:
            np.multiply(carry, settings.beta, out=later)
            later *= length
        # Settlements in (now, now + horizon].
        np.subtract(now + settings.horizon, next_funding, out=count)
        count /= interval
        np.floor(count, out=count)
        count += 1
        np.maximum(count, 0, out=count)
        # The coming one uses its predicted rate only where that lowers the result.
        np.subtract(coming, later, out=more)
        more *= np.minimum(count, 1, out=coming)
        np.multiply(count, later, out=steady)
        short += steady
        short += np.minimum(more, 0, out=coming)
        long -= steady
        long -= np.maximum(more, 0, out=coming)
        known = until[self._perpetuals]
        np.minimum(known, np.add(rate_at, settings.max_rate_age, out=coming), out=known)
        np.minimum(known, next_funding, out=known)
        count *= interval
        count += next_funding
        count -= settings.horizon
        grows: Floats = count
        return grows

    def value_one(self, slot: int, base: int, now: float) -> None:
        """Value one undated instrument as `value` does: arrays of one element cost more."""
        settings = self.settings
        facts = self.facts.rows[:10, slot, base].tolist()
        book_at, rate_at, next_funding, interval, cost, carry, predicted, bid, ask, borrow = facts
        mid, long, short, until = 1.0, NEVER, NEVER, ALWAYS
        known = min(book_at + settings.max_book_age, rate_at + settings.max_rate_age, next_funding)
        if known > now and ask > bid:
            mid, until = (bid + ask) * 0.5, known
            length = interval / SECONDS_PER_8H
            coming = predicted * length
            later = coming if settings.beta is None else carry * settings.beta * length
            count, more = 0.0, 0.0
            if now + settings.horizon >= next_funding:
                count = (now + settings.horizon - next_funding) // interval + 1
                more = coming - later
                until = min(until, next_funding + count * interval - settings.horizon)
            # NaN, of a fact that nobody knows, ends in NaN and fails the comparison below.
            steady = count * later
            short = min(more, 0.0) + steady - (cost + borrow * self._hours_begun)
            long = -(max(more, 0.0) + steady + cost)
        self.until[slot, base] = until
        self.price[0, slot, base] = self.own_price[1, 0] = mid
        self.price[1, slot, base] = self.own_price[0, 0] = 1 / mid
        self.worth[0, slot, base] = self.own_worth[1, 0] = short if short > NEVER else NEVER
        self.worth[1, slot, base] = self.own_worth[0, 0] = long if long > NEVER else NEVER

    def within(self, slots: slice, bases: slice, along: Along, hold: Floats) -> Held:
        """Return what instruments bring that are held for `hold`, as `value` has it.

        `along` gives [slot, base] the axes of `hold`, of which the last is the base.
        """
        rows = self.facts.rows[:10, slots, bases][(WHOLE, *along)]
        next_funding, interval, cost, carry, predicted = rows[2:7]
        length = interval / SECONDS_PER_8H
        coming = predicted * length
        rate_8h = predicted
        if self.settings.beta is not None:
            rate_8h = carry * self.settings.kept(hold)
        later = rate_8h * length
        count = self.now[bases] + hold - next_funding
        count /= interval
        np.floor(count, out=count)
        count += 1
        np.maximum(count, 0, out=count)
        more = (coming - later) * np.minimum(count, 1)
        steady = count * later - cost
        long = -2 * cost - steady
        long -= np.maximum(more, 0)
        steady += np.minimum(more, 0)
        if rows[9].any():
            steady = steady - rows[9] * hours_begun(hold)
        worth = self.worth[:, slots, bases]
        return Held(
            rate_8h=rate_8h,
            long=np.where(worth[LONG][along] > NEVER, long, NEVER),
            short=np.where(worth[SHORT][along] > NEVER, steady, NEVER),
        )

    def _end(self, bases: slice, expires: Floats, now: float) -> None:
        """Say how long dated contracts last, and that they are left before their end."""
        dated = (self._futures, bases)
        self.now[bases] = now
        # Of what has ended nothing is counted; a second of it divides well.
        left = np.maximum(expires[self._futures] - now, 1.0, out=self.left[dated])
        np.minimum(left - self.settings.expiry_lead, self.settings.horizon, out=self.hold[dated])
