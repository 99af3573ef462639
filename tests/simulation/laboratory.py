"""What a process makes once for all its runs: schema, users, accounts, clients, the event loop."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.conf import settings

from arbsite.accounts.models import User
from exchanges import selectors
from exchanges.account_keys import store_account
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.limits.limiter import Limiter
from exchanges.models import Exchange, ExchangeAccount, Instrument, SettledFundingRate
from exchanges.modes import Mode
from exchanges.outcomes import Outcome, Outcomes
from exchanges.sealing import create_key_file
from exchanges.services import store_listing
from exchanges.venues import PROFILES
from tests.simulation.calls import ServiceCalls
from tests.simulation.crash import Boundaries
from tests.simulation.database import Database, Ids
from tests.simulation.doorbells import Doorbells
from tests.simulation.flood import flood
from tests.simulation.markets import (
    ALL_VENUES,
    PERPETUALS,
    WITH_PASSPHRASE,
    api_key,
    secret_of,
)
from tests.simulation.memory import MemoryRedis
from tests.simulation.sinks import Sinks
from tests.simulation.timeline import START, Timeline, TimelineLoop, forget_tasks
from tests.simulation.transport import InProcessSession
from tests.simulation.venue_side import (
    ADDRESS,
    PASSPHRASE,
    USERS,
    VenueSide,
    credential_name,
)
from trading.services import configure, engine, evaluate, lookup
from trading.services.check_keys import check_keys
from trading.services.equity import read_accounts
from trading.services.fees import refresh_fees
from trading.services.venues import Venues

CONFIGURATION: dict[str, object] = {
    "auto_entry": True,
    "symbols": ["BTC-USDT", "ETH-USDT"],
    "carry_estimator": "predicted",
    "persistence": "0",
    "hold_horizon": "0.5",
    "max_position_per_pair_usd": "12000",
    "settlement_guard": "5",
    "next_arbitrage_opening_delay": "20",
    "max_spread": "0.9",
    "order_fill_timeout_seconds": "10",
}

COLLECTED = gc.get_threshold()


class Laboratory:
    """One per process. `begin` gives each run its own venues, database and moment zero."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.loop = TimelineLoop(self.timeline)
        self.boundaries = Boundaries()
        self.database = Database(self.boundaries)
        self.ids = Ids()
        self.redis = MemoryRedis()
        self.doorbells = Doorbells()
        self.outcomes = Outcomes()
        self.sinks = Sinks(self.database, self.redis, self.doorbells)
        # One process has all of each limit; what Redis keeps outlives its deaths.
        self.limiter = Limiter(share=1, now=lambda: self.timeline.at.timestamp())
        self.far: VenueSide | None = None
        self.calls = ServiceCalls(self.loop, self.boundaries)
        self.clients: dict[UUID, VenueClient] = {}
        # What Carry's machine believes the time is; a run may set it wrong.
        self.clock: Callable[[], datetime] = lambda: self.timeline.at
        self._is_built = False
        self._readers: dict[str, VenueClient] = {}
        self._ports: dict[UUID, tuple[CcxtTrading, CcxtAccount]] = {}
        self.venues = Venues(
            trading=lambda account: self._ports[account.pk][0],
            account=lambda account: self._ports[account.pk][1],
            call=self.calls.call,
            call_all=self.calls.call_all,
            clock=lambda: self.clock(),
            relist=self._list,
            probe=lambda exchange: CcxtMarketData(self._readers[exchange.code]).server_time(),
        )

    @contextmanager
    def open(self) -> Generator[Laboratory]:
        """Make the simulated world this process's database, board and source of ids for a while."""
        with self.database.in_use(), self.ids.in_use():
            selectors.stand_in_for_board(self.redis)  # type: ignore[arg-type]  # what is used of it
            handlers, logging.root.handlers = logging.root.handlers, [self.sinks.lines]
            level = logging.root.level
            logging.root.setLevel(logging.INFO)
            try:
                # Rows come and go by the hundred thousand and form no circles.
                gc.set_threshold(200_000, 50, 50)
                if not self._is_built:
                    self.database.migrate()
                    self._make_template()
                    self._is_built = True
                    gc.freeze()
                yield self
            finally:
                gc.set_threshold(*COLLECTED)
                self.boundaries.disarm()
                forget_tasks(self.loop)
                logging.root.handlers = handlers
                logging.root.setLevel(level)
                selectors.stand_in_for_board(None)

    def close(self) -> None:
        """Close the clients; the laboratory is of no use afterwards."""
        for client in (*self.clients.values(), *self._readers.values()):
            self.loop.run_until_complete(client.close())
        self.loop.close()

    def begin(self, seed: int) -> VenueSide:
        """Start anew: venues of this seed, the first rows, the first moment."""
        self.boundaries.disarm()
        forget_tasks(self.loop)
        self.timeline.listener = None
        self.timeline.restart()
        self.ids.restart(seed)
        self.redis.flush()
        self.limiter.forget()
        self.forget_clocks()
        self.outcomes.take()
        self.doorbells.take()
        self.sinks.forget()
        self.database.restore()
        evaluate._shared.cache_clear()
        lookup.not_found_since.clear()
        raw = self.database.connection.connection
        self.far = VenueSide(seed, self.timeline, self.boundaries, raw)
        self.timeline.listener = self.far.beat
        return self.far

    def forget_clocks(self) -> None:
        """Let no client know the venue's time, as at the beginning of a process."""
        for client in (*self.clients.values(), *self._readers.values()):
            client.forget_clock()

    def let_polls_take_all(self, venue: str) -> None:
        """Leave of a venue's limits only what no poll may take."""
        self.loop.run_until_complete(flood(venue, self.limiter))

    def _surroundings(self, venue: str) -> Surroundings:
        return Surroundings(
            now=lambda: self.clock(),
            monotonic=lambda: self.timeline.seconds,
            session=self._session,
            limiter=self.limiter,
            address=ADDRESS,
            note=lambda symptom: self.outcomes.note(
                Outcome(venue=venue, mode=Mode.REHEARSAL, symptom=symptom)
            ),
            note_block=lambda block: self.outcomes.note(
                Outcome(venue=venue, mode=Mode.REHEARSAL, block=block)
            ),
        )

    def _session(self) -> InProcessSession:
        return InProcessSession(self._far)

    def _far(self) -> VenueSide:
        assert self.far is not None
        return self.far

    def _make_template(self) -> None:
        if not settings.CARRY_KEY_FILE.exists():
            create_key_file(settings.CARRY_KEY_FILE)
        self.ids.restart(0)
        self.database.connection.ensure_connection()
        raw = self.database.connection.connection
        self.far = VenueSide(0, self.timeline, self.boundaries, raw)
        catalogues = {venue: Catalogue(PROFILES[venue]) for venue in ALL_VENUES}
        users = [User.objects.create_user(name) for name in USERS]
        for venue in ALL_VENUES:
            exchange = self._exchange(venue, catalogues[venue])
            for user in users:
                self._account(user, exchange, catalogues[venue])
        for user in users:
            configure.save(
                user=user, values=CONFIGURATION, expected_version=0, actor="set-up", now=START
            )
            engine.resume(user=user, actor="set-up", now=START)
        check_keys(venues=self.venues, now=START)
        refresh_fees(venues=self.venues, now=START)
        read_accounts(
            ExchangeAccount.objects.select_related("exchange"), venues=self.venues, now=START
        )
        # A day reads what it trades at; which accounts are in use is said at its beginning.
        ExchangeAccount.objects.exclude(exchange__code__in=PERPETUALS.venues).update(
            is_active=False
        )
        self.database.keep()

    def _exchange(self, venue: str, catalogue: Catalogue) -> Exchange:
        exchange = Exchange.objects.create(
            code=venue,
            mode=Mode.REHEARSAL,
            short_code=PROFILES[venue].short_code,
            name=venue,
        )
        self._readers[venue] = VenueClient(catalogue, surroundings=self._surroundings(venue))
        self._list(exchange, START)
        for instrument in Instrument.objects.filter(exchange=exchange, kind="perpetual"):
            self._store_history(instrument)
        return exchange

    def _list(self, exchange: Exchange, now: datetime) -> list[str]:
        """Store what a venue lists, as the poll does, and a refusal that calls it outdated."""
        data = CcxtMarketData(self._readers[exchange.code])
        listed = self.calls.call(data.instruments(), 60)
        is_spot = PROFILES[exchange.code].is_spot
        rates = [] if is_spot else self.calls.call(data.funding_rates(), 60)
        return store_listing(exchange, listed, rates, now)

    def _store_history(self, instrument: Instrument) -> None:
        far = self._far()
        listing = far.simulator.market.listings.get(
            (instrument.exchange.code, instrument.venue_symbol)
        )
        if listing is None:
            return
        SettledFundingRate.objects.bulk_create(
            SettledFundingRate(
                instrument=instrument,
                settled_at=row.at,
                funding_rate=row.rate,
                settlement_price=row.price,
            )
            for row in far.simulator.settled(listing, now=START)[-20:]
        )

    def _account(self, user: User, exchange: Exchange, catalogue: Catalogue) -> None:
        key = api_key(user.username, exchange.code)
        secret = secret_of(key)
        passphrase = PASSPHRASE if exchange.code in WITH_PASSPHRASE else ""
        account = store_account(
            user=user,
            exchange=exchange,
            label="main",
            api_key=key,
            secret=secret,
            passphrase=passphrase,
        )
        # The key file is another one in each process, and rows are read in the order of an index.
        account.key_fingerprint = credential_name(user.username, exchange.code)
        account.save(update_fields=["key_fingerprint"])
        client = VenueClient(
            catalogue,
            credential=Credential(
                name=account.key_fingerprint,
                tenant=user.username,
                api_key=key,
                secret=secret,
                passphrase=passphrase,
            ),
            surroundings=self._surroundings(exchange.code),
        )
        self.clients[account.pk] = client
        self._ports[account.pk] = (CcxtTrading(client), CcxtAccount(client))
