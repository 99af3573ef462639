"""What is listed at the simulated venues: filters, fees, risk tiers, price character.

Filters and fees follow the venues' public documentation of 2025 for a fresh account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from exchanges.domain import InstrumentKind
from exchanges.matching import LeverageTier
from exchanges.simulator import habits, steps
from exchanges.simulator.characters import SPOT_FILTERS, character_of
from exchanges.simulator.habits import Habits

SPOT, USDM, BYBIT, OKX, HYPERLIQUID = "binance", "binanceusdm", "bybit", "okx", "hyperliquid"
# Its market is read and nothing is traded there: it has no wallet.
DYDX = "dydx"
# Traded, and no rehearsal needs them: they list nothing unless they are asked to.
BITGET, GATE, KUCOIN, DERIBIT = "bitget", "gate", "kucoin", "deribit"
KRAKEN, KRAKEN_FUTURES = "kraken", "krakenfutures"
# Bybit names a spot market like its perpetual: here it is a venue of its own, with one wallet.
BYBIT_SPOT = "bybitspot"
UNIFIED = "unified"
WALLETS = {
    SPOT: "spot",
    USDM: "usdm",
    BYBIT: UNIFIED,
    BYBIT_SPOT: UNIFIED,
    OKX: "trading",
    HYPERLIQUID: "perps",
    BITGET: "futures",
    KRAKEN: "cash",
    GATE: "perpetual",
    KRAKEN_FUTURES: "flex",
    KUCOIN: "contract",
    DERIBIT: "margin",
}
HABITS = {
    SPOT: habits.BINANCE_HABITS,
    USDM: habits.BINANCE_HABITS,
    BYBIT: habits.BYBIT_HABITS,
    BYBIT_SPOT: habits.BYBIT_HABITS,
    OKX: habits.OKX_HABITS,
    HYPERLIQUID: habits.HYPERLIQUID_HABITS,
    DYDX: habits.HYPERLIQUID_HABITS,
    BITGET: habits.BITGET_HABITS,
    KRAKEN: habits.KRAKEN_HABITS,
    GATE: habits.GATE_HABITS,
    KRAKEN_FUTURES: habits.KRAKEN_FUTURES_HABITS,
    KUCOIN: habits.KUCOIN_HABITS,
    DERIBIT: habits.DERIBIT_HABITS,
}
# Whose account trades at a venue: one key opens all of a company's.
OWNERS = {
    SPOT: SPOT,
    USDM: SPOT,
    BYBIT: BYBIT,
    BYBIT_SPOT: BYBIT,
    **{venue: venue for venue in (OKX, HYPERLIQUID, BITGET, GATE, KUCOIN)},
    **{venue: venue for venue in (KRAKEN, KRAKEN_FUTURES, DERIBIT)},
}
KRAKEN_NAMES, KRAKEN_QUOTES = {"BTC": "XBT"}, ("USDT", "USD")
DATED_VENUES, SPOT_VENUES = (USDM, BYBIT, OKX), (SPOT, BYBIT_SPOT, OKX)
CONTRACT_VENUES = (*DATED_VENUES, HYPERLIQUID)
# Where spot is paid from the wallet that margins contracts, by the venue of these.
SPOT_IN_WALLET = {BYBIT: BYBIT_SPOT, OKX: OKX}


def wallet_names(owner: str) -> tuple[str, ...]:
    """Return the wallets of an account, each once."""
    venues = [venue for venue, whose in OWNERS.items() if whose == owner]
    return tuple(dict.fromkeys(WALLETS[venue] for venue in venues))


ListingKey = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One instrument at one venue; quantities in base units, rates as fractions."""

    venue: str
    symbol: str
    kind: InstrumentKind
    base: str
    quote: str
    settle: str
    tick: Decimal
    lot: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    tiers: tuple[LeverageTier, ...]
    spread_bps: Decimal
    touch_notional: Decimal
    price_band: Decimal = Decimal("0.05")
    is_inverse: bool = False
    expires_at: datetime | None = None
    most_borrowed: Decimal = Decimal(0)
    # Base units of one contract, where the venue counts in contracts.
    contract_value: Decimal = Decimal(1)
    # Market orders are refused.
    limits_only: bool = False

    @property
    def key(self) -> ListingKey:
        return (self.venue, self.symbol)

    @property
    def habits(self) -> Habits:
        return HABITS[self.venue]

    @property
    def pair(self) -> str:
        return f"{self.base}/{self.quote}"

    @property
    def unified_symbol(self) -> str:
        """Return the symbol as clients of many venues write it."""
        if not self.is_contract:
            return self.pair
        date = self.expires_at.strftime("-%y%m%d") if self.expires_at else ""
        return f"{self.pair}:{self.settle}{date}"

    @property
    def wallet(self) -> str:
        return WALLETS[self.venue]

    @property
    def is_perpetual(self) -> bool:
        return self.kind is InstrumentKind.PERPETUAL

    @property
    def is_contract(self) -> bool:
        """Tell whether it is margined and held as a position; spot is not."""
        return self.kind is not InstrumentKind.SPOT

    @property
    def max_leverage(self) -> Decimal:
        return self.tiers[0].max_leverage


EPISODE_ORDER = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "LINK", "AVAX")
DATED_BASES = ("BTC", "ETH")
SPOT_BASES = ("BTC", "ETH", "SOL")
# What one account may borrow at most; what is not here is not lent.
LOANS = {"BTC": "10", "ETH": "200"}
USDM_MIN_NOTIONALS = {"BTC": "100", "ETH": "20"}


def many_bases(count: int) -> tuple[str, ...]:
    """Return so many assets, those with a character first."""
    return (*EPISODE_ORDER, *(f"L{number:03}" for number in range(count)))[:count]


def _perpetual(venue: str, base: str) -> Listing:
    if venue == OKX:
        return _in_contracts(_perpetual(USDM, base))
    if venue == HYPERLIQUID:
        return _in_dollar_coins(_perpetual(USDM, base))
    character = character_of(base)
    is_bybit = venue == BYBIT
    return Listing(
        venue=venue,
        symbol=f"{base}USDT",
        kind=InstrumentKind.PERPETUAL,
        base=base,
        quote="USDT",
        settle="USDT",
        tick=Decimal(character.tick),
        lot=Decimal(character.lot),
        max_quantity=Decimal(character.lot) * 10_000_000,
        min_notional=Decimal(5 if is_bybit else USDM_MIN_NOTIONALS.get(base, "5")),
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.00055" if is_bybit else "0.0005"),
        tiers=steps.TIERS,
        spread_bps=Decimal(character.spread_bps),
        touch_notional=Decimal(character.touch_notional),
    )


def _in_contracts(listing: Listing) -> Listing:
    """Return the like of a perpetual at OKX, which knows no least value of an order."""
    value, part = map(Decimal, steps.OKX_CONTRACTS.get(listing.base, steps.USUAL_CONTRACT))
    return replace(
        listing,
        venue=OKX,
        symbol=f"{listing.base}-{listing.quote}-SWAP",
        lot=value * part,
        max_quantity=value * part * 10_000_000,
        min_notional=Decimal(0),
        contract_value=value,
    )


def _in_dollar_coins(listing: Listing) -> Listing:
    """Return the like of a perpetual at Hyperliquid: margined in USDC, prices of five digits."""
    tick, lot = steps.HYPERLIQUID_STEPS.get(listing.base, steps.USUAL_STEPS)
    return replace(
        listing,
        venue=HYPERLIQUID,
        symbol=listing.base,
        quote="USDC",
        settle="USDC",
        tick=Decimal(tick),
        lot=Decimal(lot),
        max_quantity=Decimal(lot) * 1_000_000_000,
        min_notional=Decimal(10),
        maker_fee=Decimal("0.00015"),
        taker_fee=Decimal("0.00045"),
        tiers=steps.HYPERLIQUID_TIERS,
        price_band=Decimal("0.8"),
    )


def _on_the_chain(base: str) -> Listing:
    """Return the like of a perpetual at dYdX, which knows no least value of an order."""
    return replace(
        _perpetual(HYPERLIQUID, base),
        venue=DYDX,
        symbol=f"{base}-USD",
        min_notional=Decimal(0),
        maker_fee=Decimal("0.0001"),
        taker_fee=Decimal("0.0005"),
        tiers=steps.DYDX_TIERS,
    )


def _at_bitget(base: str) -> Listing:
    """Return the like of a perpetual at Bitget, which names it as Binance does."""
    return replace(
        _perpetual(USDM, base),
        venue=BITGET,
        min_notional=Decimal(5),
        taker_fee=Decimal("0.0006"),
        tiers=steps.BITGET_TIERS,
    )


def _in_whole_contracts(listing: Listing, values: Mapping[str, str]) -> Listing:
    """Return the like of a perpetual in contracts that are not parted, of any least value."""
    value = Decimal(values.get(listing.base, "1"))
    most, least = value * 10_000_000, Decimal(0)
    return replace(listing, lot=value, max_quantity=most, min_notional=least, contract_value=value)


def _at_kraken_spot(base: str, quote: str) -> Listing:
    """Return the like of a spot market at Kraken, which calls bitcoin XBT."""
    return replace(
        _spot(SPOT, base),
        venue=KRAKEN,
        symbol=f"{KRAKEN_NAMES.get(base, base)}{quote}",
        quote=quote,
        settle=quote,
        tick=Decimal(character_of(base).tick),
        min_notional=Decimal("0.5"),
        maker_fee=Decimal("0.0025"),
        taker_fee=Decimal("0.004"),
    )


def _at_gate(base: str) -> Listing:
    like = replace(_perpetual(USDM, base), venue=GATE, symbol=f"{base}_USDT")
    return _in_whole_contracts(like, steps.GATE_CONTRACTS)


def _at_kucoin(base: str) -> Listing:
    symbol = f"{'XBT' if base == 'BTC' else base}USDTM"
    like = replace(_at_bitget(base), venue=KUCOIN, symbol=symbol)
    return _in_whole_contracts(like, steps.KUCOIN_CONTRACTS)


def _at_kraken_futures(base: str) -> Listing:
    """Return the like of a perpetual at Kraken Futures, margined in dollars; bitcoin is XBT."""
    return replace(
        _perpetual(USDM, base),
        venue=KRAKEN_FUTURES,
        symbol=f"PF_{KRAKEN_NAMES.get(base, base)}USD",
        quote="USD",
        settle="USD",
        min_notional=Decimal(0),
        tiers=steps.KRAKEN_FUTURES_TIERS,
    )


def _at_deribit(base: str) -> Listing:
    """Return the like of a perpetual at Deribit: margined in USDC, counted in coins."""
    return replace(
        _perpetual(USDM, base),
        venue=DERIBIT,
        symbol=f"{base}_USDC-PERPETUAL",
        quote="USDC",
        settle="USDC",
        min_notional=Decimal(0),
        maker_fee=Decimal(0),
        tiers=steps.DERIBIT_TIERS,
    )


ON_DEMAND = _on_the_chain, _at_bitget, _at_gate, _at_kraken_futures, _at_kucoin, _at_deribit
DATED_NAMES = {USDM: "{base}USDT_%y%m%d", BYBIT: "{base}USDT-%d%b%y", OKX: "{base}-USDT-%y%m%d"}


def _future(venue: str, base: str, expires_at: datetime) -> Listing:
    perpetual = _perpetual(venue, base)
    return replace(
        perpetual,
        symbol=expires_at.strftime(DATED_NAMES[venue].format(base=base)).upper(),
        kind=InstrumentKind.FUTURE,
        expires_at=expires_at,
        spread_bps=perpetual.spread_bps * 4,
        touch_notional=perpetual.touch_notional / 3,
    )


def _spot(venue: str, base: str) -> Listing:
    tick, lot = SPOT_FILTERS[base]
    is_okx = venue == OKX
    return replace(
        _perpetual(USDM, base),
        venue=venue,
        symbol=f"{base}-USDT" if is_okx else f"{base}USDT",
        kind=InstrumentKind.SPOT,
        tick=Decimal(tick),
        lot=Decimal(lot),
        min_notional=Decimal(0 if is_okx else 5),
        maker_fee=Decimal("0.001"),
        taker_fee=Decimal("0.001"),
        tiers=steps.SPOT_TIERS,
        price_band=Decimal("0.2"),
        most_borrowed=Decimal(LOANS.get(base, 0) if venue == BYBIT_SPOT else 0),
    )


def _inverse() -> Listing:
    return replace(
        _perpetual(BYBIT, "BTC"),
        symbol="BTCUSD",
        quote="USD",
        settle="BTC",
        lot=Decimal(1),
        is_inverse=True,
    )


def listed(
    perpetual_bases: tuple[str, ...],
    *,
    expiries: tuple[datetime, ...] = (),
    without: frozenset[str] = frozenset(),
    stablecoins: tuple[str, ...] = (),
    watched: bool = False,
) -> dict[ListingKey, Listing]:
    """Return each base as perpetual at each venue, some as spot, and one inverse contract.

    The largest are also listed as futures that are delivered at `expiries`. A venue in `without`
    lists nothing. `stablecoins` are sold for USDT at each spot venue and are nothing else. With
    `watched` dYdX, where nothing is traded, Bitget, Deribit, Gate, Kraken Futures and KuCoin list
    their perpetuals, Kraken its spot markets, for USDT and for dollars.
    """
    rows = [_perpetual(venue, base) for venue in CONTRACT_VENUES for base in perpetual_bases]
    rows += [
        _spot(venue, base)
        for venue in SPOT_VENUES
        for base in SPOT_BASES
        if base in perpetual_bases
    ]
    rows += [_spot(venue, coin) for venue in SPOT_VENUES for coin in stablecoins]
    rows += [
        _future(venue, base, expires_at)
        for venue in DATED_VENUES
        for base in DATED_BASES
        if base in perpetual_bases
        for expires_at in sorted(expiries)
    ]
    if watched:
        rows += [like(base) for like in ON_DEMAND for base in perpetual_bases]
        rows += [
            _at_kraken_spot(base, quote)
            for quote in KRAKEN_QUOTES
            for base in SPOT_BASES
            if base in perpetual_bases
        ]
    rows.append(_inverse())
    return {row.key: row for row in rows if row.venue not in without}
