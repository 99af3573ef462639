"""Gates on the data behind a decision. Each returns a Refusal with its value, or None to pass."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import BookTop, FundingRate, IntervalSource, Quote
from trading.core.elapsed import elapsed
from trading.core.money import plain
from trading.core.refusal import Refusal
from trading.core.sentence import capitalised, hours, percent, seconds


def refuse_stale(
    what: str, observed_at: datetime, now: datetime, max_age: timedelta
) -> Refusal | None:
    """Refuse a fact older than `max_age`; `what` names it, as in `the book of X on Y`."""
    age = elapsed(observed_at, now)
    if age <= max_age:
        return None
    return Refusal(
        code="stale",
        sentence=f"{capitalised(what)} is {seconds(age)} old; the most is {seconds(max_age)}.",
    )


def refuse_bad_book(top: BookTop, now: datetime, max_age: timedelta) -> Refusal | None:
    """Refuse a book that is stale, empty or crossed."""
    if top.bid <= 0 or top.ask <= 0:
        return Refusal(
            code="empty_book", sentence=f"{top.symbol} on {top.venue} has a side without quotes."
        )
    if top.is_crossed:
        return Refusal(
            code="crossed_book",
            sentence=f"{top.symbol} on {top.venue} is crossed: bid {top.bid}, ask {top.ask}.",
        )
    return refuse_stale(f"the book of {top.symbol} on {top.venue}", top.observed_at, now, max_age)


def refuse_bad_funding(rate: FundingRate, now: datetime, max_age: timedelta) -> Refusal | None:
    """Refuse a rate that is stale or whose interval is not a known fact."""
    if rate.interval_source is IntervalSource.CONFLICTING:
        return Refusal(
            code="conflicting_interval",
            sentence=f"The funding interval of {rate.symbol} on {rate.venue} is contradictory.",
        )
    if not rate.is_tradable:
        return Refusal(
            code="unknown_interval",
            sentence=f"The funding interval of {rate.symbol} on {rate.venue} is not known.",
        )
    return refuse_stale(
        f"the funding rate of {rate.symbol} on {rate.venue}", rate.observed_at, now, max_age
    )


def refuse_implausible(what: str, value: Decimal, max_spread: Decimal) -> Refusal | None:
    """Refuse a price gap or funding spread that is too large to be true."""
    if abs(value) <= max_spread:
        return None
    return Refusal(
        code="implausible",
        sentence=(
            f"{capitalised(what)} is {percent(value, 2)}, beyond the plausible "
            f"{percent(max_spread, 2)}: probably bad data."
        ),
    )


def refuse_slow_venue(venue: str, latency: timedelta, most: timedelta) -> Refusal | None:
    """Refuse a venue whose answers take longer than `most`."""
    if latency <= most:
        return None
    return Refusal(
        code="slow_venue",
        sentence=f"{venue} takes {seconds(latency)} to answer; the most is {seconds(most)}.",
    )


def refuse_near_expiry(
    what: str, expires_at: datetime | None, now: datetime, lead: timedelta
) -> Refusal | None:
    """Refuse a dated contract that would have to be left at once, or whose end is not known."""
    if expires_at is None:
        return Refusal(code="unknown_expiry", sentence=f"{what} does not say when it expires.")
    if expires_at - now > lead:
        return None
    return Refusal(
        code="expires_soon",
        sentence=(
            f"{what} expires in {hours(max(expires_at - now, timedelta(0)))}; positions are left "
            f"{hours(lead)} before."
        ),
    )


def refuse_bad_mark(
    what: str, quote: Quote | None, now: datetime, max_age: timedelta
) -> Refusal | None:
    """Refuse a contract whose mark price is missing or stale: its price cannot be judged."""
    if quote is None:
        return Refusal(code="no_data", sentence=f"No mark price of {what} has arrived yet.")
    return refuse_stale(f"the mark price of {what}", quote.observed_at, now, max_age)


def refuse_off_mark(what: str, mid: Decimal, quote: Quote, most: Decimal) -> Refusal | None:
    """Refuse a price further than `most` from the venue's own mark or index price."""
    for name, price in (("mark", quote.mark_price), ("index", quote.index_price)):
        if price is not None and abs(mid - price) > most * price:
            return Refusal(
                code="off_mark",
                sentence=(
                    f"{capitalised(what)} stands at {plain(mid)}, {percent(mid / price - 1, 2)} "
                    f"from its {name} price of {plain(price)}; the most is {percent(most, 2)}."
                ),
            )
    return None
