"""A desk at simulated venues: real protocols over loopback, real services, no doubles."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from arbsite.accounts.models import User
from exchanges import registry, selectors
from exchanges.account_keys import account_key
from exchanges.limits.limiter import PREFIX
from exchanges.market_poll import poll_market
from exchanges.models import (
    AccountFee,
    Exchange,
    ExchangeAccount,
    Instrument,
    RiskTiers,
    SettledFundingRate,
)
from tests.machine import wait_until
from tests.rehearsal import RunningRedis, RunningSimulator
from tests.services.memory_board import board_in_memory
from tests.services.strategy_desk import StrategyDesk
from tests.simulator.world import START
from trading.core.parameters import Parameters
from trading.core.states import PositionState
from trading.models import Leg, LegSide, Position
from trading.services.check_keys import check_keys
from trading.services.demo import VALUES, seed_demo
from trading.services.drive import drive
from trading.services.equity import read_accounts, snapshot_equity
from trading.services.sweep import sweep
from trading.services.venues import REAL


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningSimulator]:
    running = RunningSimulator(Path(tmp_path_factory.mktemp("simulator")))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def redis_server() -> Generator[RunningRedis]:
    running = RunningRedis()
    yield running
    running.stop()


# Where these tests trade: to read more venues for each of them would take its time.
TRADED_HERE = ("binance", "binanceusdm", "bybit")
# As many settlements as any rule looks at.
SETTLEMENTS = 20
# A busy machine may take seconds for each step of an entry; a test that wants it over ends it.
ENTRY_LASTS = timedelta(seconds=60)


class Listed:
    """What the simulated venues list, have settled and charge: to read it takes seconds."""

    def __init__(self) -> None:
        self._exchanges: list[Exchange] = []
        self._instruments: list[Instrument] = []
        self._tiers: list[RiskTiers] = []
        self._settled: list[SettledFundingRate] = []
        self._fees: list[AccountFee] = []

    def restore(self) -> None:
        """Write what an earlier test of this process read, if one did."""
        Exchange.objects.bulk_create(self._exchanges)
        Instrument.objects.bulk_create(self._instruments)
        RiskTiers.objects.bulk_create(self._tiers)
        SettledFundingRate.objects.bulk_create(self._settled)

    def charge(self) -> None:
        """Write the fees of the accounts, as new as if they had just been asked for."""
        accounts = {account.exchange_id: account for account in ExchangeAccount.objects.all()}
        for fee in self._fees:
            fee.pk, fee.observed_at = None, timezone.now()
            fee.account = accounts[fee.instrument.exchange_id]
        AccountFee.objects.bulk_create(self._fees)

    def keep(self) -> None:
        """Keep what is stored now; of the settlements the latest, for this test too."""
        self._exchanges = list(Exchange.objects.all())
        self._instruments = list(Instrument.objects.all())
        self._tiers = list(RiskTiers.objects.all())
        self._fees = list(AccountFee.objects.select_related("instrument"))
        latest = SettledFundingRate.objects.order_by("-settled_at")
        self._settled = [
            row
            for instrument in self._instruments
            for row in latest.filter(instrument=instrument)[:SETTLEMENTS]
        ]
        latest.delete()
        SettledFundingRate.objects.bulk_create(self._settled)


@pytest.fixture(scope="session")
def listed(simulator: RunningSimulator) -> Listed:
    return Listed()


@pytest.fixture(scope="module")
def own_clients(simulator: RunningSimulator) -> Generator[None]:
    """Share clients in a module, and with no other: these may talk to other simulators."""
    registry.close_all()
    yield
    registry.close_all()


@dataclass
class Desk:
    """The demo user with accounts at the simulated venues."""

    user: User
    simulator: RunningSimulator

    def instrument(self, venue: str, base: str = "BTC") -> Instrument:
        return Instrument.objects.select_related("exchange").get(
            exchange__code=venue, symbol=f"{base}/USDT:USDT"
        )

    def account(self, venue: str) -> ExchangeAccount:
        return ExchangeAccount.objects.select_related("exchange").get(
            user=self.user, exchange__code=venue
        )

    def api_key(self, venue: str) -> str:
        return account_key(self.account(venue)).api_key

    def ledger(self, venue: str) -> dict[str, object]:
        return self.simulator.ledger(self.api_key(venue))

    def read_accounts(self) -> None:
        """Read balances, as the minutely snapshot does."""
        accounts = ExchangeAccount.objects.for_user(self.user).select_related("exchange")
        assert read_accounts(accounts, venues=REAL, now=timezone.now()) == 3

    def refresh_market(self) -> None:
        poll_market(timezone.now(), force=True)

    def plan(
        self,
        *,
        base: str = "BTC",
        long_venue: str = "binanceusdm",
        short_venue: str = "bybit",
        base_quantity: str = "0.1",
    ) -> Position:
        """Write a planned position as an entry does, without asking whether it pays."""
        for venue in (long_venue, short_venue):
            pin = {"venue": venue, "symbol": f"{base}USDT", "release": True, "freeze": True}
            self.simulator.control("POST", "/market", pin)
        instruments = [self.instrument(venue, base) for venue in (long_venue, short_venue)]
        self.await_books(instruments)
        now = timezone.now()
        board = selectors.market_board()
        position = Position.objects.create(
            user=self.user,
            mode="rehearsal",
            base=base,
            strategy="funding_spread",
            open_reason="funding",
            size_usd=Decimal(6000),
            target_base_quantity=Decimal(base_quantity),
            parameters=Parameters.from_values(VALUES).to_values(),
            configuration_version=1,
            entry_funding_spread=Decimal("0.001"),
            opened_by="test",
            created_at=now,
            entry_deadline=now + ENTRY_LASTS,
        )
        for index, (side, instrument) in enumerate(
            zip((LegSide.LONG, LegSide.SHORT), instruments, strict=True)
        ):
            row = board.row(*selectors.instrument_key(instrument))
            assert row is not None
            assert row.book is not None
            Leg.objects.create(
                position=position,
                index=index,
                side=side,
                account=self.account(instrument.exchange.code),
                instrument=instrument,
                leverage=Decimal(2),
                decision_entry_mid=row.book.mid,
                taker_fee=Decimal("0.0005"),
            )
        return position

    def enter(self, **plan: str) -> Position:
        """Plan, send the first leg and let the market come to it by 5 bp."""
        position = self.plan(**plan)
        drive(position.pk)
        leg = position.legs.select_related("instrument__exchange").order_by("index")[0]
        self.move(leg, -leg.sign * Decimal("0.0005"))
        return position

    def price(self, position: Position, price: str) -> None:
        """Put all markets of a position at a price, as if its entry had been decided there."""
        for leg in position.legs.select_related("instrument__exchange"):
            self.simulator.pin(leg.instrument.exchange.code, leg.instrument.base, price=price)
        position.legs.update(decision_entry_mid=Decimal(price))
        self.await_books([leg.instrument for leg in position.legs.all()])

    def await_books(self, instruments: Sequence[Instrument]) -> None:
        """Read the market until all books are younger than this call.

        On a busy machine a poll may bring nothing, and the price of before would be traded on.
        """
        asked_at = timezone.now()
        keys = [selectors.instrument_key(instrument) for instrument in instruments]

        def are_told() -> bool:
            self.refresh_market()
            board = selectors.market_board()
            books = [row.book if (row := board.row(*key)) else None for key in keys]
            return all(book is not None and book.observed_at >= asked_at for book in books)

        wait_until(are_told, timeout=20, what=f"the venues tell {instruments}")

    def move(self, leg: Leg, part: Decimal) -> None:
        """Move a leg's market by a part of the price it was decided on."""
        self.simulator.control(
            "POST",
            "/market",
            {
                "venue": leg.instrument.exchange.code,
                "symbol": leg.instrument.venue_symbol,
                "price": str(leg.decision_entry_mid * (1 + part)),
            },
        )

    def drive_until(
        self, position: Position, *states: PositionState, timeout: float = 30
    ) -> Position:
        """Let the sweep drive, with fresh prices, until the position is in one of `states`."""

        stopped: list[str] = []

        def has_arrived() -> bool:
            self.refresh_market()
            stopped.append(drive(position.pk))
            sweep()
            position.refresh_from_db()
            return position.state in states

        try:
            wait_until(has_arrived, timeout=timeout, what=f"{position} reaches {states}")
        except AssertionError:
            pytest.fail("\n".join([*self.story(position), *dict.fromkeys(stopped)]))
        return position

    def story(self, position: Position) -> list[str]:
        """Return the position's journal and orders in words, for a test that failed."""
        changes = [f"{c.at:%X.%f} {c.order or ''} {c} {c.cause}" for c in position.changes.all()]
        orders = [
            f"{o} {o.state} filled {o.filled_base_quantity} final {o.is_final_at_venue}"
            for o in position.orders.all()
        ]
        return [*changes, *orders]


@pytest.fixture
def desk(
    transactional_db: None,
    simulator: RunningSimulator,
    redis_server: RunningRedis,
    own_clients: None,
    listed: Listed,
    settings: Settings,
) -> Generator[Desk]:
    settings.CARRY_SIMULATOR_URL = simulator.url
    settings.REDIS_URL = redis_server.url
    selectors.board_redis.cache_clear()
    open_accounts(simulator, listed)
    refill_limits()
    yield Desk(user=User.objects.get(username="demo"), simulator=simulator)
    simulator.no_faults()
    selectors.board_redis().close()
    selectors.board_redis.cache_clear()


def refill_limits() -> None:
    """Give a test all that the venues allow: the reads before it took much of it."""
    registry.limiter().forget()
    redis = selectors.board_redis()
    for key in redis.scan_iter(f"{PREFIX}*"):
        redis.delete(key)


def open_accounts(simulator: RunningSimulator, listed: Listed) -> None:
    """Seed the demo; what its first start reads of the market is read once for all tests."""
    listed.restore()
    is_first, now = not Instrument.objects.exists(), timezone.now()
    seed_demo(register=simulator.register, listed=TRADED_HERE, now=now)
    if is_first:
        listed.keep()
    else:
        listed.charge()
        check_keys(venues=REAL, now=now)
        snapshot_equity(venues=REAL, now=now)


@pytest.fixture
def strategy_desk(tmp_path: Path, db: None) -> Generator[StrategyDesk]:
    """Venues in this process with a future that ends in 30 hours and one in 81 days."""
    with board_in_memory() as memory:
        expiries = START + timedelta(hours=30), START + timedelta(days=81)
        desk = StrategyDesk(tmp_path / "venues", memory, expiries=expiries)
        yield desk
        desk.close()
