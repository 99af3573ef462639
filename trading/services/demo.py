"""The rehearsal a newcomer starts with: simulated venues, one user, automation that trades soon."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from arbsite.accounts.models import User
from exchanges import selectors
from exchanges import services as exchange_services
from exchanges.account_keys import store_account
from exchanges.lending import poll_borrow_rates
from exchanges.models import Exchange, ExchangeAccount
from exchanges.modes import Mode
from exchanges.open_interest import poll_activity
from trading.models import ConfigurationVersion
from trading.services import configure, engine
from trading.services.check_keys import check_keys
from trading.services.equity import snapshot_equity
from trading.services.fees import refresh_fees
from trading.services.refresh_tiers import refresh_tiers
from trading.services.venues import REAL

USERNAME = "demo"
# Of a start nobody waits longer for a venue's quota: the schedules read the rest.
FIRST_SECONDS = 1.0
VENUES = (
    ("binance", "BIS", "Binance spot", "binance"),
    ("binanceusdm", "BIN", "Binance", "binance"),
    ("bybit", "BYB", "Bybit", "bybit"),
    ("okx", "OKX", "OKX", "okx"),
    ("hyperliquid", "HYP", "Hyperliquid", "hyperliquid"),
)
CODES = tuple(code for code, _, _, _ in VENUES)
BALANCES: dict[str, Mapping[str, object]] = {
    "binance": {"spot": {"USDT": "50000"}, "usdm": {"USDT": "100000"}},
    "bybit": {"USDT": "100000"},
    "okx": {"USDT": "100000"},
    "hyperliquid": {"USDC": "100000"},
}
# Funding of the rehearsal set settles every 4 minutes and an episode lasts half an hour.
VALUES: dict[str, object] = {
    "auto_entry": True,
    "symbols": [
        f"{base}-USDT" for base in ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "LINK", "AVAX")
    ],
    "carry_estimator": "predicted",
    "persistence": "1",
    "hold_horizon": "0.5",
    "max_position_per_pair_usd": "10000",
    "settlement_guard": "5",
    "next_arbitrage_opening_delay": "60",
    "take_profit_usd": "30",
    # 30 bp every 4 minutes are 36 % per 8 h: beyond what a real venue would be believed.
    "max_spread": "0.9",
}


class RegisterAccount(Protocol):
    """Open an account at a simulated venue, which asks for the passphrase where it has them."""

    def __call__(
        self,
        venue: str,
        api_key: str,
        secret: str,
        balances: Mapping[str, object],
        passphrase: str = "",
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLogin:
    """The generated login; `password` is None when the user existed before."""

    username: str
    password: str | None


def seed_demo(
    *, register: RegisterAccount, now: datetime, listed: Collection[str] = CODES
) -> DemoLogin:
    """Create what is missing of the demo; running it again changes nothing that is there.

    `register` opens an account at a simulated venue; `listed` are the venues that list anything.
    """
    user, password = _user()
    if not _has_moved_on(user):
        _set_up(user, listed, register)
    if not ConfigurationVersion.objects.filter(user=user).exists():
        configure.save(user=user, values=VALUES, expected_version=0, actor="set-up", now=now)
        engine.resume(user=user, actor="set-up", now=now)
    # Later starts leave it to the hourly task: asking all venues would delay them by seconds.
    if _is_unread():
        exchange_services.refresh_instruments(now)
        _read_first_facts(now)
    return DemoLogin(username=USERNAME, password=password)


def _has_moved_on(user: User) -> bool:
    """Tell whether the owner has left the rehearsal or a part of it: then nothing is added."""
    accounts = ExchangeAccount.objects.for_user(user).active()
    off = Exchange.objects.filter(mode=Mode.REHEARSAL, is_enabled=False)
    return accounts.exclude(exchange__mode=Mode.REHEARSAL).exists() or off.exists()


def _set_up(user: User, listed: Collection[str], register: RegisterAccount) -> None:
    """Create the venues that are simulated, unless one is read elsewhere, and an account at each.

    An installation that was begun with fewer venues gets the others at its next start.
    """
    elsewhere = Exchange.objects.filter(is_enabled=True).exclude(mode=Mode.REHEARSAL)
    codes = set(listed) - set(elsewhere.values_list("code", flat=True))
    for family in BALANCES:
        exchanges = [
            _exchange(code, short_code, name)
            for code, short_code, name, of in VENUES
            if of == family and code in codes
        ]
        _accounts(user, family, exchanges, register)


def _is_unread() -> bool:
    fresh = Exchange.objects.filter(mode=Mode.REHEARSAL, is_enabled=True, instruments=None)
    return fresh.exists() or not selectors.active_instruments().exists()


def _read_first_facts(now: datetime) -> None:
    """Read what the schedules bring within a minute, so that the first page has its figures."""
    check_keys(venues=REAL, now=now)
    refresh_fees(venues=REAL, now=now)
    refresh_tiers(venues=REAL, now=now)
    snapshot_equity(venues=REAL, now=now)
    exchange_services.poll_settlements(now, within=FIRST_SECONDS)
    poll_borrow_rates(now)
    poll_activity(now)


def _exchange(code: str, short_code: str, name: str) -> Exchange:
    exchange, _ = Exchange.objects.get_or_create(
        code=code, mode=Mode.REHEARSAL, defaults={"short_code": short_code, "name": name}
    )
    return exchange


def _user() -> tuple[User, str | None]:
    existing = User.objects.filter(username=USERNAME).first()
    if existing is not None:
        return existing, None
    password = secrets.token_urlsafe(9)
    user = User.objects.create_superuser(USERNAME, password=password)
    return user, password


def _accounts(
    user: User, family: str, exchanges: Sequence[Exchange], register: RegisterAccount
) -> None:
    """One key per company, as at the real venues: spot and futures of Binance share it."""
    held = ExchangeAccount.objects.for_user(user).filter(exchange__in=exchanges)
    if held.count() >= len(exchanges):
        return
    # A form that each takes: a wallet's address and its agent's private key at Hyperliquid.
    api_key, secret = f"0x{secrets.token_hex(20)}", f"0x{secrets.token_hex(32)}"
    passphrase = secrets.token_hex(8)
    register(family, api_key, secret, BALANCES[family], passphrase)
    for exchange in exchanges:
        store_account(
            user=user,
            exchange=exchange,
            label="main",
            api_key=api_key,
            secret=secret,
            passphrase=passphrase,
        )
