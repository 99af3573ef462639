"""Where each user stands: what may be entered now, with which accounts, fees and room left.

One snapshot is read from the database at most once a second and asked from memory many times; the
entry itself asks everything again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from arbsite.accounts.models import User
from exchanges.assumed_loans import AssumedLoans, assumed_loans, assumed_rate
from exchanges.board import Key
from exchanges.domain import Instrument, InstrumentKind, Symbol
from exchanges.models import AccountFee, AccountPosition, ExchangeAccount
from exchanges.modes import Mode
from exchanges.selectors import read_only
from trading.core.depeg import StablecoinRate
from trading.core.entry_style import EntryStyle, FirstLeg
from trading.core.money import for_display, plain
from trading.core.notices import Announced
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.core.sizing import Capital
from trading.core.states import LIVE_POSITION_STATES
from trading.models import CoolDown, DailyStop, EnginePulse, LimitUse, Position
from trading.services import configure
from trading.services.capital import capital_of
from trading.services.changed_facts import resized
from trading.services.check_keys import why_unchecked
from trading.services.daily_stop import lost_today, refusal_of, stop_of
from trading.services.depegs import stablecoin_rates
from trading.services.engine import EngineView, unreconciled, usable_accounts, view_of
from trading.services.limits import USER_SCOPE, exposure_scope, parts_by_venue
from trading.services.money_mode import mode_of
from trading.services.notices import announced_at
from trading.services.rehearsal import Rehearsal, is_live, rehearsal_of

ZERO, INFINITE = Decimal(0), Decimal("Infinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One user's snapshot. Accounts and capital by venue code, reservations by scope, in USD."""

    user_id: UUID
    mode: Mode
    """In which the user trades."""
    parameters: Parameters
    configuration_version: int
    accounts: Mapping[str, ExchangeAccount]
    capital: Mapping[str, Capital]
    equity: Decimal
    fees: Mapping[Key, Decimal]
    """Of an order that takes."""
    maker_fees: Mapping[Key, Decimal]
    assumed_fees: frozenset[Key]
    """Of which the venue did not tell the account's own: its list price stands in."""
    reserved: Mapping[str, Decimal]
    live: Mapping[str, str]
    cool_downs: Mapping[str, CoolDown]
    lost_today: Decimal
    """What was lost today, as a part of the capital, transfers aside; < 0 is a gain."""
    daily_stop: DailyStop | None
    """What halts automation today, however the loss has changed since."""
    engine: EngineView
    unreconciled: frozenset[UUID]
    """Accounts that were not compared with their venue since the engine came to life."""
    unchecked: Mapping[UUID, str] = field(default_factory=dict)
    """Accounts whose keys were not checked lately, each with a sentence."""
    stablecoins: tuple[StablecoinRate, ...] = ()
    """What the dollars that legs settle in are worth in one another, as read last."""
    resized: Mapping[Key, datetime] = field(default_factory=dict)
    """Contracts of another size than when the accounts were last compared, and since when."""
    announced: tuple[Announced, ...] = ()
    """What venues and staff announced."""
    held: Mapping[Key, Decimal] = field(default_factory=dict)
    """What the accounts hold of each contract by their venues' last word, in base units >= 0."""
    loans: Mapping[str, AssumedLoans] = field(default_factory=dict)
    """What paper accounts assume that borrowing costs, where their venues do not tell it."""
    rehearsal: Rehearsal | None = None
    """What was rehearsed with these parameters; None where no account trades live."""

    def taker_fee(self, key: Key, kind: InstrumentKind) -> Decimal:
        """Return the account's own taker fee, or the configured fallback."""
        p = self.parameters
        is_spot = kind is InstrumentKind.SPOT
        return self.fees.get(key, p.spot_fee_fallback if is_spot else p.perpetual_fee_fallback)

    def maker_fee(self, key: Key) -> Decimal | None:
        """Return the account's own maker fee, None where the venue did not tell it."""
        return None if self.assumes_fee(key) else self.maker_fees.get(key)

    def assumed_loan(self, instrument: Instrument) -> Decimal | None:
        """Return what the account assumes that selling spot on loan costs an hour."""
        return assumed_rate(self.loans, instrument)

    def least_fee(self, key: Key, kind: InstrumentKind) -> Decimal:
        """Return the mean fee of opening and closing a leg, at least: it may be the one that rests.

        Of legs of which any may rest one does, and that saves no more than half of them all.
        """
        taker, maker = self.taker_fee(key, kind), self.maker_fee(key)
        if maker is None or self.parameters.entry_style is not EntryStyle.MAKER:
            return taker
        saved = max(max(taker, ZERO) - max(maker, ZERO), ZERO)
        return taker - saved / (4 if self.parameters.first_leg is FirstLeg.AUTO else 2)

    def assumes_fee(self, key: Key) -> bool:
        """Tell whether the account's own fee is not known."""
        return key not in self.fees or key in self.assumed_fees

    def limits_left(
        self,
        base: str,
        legs: Iterable[tuple[str, Decimal]] = (),
        open_reason: str | None = None,
    ) -> dict[str, Decimal]:
        """Return the size of a whole leg that each limit leaves, by its name for a trader.

        `legs` are venue and ratio: those at one venue share its limit.
        """
        left = {f"the limit per pair on {base}": self.limit_left(f"pair:{base}")}
        left["your total limit"] = self.limit_left(USER_SCOPE)
        for venue, part in parts_by_venue(legs):
            left[f"the limit at {venue}"] = self.limit_left(f"venue:{venue}") / part
        if open_reason is not None:
            words = f"the limit of {'gap' if open_reason == 'basis' else 'funding'} positions"
            left[words] = self.limit_left(exposure_scope(open_reason))
        return left

    def limit_left(self, scope: str) -> Decimal:
        """Return what is left of one limit, in USD; infinite where there is none."""
        p = self.parameters
        caps = {
            "pair": p.max_position_per_pair_usd,
            "venue": p.max_position_per_venue_usd,
            USER_SCOPE: p.max_position_per_user_usd,
            exposure_scope("basis"): p.max_basis_exposure_usd,
            exposure_scope("funding"): p.max_funding_exposure_usd,
        }
        cap = caps.get(scope, caps.get(scope.partition(":")[0]))
        return INFINITE if cap is None else cap - self.reserved.get(scope, ZERO)

    def refuse_pair(self, base: str, now: datetime) -> Refusal | None:
        """Refuse a base that has a position or must rest."""
        if base in self.live:
            return Refusal(
                code="position_exists",
                sentence=f"{base} already has a position ({self.live[base].lower()}).",
            )
        return self.refuse_rest(base, now)

    def refuse_rest(self, base: str, now: datetime) -> Refusal | None:
        """Refuse a base that must rest."""
        cool_down = self.cool_downs.get(base)
        if cool_down is not None and cool_down.until > now:
            return Refusal(
                code="cool_down",
                sentence=f"No entry on {base} until {cool_down.until:%H:%M:%S} UTC: "
                f"{cool_down.reason}.",
            )
        return None

    def refuse_venues(self, venues: Iterable[str]) -> Refusal | None:
        """Refuse venues where nothing is traded, or without an account that may open."""
        for venue in venues:
            if why := read_only(venue, self.mode):
                return Refusal(code="read_only", sentence=why)
            account = self.accounts.get(venue)
            if account is None:
                return Refusal(
                    code="no_account",
                    sentence=f"There is no active account at {venue}: add one first.",
                )
            if shut := account.exchange.shut():
                return Refusal(code="breaker_open", sentence=shut)
            if (lapsed := self.unchecked.get(account.pk)) and not account.is_halted:
                return Refusal(code="key_unchecked", sentence=lapsed)
            if account.is_halted:
                return Refusal(
                    code="account_halted",
                    sentence=f"The account at {venue} is halted: {account.halted_reason}",
                )
            ratio = self.capital[venue].margin_ratio
            if ratio is not None and ratio < self.parameters.min_margin_ratio:
                return Refusal(
                    code="margin_ratio",
                    sentence=f"The account at {venue} has a margin ratio of "
                    f"{for_display(ratio, 2)}; nothing is opened there below "
                    f"{plain(self.parameters.min_margin_ratio)}.",
                )
            if account.pk in self.unreconciled:
                return Refusal(
                    code="reconciling",
                    sentence=f"The account at {venue} is still being compared with our books "
                    "since the start: wait a moment.",
                )
        return None

    def refuse_by_hand(self) -> Refusal | None:
        """Refuse every entry, by hand too, while a kill switch is pressed or nobody drives."""
        return self.engine.refusal if self.engine.bars_hand else None

    @property
    def lacks_only_room(self) -> bool:
        """Tell whether entries are possible, or would be with one position less."""
        return self.refuse_additions() is None

    def refuse_day(self) -> Refusal | None:
        """Refuse entries after the day's loss; a person may overrule it."""
        return refusal_of(self.daily_stop, self.lost_today)

    def refuse_entries(self) -> Refusal | None:
        """Refuse whatever is found while the user's engine may not open a position."""
        most = self.parameters.max_open_positions
        refusal = self.refuse_additions()
        if refusal is None and len(self.live) >= most:
            sentence = f"{len(self.live)} positions are open; the most is {most}."
            return Refusal(code="too_many_positions", sentence=sentence)
        return refusal

    def refuse_additions(self) -> Refusal | None:
        """Refuse while the user's engine may not open anything, not even in an open position."""
        if self.engine.refusal is not None:
            return self.engine.refusal
        if not self.parameters.auto_entry:
            return Refusal(code="manual_only", sentence="Automatic entry is off.")
        return self.refuse_day()


def load_standings(now: datetime) -> list[Standing]:
    """Return the snapshot of every user with an account in use."""
    users = User.objects.filter(is_active=True, exchange_accounts__is_active=True).distinct()
    return [standing_of(user, now) for user in users]


def standing_of(user: User, now: datetime) -> Standing:
    """Return one user's snapshot, read now."""
    usable, pulse = usable_accounts(user), EnginePulse.objects.first()
    waiting = unreconciled(usable, pulse)
    accounts = {account.exchange.code: account for account in usable}
    capital, equity = capital_of(accounts)
    live = Position.objects.for_user(user).filter(state__in=LIVE_POSITION_STATES)
    mode = mode_of(user)
    uses = LimitUse.objects.filter(user=user, mode=mode)
    configuration, fees = configure.current(user), _fees(accounts)
    lost = lost_today(user, usable, equity, now)
    return Standing(
        user_id=user.pk,
        mode=mode,
        parameters=configuration.parameters,
        configuration_version=configuration.version,
        accounts=accounts,
        capital=capital,
        equity=equity,
        fees={row.key: row.taker for row in fees},
        maker_fees={row.key: row.maker for row in fees},
        assumed_fees=frozenset(row.key for row in fees if row.is_assumed),
        reserved={use.scope: Decimal(use.reserved_cents) / 100 for use in uses},
        live=dict(live.values_list("base", "state")),
        cool_downs={row.base: row for row in CoolDown.objects.filter(user=user, until__gt=now)},
        lost_today=lost,
        daily_stop=stop_of(user, lost, configuration.parameters.daily_stop, now),
        engine=view_of(user, usable, pulse, waiting, now),
        unreconciled=frozenset(account.pk for account in waiting),
        unchecked={one.pk: why for one in usable if (why := why_unchecked(one, now))},
        stablecoins=stablecoin_rates({one.exchange.mode for one in usable}),
        resized=resized(usable, now),
        announced=announced_at(now),
        held=_held(accounts),
        loans=assumed_loans(usable),
        rehearsal=rehearsal_of(user, configuration.parameters) if is_live(usable) else None,
    )


def _held(accounts: Mapping[str, ExchangeAccount]) -> dict[Key, Decimal]:
    rows = AccountPosition.objects.filter(account__in=accounts.values()).values_list(
        "instrument__exchange__code", "instrument__symbol", "base_quantity"
    )
    return {(code, Symbol(symbol)): abs(quantity) for code, symbol, quantity in rows}


class _Fee(NamedTuple):
    key: Key
    maker: Decimal
    taker: Decimal
    is_assumed: bool


def _fees(accounts: Mapping[str, ExchangeAccount]) -> list[_Fee]:
    """Return each instrument's fees, and whether the venue's list price stands in for them."""
    # Not as models: there is a row for each instrument of each account.
    rows = AccountFee.objects.filter(account__in=accounts.values()).values_list(
        "instrument__exchange__code", "instrument__symbol", "maker", "taker", "is_fallback"
    )
    return [
        _Fee((code, Symbol(symbol)), maker, taker, assumed)
        for code, symbol, maker, taker, assumed in rows
    ]
