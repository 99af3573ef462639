"""The ladder of risk tiers of each venue that tells one, from its own words."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import Symbol
from exchanges.errors import UnexpectedPayload
from exchanges.matching import LeverageTier, maintenance_margin, notional_limit
from exchanges.risk_tiers import NO_CAP, TierLadder, read_ladder
from exchanges.simulator.characters import character_of
from exchanges.simulator.listings import (
    BITGET,
    BYBIT,
    GATE,
    HYPERLIQUID,
    KRAKEN_FUTURES,
    KUCOIN,
    OKX,
    USDM,
)
from exchanges.venues import PROFILES
from tests.simulator.nearby import call, client_at, surroundings_of
from tests.simulator.world import World

pytestmark = pytest.mark.protocol

D = Decimal
BTC = Symbol("BTC/USDT:USDT")
SYMBOLS = {HYPERLIQUID: Symbol("BTC/USDC:USDC"), KRAKEN_FUTURES: Symbol("BTC/USD:USD")}
PRICE = D(character_of("BTC").start_price)
# Where a higher tier's rate counts for the part within it alone.
BY_PARTS = (BYBIT, GATE, HYPERLIQUID, USDM)
OPEN_ENDED = (HYPERLIQUID, KRAKEN_FUTURES)
VENUES = (BITGET, BYBIT, GATE, HYPERLIQUID, KRAKEN_FUTURES, KUCOIN, OKX, USDM)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, watched=True)


@pytest.fixture(params=VENUES)
def venue(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def client(world: World, venue: str) -> Generator[VenueClient]:
    client = client_at(world, venue, Catalogue(PROFILES[venue]))
    yield client
    call(client.close())


def told(client: VenueClient) -> TierLadder:
    name = client.profile.name
    symbol = SYMBOLS.get(name, BTC)
    port = CcxtAccount(client) if name == USDM else CcxtMarketData(client)
    return call(port.risk_tiers([symbol]))[symbol]


def test_each_venue_tells_the_tiers_it_judges_by(
    world: World, venue: str, client: VenueClient
) -> None:
    listing = world.listing(venue)
    caps = [one.notional_cap for one in listing.tiers]

    ladder = told(client)

    assert [(one.max_leverage, one.maintenance_rate) for one in ladder.tiers] == [
        (one.max_leverage, one.maintenance_rate) for one in listing.tiers
    ]
    found = [one.notional_cap for one in ladder.at(PRICE)]
    if venue in OPEN_ENDED:
        assert found == [*caps[:-1], NO_CAP]
    else:
        # OKX tells whole contracts of 640.
        assert found == [cap // 640 * 640 if venue == OKX else cap for cap in caps]
    amounts = [one.maintenance_amount for one in listing.tiers]
    assert [one.maintenance_amount for one in ladder.tiers] == (
        amounts if venue in BY_PARTS else [0] * len(amounts)
    )


def test_what_a_venue_lowers_is_told_at_the_next_question(
    world: World, venue: str, client: VenueClient
) -> None:
    listing = world.listing(venue)
    leverage, cap = listing.max_leverage, listing.tiers[0].notional_cap
    before = notional_limit(leverage, told(client).at(PRICE))
    half = tuple(replace(one, notional_cap=one.notional_cap / 2) for one in listing.tiers)

    world.simulator.set_tiers(listing, half)

    after = notional_limit(leverage, told(client).at(PRICE))
    assert before == pytest.approx(cap, rel=D("0.02"))
    assert after == pytest.approx(cap / 2, rel=D("0.02"))


def answering(world: World, venue: str, method: str, answer: Any) -> VenueClient:
    """Return a client whose one raw call is answered with this."""
    client = client_at(world, venue, Catalogue(PROFILES[venue]))
    call(client.ready())

    async def answered(*request: Mapping[str, Any]) -> Any:
        return answer

    setattr(client.exchange, method, answered)
    return client


def asked(client: VenueClient) -> TierLadder:
    try:
        return told(client)
    finally:
        call(client.close())


def bybit(world: World, *rows: Mapping[str, Any]) -> TierLadder:
    answer = {"result": {"list": list(rows), "nextPageCursor": ""}}
    return asked(answering(world, BYBIT, "publicGetV5MarketRiskLimit", answer))


# As documented: GET /v5/market/risk-limit, and of a second tier.
FIRST = {
    "id": 1,
    "symbol": "BTCUSDT",
    "riskLimitValue": "2000000",
    "maintenanceMargin": "0.005",
    "initialMargin": "0.01",
    "isLowestRisk": 1,
    "maxLeverage": "100.00",
    "mmDeduction": "",
}
SECOND = FIRST | {
    "id": 2,
    "riskLimitValue": "10000000",
    "maintenanceMargin": "0.01",
    "isLowestRisk": 0,
    "maxLeverage": "50.00",
    "mmDeduction": "10000",
}


def test_bybits_tiers_deduct_what_lower_ones_asked_less_for(world: World) -> None:
    ladder = bybit(world, SECOND, FIRST)

    # 2,000,000 x 0.005 and 1,000,000 x 0.01 of a position of three millions: 20,000.
    assert maintenance_margin(D(3_000_000), ladder.at(PRICE)) == 20_000
    assert notional_limit(D(75), ladder.at(PRICE)) == 2_000_000
    assert notional_limit(D(10), ladder.at(PRICE)) == 10_000_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"riskLimitValue": "0"},
        {"riskLimitValue": None},
        {"riskLimitValue": "Infinity"},
        {"riskLimitValue": "2000000"},
        {"maxLeverage": "150"},
        {"maxLeverage": "0"},
        {"maintenanceMargin": "0"},
        {"maintenanceMargin": "1.5"},
        {"maintenanceMargin": "NaN"},
        {"mmDeduction": "-1"},
        {"symbol": "ETHUSDT"},
    ],
)
def test_tiers_that_make_no_ladder_are_not_taken(world: World, wrong: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedPayload):
        bybit(world, FIRST, SECOND | wrong)


@pytest.mark.parametrize(
    ("coefficient", "cap", "deduction"),
    [
        ({}, 50_000, "50"),
        ({"notionalCoef": 1.0}, 50_000, "50"),
        ({"notionalCoef": 4}, 12_500, "12.5"),
        ({"notionalCoef": 0.5}, 25_000, "25"),
    ],
)
def test_a_bracket_of_binance_is_as_small_as_its_coefficient_may_mean(
    world: World, coefficient: dict[str, Any], cap: int, deduction: str
) -> None:
    brackets = [
        {"notionalCap": 10_000, "initialLeverage": 75, "maintMarginRatio": 0.005, "cum": 0.0},
        {"notionalCap": 50_000, "initialLeverage": 50, "maintMarginRatio": 0.01, "cum": 50.0},
    ]
    answer = [{"symbol": "BTCUSDT", **coefficient, "brackets": brackets}]

    ladder = asked(answering(world, USDM, "fapiPrivateGetLeverageBracket", answer))

    assert ladder.tiers[1] == LeverageTier(
        notional_cap=D(cap),
        max_leverage=D(50),
        maintenance_rate=D("0.01"),
        maintenance_amount=D(deduction),
    )


def test_one_contract_without_a_ladder_costs_no_other_its_own(world: World) -> None:
    good = {"notionalCap": 10_000, "initialLeverage": 75, "maintMarginRatio": 0.005, "cum": 0.0}
    answer = [
        {"symbol": "SOLUSDT", "brackets": [{}]},
        {"symbol": "ETHUSDT", "brackets": [good | {"maintMarginRatio": 0}]},
        {"symbol": "BTCUSDT", "brackets": [good]},
    ]
    client = answering(world, USDM, "fapiPrivateGetLeverageBracket", answer)
    asked_for = [BTC, Symbol("ETH/USDT:USDT"), Symbol("SOL/USDT:USDT"), Symbol("OLD/USDT:USDT")]

    ladders = call(CcxtAccount(client).risk_tiers(asked_for))
    call(client.close())

    assert {symbol: ladder.tiers[0].notional_cap for symbol, ladder in ladders.items()} == {
        BTC: 10_000
    }


def test_tiers_that_make_no_ladder_are_no_illness_of_their_venue(world: World) -> None:
    """Five of them in a row would open its breaker, though nothing is traded by them."""
    symptoms: list[str] = []
    near = surroundings_of(world)
    noting = replace(near, note=symptoms.append)
    client = VenueClient(Catalogue(PROFILES[BYBIT]), surroundings=noting)
    call(client.ready())

    async def answered(*request: Mapping[str, Any]) -> Any:
        return {"result": {"list": [FIRST | {"maxLeverage": "0"}], "nextPageCursor": ""}}

    client.exchange.publicGetV5MarketRiskLimit = answered
    with pytest.raises(UnexpectedPayload, match="no ladder"):
        call(CcxtMarketData(client).risk_tiers([BTC]))
    call(client.close())

    assert not any(symptoms)


def test_hyperliquids_tables_are_counted_as_it_documents(world: World) -> None:
    """Trading, Margin tiers: DOGE on its testnet, 10x to 20,000, 5x to 100,000, then 3x."""
    bounds = [("0.0", 10), ("20000.0", 5), ("100000.0", 3)]
    rows = [{"lowerBound": bound, "maxLeverage": most} for bound, most in bounds]
    meta = {
        "universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 10, "marginTableId": 52}],
        "marginTables": [[52, {"description": "tiered 10x", "marginTiers": rows}]],
    }
    ladder = asked(answering(world, HYPERLIQUID, "publicPostInfo", meta))

    # Half of 1/10, 1/5 and 1/3: 20,000 x 5 %, 80,000 x 10 % and 60,000 x 16.67 %.
    assert maintenance_margin(D(20_000), ladder.tiers) == 1_000
    assert maintenance_margin(D(100_000), ladder.tiers) == 9_000
    assert maintenance_margin(D(160_000), ladder.tiers) == pytest.approx(D(19_000), abs=D("0.01"))
    assert notional_limit(D(4), ladder.tiers) == 100_000
    assert notional_limit(D(3), ladder.tiers) == NO_CAP


# Payloads as the venues' documentation shows them, with a second tier where it shows one.
DOCUMENTED: dict[str, tuple[str, Any, list[list[str]]]] = {
    OKX: (
        "publicGetPublicPositionTiers",
        {
            "code": "0",
            "msg": "",
            "data": [
                {"instFamily": "BTC-USDT", "tier": "1", "minSz": "0", "maxSz": "500"}
                | {"imr": "0.01", "maxLever": "100", "mmr": "0.004", "uly": "BTC-USDT"},
                {"instFamily": "BTC-USDT", "tier": "2", "minSz": "501", "maxSz": "1000"}
                | {"imr": "0.015", "maxLever": "66.66", "mmr": "0.005", "uly": "BTC-USDT"},
            ],
        },
        # 500 contracts of 0.01.
        [["5", "100", "0.004", "0"], ["10", "66.66", "0.005", "0"]],
    ),
    BITGET: (
        "publicMixGetV2MixMarketQueryPositionLever",
        {
            "code": "00000",
            "data": [
                {"symbol": "BTCUSDT", "level": "1", "startUnit": "0", "endUnit": "150000"}
                | {"leverage": "125", "keepMarginRate": "0.004"},
                {"symbol": "BTCUSDT", "level": "2", "startUnit": "150000", "endUnit": "900000"}
                | {"leverage": "100", "keepMarginRate": "0.005"},
            ],
        },
        [["150000", "125", "0.004", "0"], ["900000", "100", "0.005", "0"]],
    ),
    GATE: (
        "publicFuturesGetSettleRiskLimitTiers",
        [
            {"tier": 1, "risk_limit": "20000", "maintenance_rate": "0.004", "deduction": "0"}
            | {"initial_rate": "0.008", "leverage_max": "125"},
            {"tier": 2, "risk_limit": "50000", "maintenance_rate": "0.0045", "deduction": "10"}
            | {"initial_rate": "0.009", "leverage_max": "111.11"},
        ],
        [["20000", "125", "0.004", "0"], ["50000", "111.11", "0.0045", "10"]],
    ),
    KUCOIN: (
        "futuresPublicGetContractsRiskLimitSymbol",
        {
            "code": "200000",
            "data": [
                {"symbol": "XBTUSDTM", "level": 1, "maxRiskLimit": 100000, "minRiskLimit": 0}
                | {"maxLeverage": 125, "initialMargin": 0.008, "maintainMargin": 0.004},
                {"symbol": "XBTUSDTM", "level": 2, "maxRiskLimit": 500000, "minRiskLimit": 100000}
                | {"maxLeverage": 100, "initialMargin": 0.01, "maintainMargin": 0.005},
            ],
        },
        [["100000", "125", "0.004", "0"], ["500000", "100", "0.005", "0"]],
    ),
    KRAKEN_FUTURES: (
        "publicGetInstruments",
        {
            "result": "success",
            "instruments": [
                # Inverse contracts are parted by contracts.
                {"symbol": "PI_XBTUSD", "type": "futures_inverse", "marginLevels": [{}]},
                {
                    "symbol": "PF_XBTUSD",
                    "type": "flexible_futures",
                    "marginLevels": [
                        {"numNonContractUnits": 0.0}
                        | {"initialMargin": 0.02, "maintenanceMargin": 0.01},
                        {"numNonContractUnits": 2000000.0}
                        | {"initialMargin": 0.04, "maintenanceMargin": 0.02},
                    ],
                },
            ],
        },
        [["2000000", "50", "0.01", "0"], ["", "25", "0.02", "0"]],
    ),
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_documented_answer_is_read_as_it_says(world: World, name: str) -> None:
    method, answer, rows = DOCUMENTED[name]

    ladder = asked(answering(world, name, method, answer))

    assert ladder.stored() == rows
    assert ladder.in_base is (name == OKX)
    assert read_ladder(rows, in_base=ladder.in_base) == ladder


@pytest.mark.parametrize("name", DOCUMENTED)
def test_an_answer_without_tiers_tells_none(world: World, name: str) -> None:
    method, answer, _ = DOCUMENTED[name]
    empty: Any = [] if isinstance(answer, list) else answer | {"data": [], "instruments": []}
    client = answering(world, name, method, empty)

    try:
        assert call(CcxtMarketData(client).risk_tiers([SYMBOLS.get(name, BTC)])) == {}
    finally:
        call(client.close())
