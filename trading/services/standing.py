"""Where each user stands: what may be entered now, with which accounts, fees and room left.

One snapshot is read from the database at most once a second and asked from memory many times; the
entry itself asks everything again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from arbsite.accounts.models import User
from exchanges.board import Key
from exchanges.domain import InstrumentKind, Symbol
from exchanges.models import AccountFee, ExchangeAccount
from trading.core.money import for_display, plain
from trading.core.notices import Announced
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.core.sentence import percent
from trading.core.sizing import Capital
from trading.core.states import LIVE_POSITION_STATES
from trading.models import CoolDown, EnginePulse, LimitUse, Position
from trading.services import configure
from trading.services.capital import capital_of
from trading.services.changed_facts import resized
from trading.services.daily_stop import lost_today
from trading.services.engine import EngineView, unreconciled, usable_accounts, view_of
from trading.services.limits import USER_SCOPE, exposure_scope, parts_by_venue
from trading.services.notices import announced_at
from trading.services.rehearsal import Rehearsal, is_live, rehearsal_of

ZERO, INFINITE = Decimal(0), Decimal("Infinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One user's snapshot. Accounts and capital by venue code, reservations by scope, in USD."""

    user_id: UUID
    parameters: Parameters
    configuration_version: int
    accounts: Mapping[str, ExchangeAccount]
    capital: Mapping[str, Capital]
    equity: Decimal
    fees: Mapping[Key, Decimal]
    assumed_fees: frozenset[Key]
    """Of which the venue did not tell the account's own: its list price stands in."""
    reserved: Mapping[str, Decimal]
    live: Mapping[str, str]
    cool_downs: Mapping[str, CoolDown]
    lost_today: Decimal
    """What was lost today, as a part of the capital, transfers aside; < 0 is a gain."""
    engine: EngineView
    unreconciled: frozenset[UUID]
    """Accounts that were not compared with their venue since the engine came to life."""
    resized: Mapping[Key, datetime] = field(default_factory=dict)
    """Contracts of another size than when the accounts were last compared, and since when."""
    announced: tuple[Announced, ...] = ()
    """What venues and staff announced."""
    rehearsal: Rehearsal | None = None
    """What was rehearsed with these parameters; None where no account trades live."""

    def taker_fee(self, key: Key, kind: InstrumentKind) -> Decimal:
        """Return the account's own taker fee, or the configured fallback."""
        p = self.parameters
        is_spot = kind is InstrumentKind.SPOT
        return self.fees.get(key, p.spot_fee_fallback if is_spot else p.perpetual_fee_fallback)

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
        cool_down = self.cool_downs.get(base)
        if cool_down is not None and cool_down.until > now:
            return Refusal(
                code="cool_down",
                sentence=f"No entry on {base} until {cool_down.until:%H:%M:%S} UTC: "
                f"{cool_down.reason}.",
            )
        return None

    def refuse_venues(self, venues: Iterable[str]) -> Refusal | None:
        """Refuse venues without an account that may open."""
        for venue in venues:
            account = self.accounts.get(venue)
            if account is None:
                return Refusal(
                    code="no_account",
                    sentence=f"There is no active account at {venue}: add its API key first.",
                )
            if account.exchange.shut:
                return Refusal(code="breaker_open", sentence=account.exchange.shut)
            if account.checked_at is None and not account.is_halted:
                return Refusal(
                    code="key_unchecked",
                    sentence=f"The key for {venue} has not been checked yet: wait a moment.",
                )
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
        refusal = self.refuse_entries()
        return refusal is None or refusal.code == "too_many_positions"

    def refuse_day(self) -> Refusal | None:
        """Refuse entries after the day's loss; a person may overrule it."""
        if self.lost_today < self.parameters.daily_stop:
            return None
        sentence = (
            f"{percent(self.lost_today)} of the capital was lost since midnight UTC, transfers "
            f"aside; automation halts at {percent(self.parameters.daily_stop)}."
        )
        return Refusal(code="daily_stop", sentence=sentence)

    def refuse_entries(self) -> Refusal | None:
        """Refuse whatever is found while the user's engine may not open anything."""
        most = self.parameters.max_open_positions
        if self.engine.refusal is not None:
            return self.engine.refusal
        if not self.parameters.auto_entry:
            return Refusal(code="manual_only", sentence="Automatic entry is off.")
        lost = self.refuse_day()
        if lost is not None:
            return lost
        if len(self.live) >= most:
            sentence = f"{len(self.live)} positions are open; the most is {most}."
            return Refusal(code="too_many_positions", sentence=sentence)
        return None


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
    uses = LimitUse.objects.filter(user=user)
    configuration, fees = configure.current(user), _fees(accounts)
    return Standing(
        user_id=user.pk,
        parameters=configuration.parameters,
        configuration_version=configuration.version,
        accounts=accounts,
        capital=capital,
        equity=equity,
        fees={key: taker for key, taker, _ in fees},
        assumed_fees=frozenset(key for key, _, is_assumed in fees if is_assumed),
        reserved={use.scope: Decimal(use.reserved_cents) / 100 for use in uses},
        live=dict(live.values_list("base", "state")),
        cool_downs={row.base: row for row in CoolDown.objects.filter(user=user, until__gt=now)},
        lost_today=lost_today(user, usable, equity, now),
        engine=view_of(user, usable, pulse, waiting, now),
        unreconciled=frozenset(account.pk for account in waiting),
        resized=resized(usable, now),
        announced=announced_at(now),
        rehearsal=rehearsal_of(user, configuration.parameters) if is_live(usable) else None,
    )


def _fees(accounts: Mapping[str, ExchangeAccount]) -> list[tuple[Key, Decimal, bool]]:
    """Return each instrument's taker fee, and whether the venue's list price stands in for it."""
    # Not as models: there is a row for each instrument of each account.
    rows = AccountFee.objects.filter(account__in=accounts.values()).values_list(
        "instrument__exchange__code", "instrument__symbol", "taker", "is_fallback"
    )
    return [((code, Symbol(symbol)), taker, assumed) for code, symbol, taker, assumed in rows]
