"""When a settle asset is no dollar any more: `docs/DOMAIN.md` section 1.

A rate between two stablecoins tells that one of them left its peg and not which: both count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from trading.core.money import plain
from trading.core.refusal import Refusal
from trading.core.sentence import percent, seconds

BARS_ENTRIES, CRITICAL = Decimal("0.005"), Decimal("0.01")
# It is read every ten seconds: what is older was not told for a while.
RATES_LAST = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class StablecoinRate:
    """What one `asset` is worth in another stablecoin at one venue."""

    venue: str
    asset: str
    against: str
    mid: Decimal
    observed_at: datetime


def deviation(rate: StablecoinRate) -> Decimal:
    """Return how far the rate is from one to one, as a fraction, >= 0."""
    return abs(rate.mid - 1)


def worst_rate(
    rates: Iterable[StablecoinRate], assets: Collection[str], now: datetime
) -> StablecoinRate | None:
    """Return the fresh rate of one of these assets that is farthest from one to one."""
    fresh = [
        rate
        for rate in rates
        if (rate.asset in assets or rate.against in assets)
        and abs(now - rate.observed_at) <= RATES_LAST
    ]
    return max(fresh, key=deviation, default=None)


def refuse_depeg(
    rates: Collection[StablecoinRate], settled_in: Collection[str], now: datetime
) -> Refusal | None:
    """Refuse legs whose settle asset left its peg, or of which nobody has told it lately.

    Where no market of it is known nothing is refused: nobody here can tell.
    """
    known = [one for one in rates if one.asset in settled_in or one.against in settled_in]
    if not known:
        return None
    worst = worst_rate(known, settled_in, now)
    if worst is None:
        newest = max(known, key=lambda rate: rate.observed_at)
        return Refusal(
            code="peg_unread",
            sentence=f"What {newest.asset} is worth in {newest.against} was read "
            f"{seconds(now - newest.observed_at)} ago, longer than {seconds(RATES_LAST)}.",
        )
    if deviation(worst) < BARS_ENTRIES:
        return None
    return Refusal(
        code="depeg",
        sentence=f"{depeg_sentence(worst)}; nothing is opened from {percent(BARS_ENTRIES, 2)} on.",
    )


def depeg_sentence(rate: StablecoinRate) -> str:
    """Say what the rate is, where, and how far off."""
    return (
        f"1 {rate.asset} is {plain(rate.mid)} {rate.against} at {rate.venue}, "
        f"{percent(deviation(rate), 2)} off its peg"
    )
