"""A stablecoin's rate from the venue's own book to the gate that it shuts and the alert."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from arbsite.accounts.models import User
from exchanges.ccxt_adapter.client import Catalogue
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import Symbol
from exchanges.models import Exchange, Instrument, StablecoinRate
from exchanges.services import store_listing
from exchanges.simulator.listings import SPOT
from exchanges.stablecoins import LEVELS, poll_stablecoins, store_stablecoin_rates
from exchanges.venues import PROFILES
from tests.market import NOW, D
from tests.services.conftest import Desk
from tests.services.scan_market import Market, make_market
from tests.simulator.nearby import call, client_at
from tests.simulator.world import World
from trading.models import Event
from trading.services.depegs import tell_of_depegs

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]


def tell_rate(world: World, exchange: Exchange) -> StablecoinRate:
    """Read the market of both coins from the venue, as the poll does, and keep its rate."""
    market = exchange.instruments.get(symbol="USDC/USDT")
    data = CcxtMarketData(client_at(world, SPOT, Catalogue(PROFILES[SPOT])))
    try:
        depth = call(data.depth(Symbol(market.symbol), levels=LEVELS), 60)
    finally:
        call(data.close())
    assert store_stablecoin_rates([(market, depth)]) == 1
    return StablecoinRate.objects.get()


def test_the_rate_is_the_mid_of_the_venues_own_book_with_its_age(tmp_path: Path) -> None:
    world = World(tmp_path, stablecoins=("USDC",))
    exchange = Exchange.objects.create(code=SPOT, short_code="BIS", name="Binance spot")
    data = CcxtMarketData(client_at(world, SPOT, Catalogue(PROFILES[SPOT])))
    store_listing(exchange, call(data.instruments(), 60), (), world.at)
    call(data.close())

    calm = tell_rate(world, exchange)
    world.wait(seconds=10)
    world.pin(SPOT, "USDCUSDT", price="0.9900")
    off = tell_rate(world, exchange)

    assert abs(calm.mid - 1) < D("0.0005")
    assert (abs(off.mid - D("0.99")) < D("0.0002"), off.observed_at) == (True, world.at)
    assert (off.instrument.base, off.instrument.quote) == ("USDC", "USDT")


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def set_rate(mid: str, *, age: timedelta = timedelta(0), mode: str = "rehearsal") -> None:
    exchange, _ = Exchange.objects.get_or_create(
        code="binance", defaults={"short_code": "BIS", "name": "Binance spot", "mode": mode}
    )
    perpetual = Instrument.objects.filter(kind="perpetual").first()
    assert perpetual is not None
    perpetual.pk, perpetual.exchange, perpetual.kind = None, exchange, "spot"
    perpetual.symbol, perpetual.venue_symbol = "USDC/USDT", "USDCUSDT"
    perpetual.base, perpetual._state.adding = "USDC", True
    listed = exchange.instruments.filter(symbol="USDC/USDT").first()
    if listed is None:
        perpetual.save(force_insert=True)
        listed = perpetual
    StablecoinRate.objects.update_or_create(
        instrument=listed, defaults={"mid": D(mid), "observed_at": NOW - age}
    )


def test_half_a_percent_of_depeg_shuts_the_gate_and_its_end_opens_it(market: Market) -> None:
    set_rate("0.9951")
    assert market.judge().refusal is None

    set_rate("0.9940")
    assert market.refusal() == (
        "depeg",
        "1 USDC is 0.994 USDT at Binance spot, 0.60 % off its peg; nothing is opened from "
        "0.50 % on.",
    )

    set_rate("1", age=timedelta(minutes=3))
    assert market.refusal()[0] == "peg_unread"

    set_rate("1")
    assert market.judge().refusal is None


def test_a_simulated_depeg_bars_no_other_mode(market: Market) -> None:
    set_rate("0.9", mode="paper")

    assert market.judge().refusal is None
    assert tell_of_depegs(now=NOW) == 0


def test_a_depeg_is_told_as_a_warning_and_from_one_percent_on_as_critical(market: Market) -> None:
    set_rate("0.9951")
    assert tell_of_depegs(now=NOW) == 0
    set_rate("0.9950")
    assert tell_of_depegs(now=NOW) == 1
    assert tell_of_depegs(now=NOW + timedelta(seconds=10)) == 0
    set_rate("1.0100")
    assert tell_of_depegs(now=NOW + timedelta(seconds=20)) == 1

    told = Event.objects.filter(kind__startswith="depeg").order_by("pk")
    assert list(told.values_list("kind", "severity")) == [
        ("depeg.warning", Event.Severity.WARNING),
        ("depeg.critical", Event.Severity.CRITICAL),
    ]
    assert told[1].sentence.startswith("1 USDC is 1.01 USDT at Binance spot, 1.00 % off its peg")


def test_the_poll_reads_the_market_of_two_stablecoins_and_no_other(desk: Desk) -> None:
    assert poll_stablecoins() == 0

    # The rehearsal lists no second coin: a market of another asset stands in for it.
    Instrument.objects.filter(exchange__code=SPOT, symbol="SOL/USDT").update(base="USDC")
    assert poll_stablecoins() == 1

    kept = StablecoinRate.objects.get()
    assert kept.instrument.symbol == "SOL/USDT"
    assert 100 < kept.mid < 250
    assert abs(timezone.now() - kept.observed_at) < timedelta(seconds=30)
