"""What is read of venues: which are in use, what they list, what their market says now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.db.models import Max, QuerySet
from redis import ConnectionPool, Redis

from exchanges.board import Board, Key
from exchanges.domain import BorrowRate, InstrumentKind, PremiumTerms, Symbol
from exchanges.models import (
    Activity,
    Exchange,
    HourlyBorrowRate,
    HourlyMid,
    Instrument,
    MidBar,
    RiskTiers,
    StablecoinRate,
)
from exchanges.modes import Mode
from exchanges.risk_tiers import TierLadder
from exchanges.venues import PROFILES, profile
from exchanges.venues.profile import UNASKED

DAY = timedelta(hours=24)
BAR = timedelta(hours=8)
"""How long a `MidBar` is."""

# A rate that nobody has confirmed for so long says nothing: the asset counts as not lent.
BORROW_RATES_LAST = timedelta(minutes=10)

# One that nobody has told for so long bounds nothing.
OPEN_INTEREST_LASTS = timedelta(minutes=10)

Bar = tuple[datetime, Decimal, Decimal, Decimal]
"""Start, first mid, lowest and highest."""

# What linear contracts are margined in; each is meant to be a dollar.
STABLECOINS = ("USDT", "USDC", "USD")

LoanKey = tuple[str, str]
"""Venue and asset."""


class TiersTold(NamedTuple):
    """To whom a venue tells its risk tiers."""

    to_everybody: bool
    to_accounts: bool
    at_once: bool


_stand_ins: list[Redis] = []


def stand_in_for_board(redis: Redis | None) -> None:
    """Serve this process's board from `redis`, as the simulation does; None: the real one again."""
    _stand_ins[:] = [redis] if redis is not None else []
    board_redis.cache_clear()


@cache
def board_redis() -> Redis:
    """Return this process's connection to the board, pooled and with short time limits."""
    if _stand_ins:
        return _stand_ins[0]
    pool = ConnectionPool.from_url(
        settings.REDIS_URL, socket_timeout=1.0, socket_connect_timeout=1.0
    )
    return Redis(connection_pool=pool)


def enabled_exchanges() -> list[Exchange]:
    return list(Exchange.objects.filter(is_enabled=True))


def trading_exchanges(mode: Mode) -> list[Exchange]:
    """Return the exchanges in use where orders are taken in a mode."""
    return [exchange for exchange in enabled_exchanges() if not read_only(exchange.code, mode)]


def exchanges_with_spot() -> list[Exchange]:
    """Return the exchanges in use that list spot markets now."""
    spot = Instrument.objects.filter(kind=InstrumentKind.SPOT, is_active=True)
    listing = Exchange.objects.filter(is_enabled=True, instruments__in=spot)
    return list(listing.distinct())


def active_instruments() -> QuerySet[Instrument]:
    """Return what is listed now at exchanges in use, with the exchange."""
    return Instrument.objects.filter(is_active=True, exchange__is_enabled=True).select_related(
        "exchange"
    )


def perpetuals() -> QuerySet[Instrument]:
    return active_instruments().filter(kind=InstrumentKind.PERPETUAL)


def instrument_key(instrument: Instrument) -> Key:
    return (instrument.exchange.code, Symbol(instrument.symbol))


def bases(instruments: Iterable[Instrument]) -> dict[Key, str]:
    """Return the base asset of each instrument, as the board wants to know it."""
    return {instrument_key(instrument): instrument.base for instrument in instruments}


def market_board() -> Board:
    """Return the whole board as Redis has it. Raise RedisError when Redis does not answer."""
    board = Board.load(board_redis(), [exchange.code for exchange in enabled_exchanges()])
    board.set_bases(bases(active_instruments()))
    return board


def settlement_slack(instrument: Instrument) -> timedelta:
    """Return how far from a settlement its venue may still count, or no longer count, a fill."""
    return profile(instrument.exchange.code).settlement_slack


def daily_payers() -> list[str]:
    """Return the venues that pay once a day what accrues by the hour."""
    return [name for name, known in PROFILES.items() if known.pays_daily_at is not None]


def pays_daily(instrument: Instrument) -> bool:
    return instrument.exchange.code in daily_payers()


def payment_at(instrument: Instrument, settled_at: datetime) -> datetime:
    """Return when what is due at a settlement is paid: then, or where the day of it ends."""
    daily = profile(instrument.exchange.code).pays_daily_at
    if daily is None:
        return settled_at
    # An hour's end may be stamped a moment late.
    moment = settled_at - settlement_slack(instrument)
    pays_at = datetime.combine(moment.astimezone(UTC).date(), daily, UTC)
    return pays_at if pays_at >= moment else pays_at + DAY


def last_settlements() -> Mapping[Key, datetime]:
    """Return when each perpetual settled last, as far as it is stored."""
    rows = perpetuals().annotate(last=Max("settled__settled_at")).exclude(last=None)
    return {instrument_key(instrument): instrument.last for instrument in rows}


def mids(since: datetime, before: datetime) -> Iterator[tuple[Key, datetime, Decimal]]:
    """Return the hourly mids of `since` <= hour < `before` of what is listed now."""
    rows = HourlyMid.objects.filter(
        hour_at__gte=since,
        hour_at__lt=before,
        instrument__is_active=True,
        instrument__exchange__is_enabled=True,
    ).values_list("instrument__exchange__code", "instrument__symbol", "hour_at", "mid")
    return (((venue, Symbol(symbol)), at, mid) for venue, symbol, at, mid in rows.iterator())


def bar_start(at: datetime) -> datetime:
    """Return when the bar that `at` falls into began; bars before it have ended."""
    hours = BAR // timedelta(hours=1)
    return at.replace(hour=at.hour // hours * hours, minute=0, second=0, microsecond=0)


def mid_bars(since: datetime, before: datetime) -> Iterator[tuple[Key, Bar]]:
    """Return the bars of what is listed now that began in `since` <= start < `before`, in order."""
    rows = MidBar.objects.filter(
        starts_at__gte=since,
        starts_at__lt=before,
        instrument__is_active=True,
        instrument__exchange__is_enabled=True,
    ).values_list(
        "instrument__exchange__code", "instrument__symbol", "starts_at", "first", "low", "high"
    )
    return (
        ((venue, Symbol(symbol)), (at, first, low, high))
        for venue, symbol, at, first, low, high in rows.iterator()
    )


def stablecoin_markets() -> QuerySet[Instrument]:
    """Return the spot markets that tell what one stablecoin is worth in another."""
    return active_instruments().filter(
        kind=InstrumentKind.SPOT, base__in=STABLECOINS, quote__in=STABLECOINS
    )


def stablecoin_rates(modes: Collection[str]) -> QuerySet[StablecoinRate]:
    """Return what was read last of each such market of these modes, however old."""
    markets = stablecoin_markets().filter(exchange__mode__in=modes)
    return StablecoinRate.objects.filter(instrument__in=markets).select_related(
        "instrument__exchange"
    )


def company(code: str) -> str:
    """Return who runs a venue: within one company no transfer is paid."""
    return profile(code).company or code


def fees_in_money(code: str) -> bool:
    """Tell whether the fee of a spot purchase is money there; else it comes off the coins."""
    return profile(code).part(InstrumentKind.SPOT).fees_in_quote


def look_up_every(code: str) -> timedelta:
    """Return how soon an order may be asked for again."""
    return profile(code).look_up_every


def read_only(code: str, mode: str) -> str:
    """Return why nothing is traded at a venue in a mode, empty where orders are taken."""
    known = PROFILES.get(code)
    return "" if known is None else known.untraded(Mode(mode))


def polled_every(code: str) -> timedelta:
    """Return how often a venue without sockets is read; zero where it has some."""
    known = PROFILES.get(code)
    return (known and known.polled_every) or timedelta(0)


def book_rests(code: str) -> timedelta:
    """Return how long one book of a venue may rest on a live socket, zero where as elsewhere."""
    known = PROFILES.get(code)
    return timedelta(0) if known is None else known.book_rests


def lists_tops(code: str, kind: InstrumentKind) -> bool:
    """Tell whether a venue lists the best prices of all instruments of a kind at once."""
    known = PROFILES.get(code)
    return known is None or known.part(kind).book_tops != UNASKED


def premium_terms(code: str) -> PremiumTerms | None:
    """Return how a venue makes a funding rate of the premium; None where nobody knows."""
    return profile(code).premium


def open_interests(now: datetime) -> Mapping[Key, Decimal]:
    """Return what is held of each perpetual in base units; what was told long ago is out."""
    rows = Activity.objects.filter(
        open_interest_at__gte=now - OPEN_INTEREST_LASTS, instrument__exchange__is_enabled=True
    ).values_list("instrument__exchange__code", "instrument__symbol", "open_interest")
    return {(venue, Symbol(symbol)): held for venue, symbol, held in rows if held is not None}


def risk_ladders() -> Mapping[Key, TierLadder]:
    """Return the risk tiers of contracts in use as far as their venues told them."""
    rows = RiskTiers.objects.filter(instrument__exchange__is_enabled=True).select_related(
        "instrument__exchange"
    )
    found = ((instrument_key(row.instrument), row.ladder) for row in rows)
    return {key: ladder for key, ladder in found if ladder is not None}


def tiers_told(code: str) -> TiersTold:
    """Return to whom a venue tells its risk tiers, and whether of all contracts at once."""
    known = PROFILES.get(code)
    public, own = (known.risk_tiers, known.own_risk_tiers) if known else (None, None)
    rows = public or own
    return TiersTold(
        to_everybody=public is not None,
        to_accounts=own is not None,
        at_once=rows is not None and rows.lists_all,
    )


def borrow_rates(now: datetime) -> Mapping[LoanKey, BorrowRate]:
    """Return what each lent asset costs, with the highest of the last 24 hours; old ones are out.

    An asset that is not here cannot be borrowed, as far as we know.
    """
    rows = (
        HourlyBorrowRate.objects.filter(
            exchange__is_enabled=True, hour_at__gt=now - DAY, observed_at__lte=now
        )
        .select_related("exchange")
        .order_by("hour_at")
    )
    found: dict[LoanKey, BorrowRate] = {}
    for row in rows:
        key = (row.exchange.code, row.asset)
        before = found.get(key)
        highest = before.highest_hourly_rate if before else row.highest_hourly_rate
        found[key] = row.snapshot(max(highest, row.highest_hourly_rate))
    return {key: rate for key, rate in found.items() if now - rate.observed_at <= BORROW_RATES_LAST}
