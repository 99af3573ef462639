"""What Carry asks of each venue in a quiet minute, by what its calls weigh, within what it regains.

Each call that the schedules make is made once at the simulator and weighed by the quotas; how
often it is made is what the schedules say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Generator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from arbsite.schedules import SLOTS
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.depths import LEVELS
from exchanges.domain import InstrumentKind, SettlementKind
from exchanges.limits.buckets import Use
from exchanges.limits.limiter import Limiter
from exchanges.venues import PROFILES
from tests.simulator.nearby import call, surroundings_of
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVERY = {slot.task.rpartition(".")[2]: slot.every for slot in SLOTS}
# An exposed account is compared so often, and every process reads lists for itself.
COMPARED_EVERY, PROCESSES = timedelta(seconds=5), 4
CONTRACTS = 300
# How many books can be read as often as the schedule wants; of more each is read more rarely.
MOST = 12
BOOKS = {"hyperliquid": 6, "kraken": 1}
VENUES = sorted(name for name, profile in PROFILES.items() if not profile.read_only)


class Scales(Limiter):
    """Lets everything pass and adds up what it weighs."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: Counter[str] = Counter()
        self.sizes: dict[str, Use] = {}

    async def take(self, uses: Sequence[Use], **_: Any) -> None:
        for use in uses:
            self.weights[use.scope] += round(use.cost)
            self.sizes[use.scope] = use


@dataclass
class Quiet:
    """One account at a venue, and what each call of it weighs."""

    client: VenueClient
    scales: Scales

    def weigh(self, ask: Awaitable[Any]) -> Counter[str]:
        self.scales.weights.clear()
        call(cast("Any", ask), 60)
        return Counter(self.scales.weights)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    yield World(tmp_path_factory.mktemp("venues"), interval_minutes=60, watched=True)


def quiet_at(world: World, venue: str) -> Quiet:
    keys, scales = world.account(venue), Scales()
    client = VenueClient(
        Catalogue(PROFILES[venue]),
        credential=Credential(api_key=keys.api_key, secret=keys.secret, passphrase=keys.passphrase),
        surroundings=replace(surroundings_of(world), limiter=scales, address="here"),
    )
    call(client.ready(), 60)
    return Quiet(client, scales)


def a_minute(quiet: Quiet, world: World) -> dict[str, dict[str, float]]:
    """Return what each job takes of each quota in a minute, books one; sockets live."""
    data, account = CcxtMarketData(quiet.client), CcxtAccount(quiet.client)
    trading, profile = CcxtTrading(quiet.client), quiet.client.profile
    listed = [row.instrument for row in quiet.client.listings.by_symbol.values()]
    contracts = [row for row in listed if row.kind is not InstrumentKind.SPOT] or listed
    symbol, since = contracts[0].symbol, world.at - HOUR
    hours = 1 if profile.settlement in (SettlementKind.HOURLY, SettlementKind.ACCRUED) else 8
    settled = CONTRACTS / (60 * hours) if profile.settled_funding else 0
    found: dict[str, dict[str, float]] = {}

    def job(name: str, ask: Awaitable[Any], times: float) -> None:
        weights = quiet.weigh(ask)
        total = found.setdefault(name, defaultdict(float))
        for scope, weight in weights.items():
            total[scope] += weight * times

    job("books", data.depth(symbol, levels=LEVELS), MINUTE / EVERY["read_books"])
    job("activity", data.activity(), MINUTE / EVERY["poll_activity"])
    job("maintenance", data.maintenance(), MINUTE / EVERY["poll_maintenance"])
    job("lists", data.instruments(), PROCESSES * (MINUTE / profile.relisted_every))
    if profile.polled_every is not None:
        job("rates", data.funding_rates(), MINUTE / profile.polled_every)
    if profile.book_rests:
        job("resting", data.book_tops(), MINUTE / profile.book_rests)
    if settled:
        job("history", data.settled_funding(symbol, since=since), settled)
    job("compared", account.positions(), MINUTE / COMPARED_EVERY)
    for ask in (account.positions(), account.balances(), trading.open_orders()):
        job("reconciled", ask, MINUTE / EVERY["reconcile_accounts"])
    for ask in (account.positions(), account.balances()):
        job("equity", ask, MINUTE / EVERY["snapshot_equity"])
    return found


@pytest.mark.parametrize("venue", VENUES)
def test_a_quiet_minute_leaves_every_bucket_as_full_as_it_was(world: World, venue: str) -> None:
    """What takes no more than is regained leaves the fifth for closing, and more, untouched."""
    quiet = quiet_at(world, venue)
    found = a_minute(quiet, world)
    call(quiet.client.close())
    books, past = BOOKS.get(venue, MOST), found.pop("history", defaultdict(float))
    one_book = found.pop("books")

    for scope, use in quiet.scales.sizes.items():
        regained, present = use.size.rate * 60, sum(told[scope] for told in found.values())
        assert present + books * one_book[scope] <= regained, scope
        # The past comes last: what one book leaves of the minute is enough for it.
        assert past[scope] + present + one_book[scope] <= regained, scope
