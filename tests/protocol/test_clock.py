"""A machine whose clock is off signs with the venue's time, once the venue has told it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.streams import CcxtAccountStream
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.errors import ClockRefused, VenueUnavailable
from exchanges.venues import PROFILES
from tests.protocol.conftest import DATED, Desk, Simulator, run

pytestmark = pytest.mark.protocol


# A little further ahead than a venue takes.
AHEAD = {"okx": 31}


def client_with_clock(simulator: Simulator, desk: Desk, off: timedelta) -> VenueClient:
    return VenueClient(
        Catalogue(PROFILES[desk.venue]),
        credential=Credential(
            api_key=desk.key.api_key, secret=desk.key.secret, passphrase=desk.key.passphrase
        ),
        simulator_url=simulator.url,
        surroundings=Surroundings(now=lambda: datetime.now(UTC) + off),
    )


@pytest.mark.parametrize("seconds", [-60, None, 60])
@pytest.mark.parametrize("desk", ["binance", *DATED], indirect=True)
def test_a_clock_that_is_off_is_set_by_the_venues_own_once_it_refused_a_request(
    simulator: Simulator, desk: Desk, seconds: int | None
) -> None:
    off = timedelta(seconds=seconds or AHEAD.get(desk.venue, 2))
    client = client_with_clock(simulator, desk, off)
    trading = CcxtTrading(client)
    try:
        with pytest.raises(ClockRefused):
            run(trading.open_orders(desk.symbol))

        assert run(trading.open_orders(desk.symbol)) == []
        assert abs(run(trading.clock_error()) - off) < timedelta(seconds=1)
    finally:
        run(client.close())


@pytest.mark.parametrize("minutes", [-60, 60])
@pytest.mark.parametrize("desk", ["binance", *DATED], indirect=True)
def test_an_account_is_heard_by_a_machine_whose_clock_is_off(
    simulator: Simulator, desk: Desk, minutes: int
) -> None:
    client = client_with_clock(simulator, desk, timedelta(minutes=minutes))

    async def opened() -> None:
        is_open = asyncio.Event()
        stream = CcxtAccountStream(client).run(lambda fact: None, is_open.set)
        listening = asyncio.create_task(stream)
        try:
            async with asyncio.timeout(10):
                await is_open.wait()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    try:
        run(opened())
    finally:
        run(client.close())


@pytest.mark.parametrize("desk", ["binanceusdm"], indirect=True)
def test_a_venue_that_tells_no_time_leaves_the_clock_unknown(
    undisturbed: Simulator, desk: Desk
) -> None:
    undisturbed.disturb("server_error", venue=desk.venue, path="/fapi/v1/time", status=500)
    client = VenueClient(Catalogue(PROFILES[desk.venue]), simulator_url=undisturbed.url)
    try:
        with pytest.raises(VenueUnavailable, match="could not be read within 1 s"):
            run(client.clock_error())
        assert abs(run(client.clock_error())) < timedelta(seconds=1)
    finally:
        run(client.close())


@pytest.mark.parametrize(
    ("desk", "path", "body"),
    [
        ("binanceusdm", "/fapi/v1/time", '{"serverTime":4102444800000}'),
        ("bybit", "/v5/market/time", '{"retCode":0,"retMsg":"OK","time":-1,"result":{}}'),
        ("kraken", "/0/public/Time", '{"error":[],"result":{"unixtime":4102444800}}'),
    ],
    indirect=["desk"],
)
def test_nothing_is_signed_by_a_time_that_no_clock_shows(
    undisturbed: Simulator, desk: Desk, path: str, body: str
) -> None:
    """Kraken would refuse whatever comes after a number made of the year 2100."""
    undisturbed.disturb("garbage", venue=desk.venue, path=path, body=body)
    client = VenueClient(Catalogue(PROFILES[desk.venue]), simulator_url=undisturbed.url)
    try:
        with pytest.raises(VenueUnavailable, match="could not be read within 1 s"):
            run(client.clock_error())
        assert client.exchange.options["timeDifference"] == 0
    finally:
        run(client.close())
