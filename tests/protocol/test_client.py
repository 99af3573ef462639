from __future__ import annotations

import logging
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, getcontext, localcontext

import pytest
from ccxt.base.decimal_to_precision import DECIMAL_PLACES, ROUND

from exchanges.ccxt_adapter.library import Credential, Surroundings, create_exchange
from exchanges.venues import PROFILES
from exchanges.venues.profile import VenueProfile

pytestmark = pytest.mark.protocol

KEY = Credential(api_key="visible-key", secret="visible-secret", passphrase="visible-passphrase")


TRADED = sorted(name for name, profile in PROFILES.items() if not profile.read_only)


@pytest.fixture(params=TRADED)
def profile(request: pytest.FixtureRequest) -> VenueProfile:
    return PROFILES[request.param]


def test_order_client_never_retries_and_never_queues(profile: VenueProfile) -> None:
    exchange = create_exchange(profile, credential=KEY)

    assert exchange.options["maxRetriesOnFailure"] == 0
    assert exchange.enableRateLimit is False
    # Hyperliquid's, Deribit's and both Krakens' are signed by us, with their end; Bitget's by how
    # early their stamp is, and at KuCoin what is signed ends after five seconds by itself.
    by_signing = ("hyperliquid", "bitget", "kraken", "krakenfutures", "kucoin", "deribit")
    bounds_by_signing = profile.name in by_signing
    assert (profile.deadline_header or bounds_by_signing) or (
        exchange.options["recvWindow"] == profile.receive_window.total_seconds() * 1000
    )
    assert exchange.timeout <= profile.receive_window.total_seconds() * 1000
    assert exchange.number is Decimal


def test_rounding_in_the_library_changes_no_rounding_of_ours() -> None:
    exchange = create_exchange(PROFILES["binanceusdm"])

    with localcontext(Context(rounding=ROUND_HALF_EVEN)):
        assert exchange.decimal_to_precision("0.125", ROUND, 2, DECIMAL_PLACES) == "0.13"

        assert getcontext().rounding == ROUND_HALF_EVEN
        assert round(Decimal("0.125"), 2) == Decimal("0.12")


@pytest.mark.parametrize("venue", sorted(PROFILES))
def test_the_librarys_own_limiter_is_off_for_data_too(venue: str) -> None:
    assert create_exchange(PROFILES[venue]).enableRateLimit is False


def test_option_that_would_place_an_order_twice_stops_the_start() -> None:
    profile = PROFILES["bybit"]
    options = {**profile.options, "v5/order/create": {"maxRetriesOnFailure": 2}}
    retrying = profile_with(profile, options)

    with pytest.raises(RuntimeError, match="twice"):
        create_exchange(retrying)


def profile_with(profile: VenueProfile, options: dict[str, object]) -> VenueProfile:
    values = {name: getattr(profile, name) for name in VenueProfile.__slots__}
    return VenueProfile(**{**values, "options": options})


def test_orders_name_no_broker() -> None:
    exchange = create_exchange(PROFILES["bybit"], credential=KEY)

    request = exchange.sign("v5/order/create", ["private"], "POST", {"symbol": "BTCUSDT"})

    assert "Referer" not in request["headers"]
    gate = create_exchange(PROFILES["gate"], credential=KEY)
    assert "X-Gate-Channel-Id" not in gate.headers


def test_what_changes_something_says_until_when_where_signing_does_not_bound_it() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    surroundings = Surroundings(now=lambda: at)
    exchange = create_exchange(PROFILES["okx"], credential=KEY, surroundings=surroundings)
    # Ours is two seconds ahead of the venue.
    exchange.options["timeDifference"] = 2_000

    placing = exchange.sign("trade/order", ["private"], "POST", {"clOrdId": "a1"})
    reading = exchange.sign("trade/order", ["private"], "GET", {"clOrdId": "a1"})

    assert placing["headers"]["expTime"] == str(int(at.timestamp() * 1000) - 2_000 + 5_000)
    assert "expTime" not in reading["headers"]


def test_library_logs_no_requests_at_any_level() -> None:
    exchange = create_exchange(PROFILES["binance"], credential=KEY)

    assert not exchange.logger.isEnabledFor(logging.DEBUG)


def test_credential_shows_nothing() -> None:
    assert "visible" not in repr(KEY)
