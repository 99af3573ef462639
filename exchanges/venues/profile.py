"""What differs between venues, written down as data so that the adapter has no `if venue`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal
from enum import StrEnum

from exchanges.domain import FillCause, InstrumentKind, PremiumTerms, SettlementKind
from exchanges.modes import Mode
from exchanges.venues.limits_only import LimitsOnly
from exchanges.venues.practice import Practice
from exchanges.venues.quotas import Quotas
from exchanges.venues.rows import EMPTY, Rows
from exchanges.venues.verdicts import Verdict


class IntervalRule(StrEnum):
    """Where a venue says how often it settles."""

    NONE = "none"
    LISTED_MINUTES = "listed_minutes"
    ADJUSTED_HOURS_OR_SPACING = "adjusted_hours_or_spacing"
    # Each rate names the settlement to come and the one after it.
    NEXT_TWO_SETTLEMENTS = "next_two_settlements"
    # Each rate tells its hours.
    HOURS_WITH_THE_RATE = "hours_with_the_rate"
    # The same, where the hours are what lies between settlements that have passed.
    HOURS_BY_SETTLEMENTS = "hours_by_settlements"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingCalls:
    """How leverage, margin mode and position mode are read and set."""

    # None where one position per contract is all there is.
    position_mode: Rows | None
    set_leverage: Rows
    leverage_params: tuple[str, ...]
    whole_leverage: bool
    hedge_mode_advice: str = ""
    # None where each order says by itself that it is cross.
    set_margin_mode: Rows | None = None
    margin_mode_takes_symbol: bool = False
    # Read first where setting it would touch the whole account.
    margin_mode: Rows | None = None
    isolated_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolatedMargin:
    """How the margin behind one isolated position is read and raised, without withdrawal rights.

    `position` has the column `margin`; where it does not say that the position is isolated, the
    account's margin mode does.
    """

    position: Rows
    add: Rows
    amount_param: str
    mode_is_the_accounts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadMan:
    """A countdown after which the venue cancels every order of one symbol, unless it is renewed.

    `countdown_param` takes whole `unit`s; 0 ends it. With a `tag_param` it cancels what carries the
    same tag: every order that may open, by its symbol; without one the call names the symbol.
    """

    call: Rows
    countdown_param: str
    unit: timedelta = timedelta(milliseconds=1)
    shortest: timedelta = timedelta(0)
    tag_param: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRule:
    """A key is refused where the answer at `path` is `refused`, or a list that holds it.

    A text with commas is such a list. With `is_needed` it is refused where that is missing.
    """

    path: tuple[str, ...]
    refused: object
    advice: str
    is_needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyTiers:
    """How the lowest risk tier is read at a venue that tells it by families of contracts only.

    `kind_key` and `family_key` are keys of the raw listing; `call` has the columns `family` and
    `maintenance` and takes `most` families at once, `burst` times per `burst_every`.
    """

    call: Rows
    kind_key: str
    family_key: str
    most: int
    burst: int
    burst_every: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCall:
    """Where a venue announces maintenance.

    The columns of `call` are `state`, `title` and, where it tells of what is to come, `key`,
    `start` and `end`; without these, and in a row without a start, it tells only of now. `live`:
    the states in which a window counts. A row counts if it holds one of the values that `concerns`
    names for each key. `forgets_begun`: what has begun is told of no more, over or not.
    """

    call: Rows
    live: frozenset[str]
    concerns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    forgets_begun: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRights:
    """How a key's own permissions are read, and which are refused.

    `uid`, `expires_at` and `addresses` are paths in the answer, of the first that says something;
    an `addresses` that is one of `unbound` lets the key be used from anywhere. `uid_call` is asked
    for the uid where `call` does not tell it. `position_mode` has the column `mode`; it is asked
    for all the account's positions at once.
    """

    call: Rows
    rules: tuple[KeyRule, ...]
    uid: tuple[tuple[str, ...], ...] = ()
    uid_call: Rows | None = None
    expires_at: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    unbound: tuple[object, ...] = ()
    position_mode: Rows | None = None


# What is never asked: orders where nothing is traded, and lists that a venue does not have.
UNASKED = Rows(method="")


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueProfile:
    """Everything the adapter needs to know of one venue beyond what ccxt knows."""

    name: str
    title: str
    # As shown in tables; empty: made of the name.
    short_code: str = ""
    ccxt_class: str
    options: Mapping[str, object]
    is_spot: bool
    # Why no real order is sent here, as a trader reads it; its market is shown, paper trades it.
    read_only: str = ""
    # How often its list of rates is read by REST, where no socket tells them all.
    polled_every: timedelta | None = None
    # What lies between two books that are read one by one, so that other reads find room.
    book_every: timedelta = timedelta(0)
    # How long one book may rest on a live socket before a list is read that takes much of a limit.
    book_rests: timedelta = timedelta(0)
    settlement: SettlementKind
    # What accrues does so at one rate for a whole period: a part of it earns a part.
    rate_stands: bool = False
    # Else what was owed in a part of one is asked for, by its two instants.
    accrued_rate: Rows | None = None
    # When in UTC it pays what has accrued, where that is once a day and not at each interval's end.
    pays_daily_at: time | None = None
    interval_rule: IntervalRule
    receive_window: timedelta = timedelta(0)
    # How soon an order is asked for again, where the venue has little room for questions.
    look_up_every: timedelta = timedelta(seconds=0.4)
    # How old what is listed may become: ticks, lots and limits change now and then.
    relisted_every: timedelta = timedelta(hours=1)
    depth_sizes: tuple[int, ...]
    # What the library calls our key, secret and passphrase.
    key_names: tuple[str, ...] = ("apiKey", "secret", "password")
    # The header that says until when an order may be executed; empty: signing bounds it.
    deadline_header: str = ""
    # What a raw listing must say to be traded here: key and the values that will do.
    only_listed: Mapping[str, frozenset[object]] = field(default_factory=dict)
    # The keys of the library's market with the venue's own name and with the ticker.
    name_key: str = "id"
    ticker_key: str = "base"
    # The keys of the raw listing that say when a contract without an end may only be reduced any
    # more, or is delisted: the earliest counts. And in which unit.
    end_keys: tuple[str, ...] = ()
    end_unit: timedelta = timedelta(milliseconds=1)
    # What a call names an instrument by, and a row of orders.
    symbol_param: str = "symbol"
    # The venue's own name of a dated future, as `strftime` writes it, in capitals; empty: none.
    dated_symbol: str = ""
    # Whether its contracts are as large as those of its perpetual, else one base unit.
    dated_like_perpetual: bool = False
    # Who runs it, where one company runs several venues; empty: a company of its own.
    company: str = ""

    quotas: Quotas
    # UNASKED where no list tells them: books are read one by one.
    book_tops: Rows
    quotes: Rows
    # Where index prices are, if not beside the quotes, with the columns `index` and `index_price`,
    # and the key of the raw listing that names an index.
    index_prices: Rows | None = None
    index_key: str = ""
    # Where the coming rates are, if not beside the quotes.
    funding_rates: Rows | None = None
    settled_funding: Rows | None
    # How it makes a funding rate of the premium; None where nobody knows.
    premium: PremiumTerms | None = None
    adjusted_intervals: Rows | None = None
    # The columns of the highest and the lowest rate, where it names the interval.
    funding_bounds: tuple[str, str] | None = None
    leverage_tiers: Rows | None = None
    family_tiers: FamilyTiers | None = None
    # All risk tiers, of one contract or of a list: the `notional` or `contracts` they end at, their
    # `leverage` and `maintenance`, and a `deduction` where maintenance is counted part by part.
    risk_tiers: Rows | None = None
    # The same where they are told to an account alone.
    own_risk_tiers: Rows | None = None

    # Where the raw listing tells the margins of the lowest risk tier, as fractions.
    initial_margin: tuple[str, ...] = ()
    maintenance_margin: tuple[str, ...] = ()
    # The lowest maintenance rate as a part of the initial margin at the highest leverage.
    maintenance_part: Decimal | None = None
    # Where the raw listing states the largest market order, if the library does not.
    largest_market_order: tuple[str, ...] = ()
    order_params: Mapping[str, object] = field(default_factory=lambda: EMPTY)
    # How far beyond the touch a market order may go where the venue knows none that has no limit
    # and ends at once.
    market_slippage: Decimal | None = None
    limits_only: LimitsOnly | None = None
    # How many digits a price may have, besides its tick; whole prices may have more.
    price_digits: int | None = None
    # Where our ids do not fit: so many bytes of a hash of them, in hex, after a prefix.
    client_id_bytes: int = 0
    client_id_prefix: str = ""
    find_order: tuple[Rows, ...] = ()
    client_id_param: str = ""
    cancel_order: Rows = UNASKED
    open_orders: Rows = UNASKED
    all_open_orders: Rows = UNASKED
    # Working orders of more instruments are asked for as the list of all, which weighs as much.
    most_asked_singly: int = 1

    balances: Rows = UNASKED
    positions: Rows | None = None
    fills: Rows = UNASKED
    # Lists that tell of `open_interest`, `turnover` in dollars, or `volume` at `price`.
    activity: tuple[Rows, ...] = ()
    # The open interest of one contract, where no list tells it.
    open_interest: Rows | None = None
    # What borrowing costs and what was charged for it; None where spot is not sold on margin.
    borrow_rates: Rows | None = None
    borrow_interest: Rows | None = None
    # Sent with a spot sale that may borrow; empty where none may.
    borrow_params: Mapping[str, object] = field(default_factory=lambda: EMPTY)
    # Whether coins are lent by the hour though our ports do not borrow: a paper account may.
    lends_on_paper: bool = False
    # Added to the venue's rank in the queue of auto-deleveraging, so that 5 is always the first.
    adl_rank_offset: int = 0
    # Of all contracts in one list: none is named in the request, `symbol` tells them apart.
    funding_payments: Rows | None = None
    # What moved in and out; an amount at a `kind` of `transfers_out` left, whatever its sign.
    transfers: Rows | None = None
    transfers_out: frozenset[str] = frozenset()
    # How far from a settlement this venue may still count, or no longer count, a change.
    settlement_slack: timedelta = timedelta(0)
    # +1 where the venue's number is positive for money received, -1 where it is for money paid.
    funding_sign: int = 1
    # +1 where fees and rates are positive for money paid, -1 where they are negative.
    fee_sign: int = 1
    # Rows of the fills call that are no executions.
    not_fills: frozenset[str] = frozenset()
    # What the venue closed by itself: by the kind of the row, or by how the order's id begins.
    kind_causes: Mapping[str, FillCause] = field(default_factory=dict)
    own_id_causes: Mapping[str, FillCause] = field(default_factory=dict)
    # Where the fills call leaves the own id out: the call that names it by the venue's order id.
    order_of_fill: Rows | None = None
    fee_tier: Rows = UNASKED
    # The key of the raw listing that a row of fees names, where it is not the symbol.
    fee_group: str = ""
    fallback_maker: Decimal
    fallback_taker: Decimal
    # Whether the fee of a spot purchase is money; else it comes off the coins, as of a sale.
    fees_in_quote: bool = False
    key_rights: KeyRights = KeyRights(call=UNASKED, rules=())
    status: StatusCall | None = None
    settings: SettingCalls | None = None
    isolated_margin: IsolatedMargin | None = None
    dead_man: DeadMan | None = None
    # None where the venue has no accounts for practice.
    practice: Practice | None = None
    # Why there is none that is safe to arm.
    no_dead_man: str = ""

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    # (code, part of the message) → verdict, asked before `verdicts`.
    message_verdicts: Mapping[tuple[str, str], Verdict] = field(default_factory=dict)

    # What differs for spot at a venue that trades it in the same account as contracts.
    spot: VenueProfile | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where something is traded of which not all is said."""
        asked = (
            *(self.cancel_order, self.open_orders, self.all_open_orders, self.balances),
            *(self.fills, self.fee_tier, self.key_rights.call),
        )
        is_told = self.find_order and self.client_id_param and self.receive_window
        if not self.read_only and (UNASKED in asked or not is_told):
            raise ValueError(f"{self.name}: orders are not described, and it is not read-only")
        tells_parts = self.rate_stands or self.accrued_rate is not None
        if self.settlement is SettlementKind.ACCRUED and not tells_parts:
            raise ValueError(f"{self.name}: what a part of a period earns on paper is not known")

    def untraded(self, mode: Mode) -> str:
        """Return why nothing is traded here in a mode; empty on paper, which sends no order."""
        return "" if mode is Mode.PAPER else self.read_only

    @property
    def uncounted(self) -> str:
        """Return why working orders are not counted down here, empty where they are."""
        if self.dead_man is not None:
            return ""
        return self.no_dead_man or f"how {self.title} counts orders down is not described here"

    @property
    def parts(self) -> tuple[VenueProfile, ...]:
        """Return this profile and that of its spot markets, which are asked apart."""
        return (self,) if self.spot is None else (self, self.spot)

    def part(self, kind: InstrumentKind) -> VenueProfile:
        """Return the profile that applies to an instrument of this kind."""
        return self.spot if kind is InstrumentKind.SPOT and self.spot is not None else self

    def cause(self, *, kind: str = "", own_id: str = "") -> FillCause:
        """Return why a fill happened: the venue names its own closings in one of two ways."""
        for prefix, cause in self.own_id_causes.items():
            if own_id.startswith(prefix):
                return cause
        return self.kind_causes.get(kind, FillCause.ORDER)

    def verdict(self, code: str, message: str) -> Verdict | None:
        """Return what the code proves, or None where it proves nothing."""
        for (known, part), verdict in self.message_verdicts.items():
            if code == known and part.lower() in message.lower():
                return verdict
        # A code may come with a sub-code behind it.
        return self.verdicts.get(code) or self.verdicts.get(code.partition("_")[0])
