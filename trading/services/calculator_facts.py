"""The live facts with which a calculator is filled in, as they are typed there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.domain import FundingRate, InstrumentKind, Side
from exchanges.matching import tier_of
from exchanges.models import Instrument
from exchanges.risk_tiers import tiers_at
from exchanges.selectors import active_instruments, instrument_key
from trading.core.history import Frequency, probability_of_warning
from trading.core.money import for_display, plain
from trading.core.volatility import daily_volatility
from trading.services import market
from trading.services.depth_facts import levels_of, walked
from trading.services.seen import Seen
from trading.services.settled_past import settled_past
from trading.services.standing import Standing, standing_of
from trading.services.universe import Paired, half_touch

QUOTES = ("USDT", "USDC", "USD")
LEVERAGES = tuple(Decimal(times) for times in (1, 2, 3, 4, 5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One kind of market at one venue, as a picker offers it: `bybit:perpetual`."""

    value: str
    label: str


def listings() -> list[Listing]:
    """Return what of venues in use a leg may be taken from; dated futures are not offered."""
    rows = (
        active_instruments()
        .filter(kind__in=(InstrumentKind.PERPETUAL, InstrumentKind.SPOT))
        .order_by("exchange__code", "kind")
    )
    found = rows.values_list("exchange__code", "exchange__short_code", "kind").distinct()
    return [Listing(value=f"{code}:{kind}", label=f"{short} {kind}") for code, short, kind in found]


def find_instrument(base: str, listing: str) -> Instrument | None:
    """Return the market of a base at a picked listing, the commonest quote first."""
    code, _, kind = listing.partition(":")
    rows = active_instruments().filter(base=base, exchange__code=code, kind=kind)
    known = [row for row in rows if row.quote in QUOTES]
    return min(known, key=lambda row: QUOTES.index(row.quote), default=None)


def leg_facts(
    user: User, instruments: Mapping[str, Instrument], size_usd: Decimal, now: datetime
) -> dict[str, dict[str, str]]:
    """Return by leg name what is known of its instrument: price, rate, fee and the like.

    What is not known is left out, so that the page keeps what stands there. Slippage is of walking
    the order book for the size, of an unread one of its touch.
    """
    standing, listed = standing_of(user, now), list(instruments.values())
    seen = Seen(market.board_of(listed), market.depths_of(listed))
    return {
        leg: _facts(one, standing, seen.board, size_usd, now)
        | _slippage(leg, one, seen, size_usd, now)
        for leg, one in instruments.items()
    }


def daily_moves(base: str, now: datetime) -> Decimal | None:
    """Return the daily volatility of a base from the prices it settled at, None if too few."""
    prices = max((past.prices for past in settled_past(base, now)), key=len, default=())
    return daily_volatility([(bar.at, bar.price) for bar in prices])


def warning_odds(base: str, hold: timedelta, now: datetime) -> Sequence[tuple[Decimal, Frequency]]:
    """Return by leverage how many recorded windows of `hold` reached a margin warning."""
    prices = max((past.prices for past in settled_past(base, now)), key=len, default=())
    odds = ((times, probability_of_warning(prices, times, hold)) for times in LEVERAGES)
    return [(times, frequency) for times, frequency in odds if frequency is not None]


def _facts(
    instrument: Instrument, standing: Standing, board: Board, size_usd: Decimal, now: datetime
) -> dict[str, str]:
    """Return what is known of an instrument, its maintenance by the risk tier of the size."""
    kind = InstrumentKind(instrument.kind)
    row = market.row_of(board, instrument)
    fee = standing.taker_fee(instrument_key(instrument), kind)
    facts = {
        "fee": _percent(fee),
        "maintenance": _percent(instrument.maintenance_margin_rate),
    }
    if row is not None and row.book is not None:
        tiers = tiers_at(row.book.mid, instrument.ladder, instrument.snapshot())
        facts["price"] = plain(row.book.mid)
        facts["maintenance"] = _percent(tier_of(size_usd, tiers).maintenance_rate)
    if kind is not InstrumentKind.PERPETUAL:
        return facts | {"rate": "0", "interval": "", "next": "0"}
    return facts | ({} if row is None or row.funding is None else _funding(row.funding, now))


def _slippage(
    leg: str, instrument: Instrument, seen: Seen, size_usd: Decimal, now: datetime
) -> dict[str, str]:
    row = market.row_of(seen.board, instrument)
    if row is None or row.book is None:
        return {}
    mid, touch = row.book.mid, half_touch(row.book)
    depth = seen.depth(Paired(id=instrument.pk, instrument=instrument.snapshot()), now)
    sides = (Side.SELL, Side.BUY) if leg == "short" else (Side.BUY, Side.SELL)
    entry, leaving = (
        touch if depth is None else max(touch, walked(levels_of(depth, side), size_usd, mid))
        for side in sides
    )
    return {
        "slippage": _percent(for_display(entry, 6)),
        "exit_slippage": _percent(for_display(leaving, 6)),
    }


def _funding(rate: FundingRate, now: datetime) -> dict[str, str]:
    if rate.interval_seconds is None or rate.next_funding_at is None:
        return {"rate": _percent(rate.funding_rate)}
    wait = max(rate.next_funding_at - now, timedelta(0))
    return {
        "rate": _percent(rate.funding_rate),
        "interval": plain(for_display(Decimal(rate.interval_seconds) / 3600, 6)),
        "next": plain(for_display(Decimal(wait // timedelta(seconds=1)) / 60, 1)),
    }


def _percent(fraction: Decimal) -> str:
    return plain(fraction * 100)
