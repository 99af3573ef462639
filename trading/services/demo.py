"""The rehearsal a newcomer starts with: simulated venues, one user, automation that trades soon."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

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
from trading.services.venues import REAL

USERNAME = "demo"
VENUES = (
    ("binance", "BIS", "Binance spot", "binance"),
    ("binanceusdm", "BIN", "Binance", "binance"),
    ("bybit", "BYB", "Bybit", "bybit"),
)
BALANCES: dict[str, Mapping[str, object]] = {
    "binance": {"spot": {"USDT": "50000"}, "usdm": {"USDT": "100000"}},
    "bybit": {"USDT": "100000"},
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

RegisterAccount = Callable[[str, str, str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLogin:
    """The generated login; `password` is None when the user existed before."""

    username: str
    password: str | None


def seed_demo(*, register: RegisterAccount, now: datetime) -> DemoLogin:
    """Create what is missing of the demo; running it again changes nothing that is there.

    `register(venue, api_key, secret, balances)` opens an account at the simulated venue.
    """
    exchanges = {code: _exchange(code, short, name) for code, short, name, _ in VENUES}
    user, password = _user()
    for family in BALANCES:
        _accounts(user, family, exchanges, register)
    if not ConfigurationVersion.objects.filter(user=user).exists():
        configure.save(user=user, values=VALUES, expected_version=0, actor="set-up", now=now)
        engine.resume(user=user, actor="set-up", now=now)
    # Later starts leave it to the hourly task: asking three venues would delay them by seconds.
    if not selectors.active_instruments().exists():
        exchange_services.refresh_instruments(now)
        _read_first_facts(now)
    return DemoLogin(username=USERNAME, password=password)


def _read_first_facts(now: datetime) -> None:
    """Read what the schedules bring within a minute, so that the first page has its figures."""
    check_keys(venues=REAL, now=now)
    refresh_fees(venues=REAL, now=now)
    snapshot_equity(venues=REAL, now=now)
    exchange_services.poll_settlements(now)
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
    user: User, family: str, exchanges: dict[str, Exchange], register: RegisterAccount
) -> None:
    """One key per company, as at the real venues: spot and futures of Binance share it."""
    codes = [code for code, _, _, of in VENUES if of == family]
    if ExchangeAccount.objects.filter(user=user, exchange__code__in=codes).count() == len(codes):
        return
    api_key, secret = secrets.token_hex(16), secrets.token_hex(32)
    register(family, api_key, secret, BALANCES[family])
    for code in codes:
        store_account(
            user=user, exchange=exchanges[code], label="main", api_key=api_key, secret=secret
        )
