"""The simulated indexer of dYdX: a market to look at, settled every hour at the oracle price."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.simulator.listings import DYDX
from tests.simulator.world import World

pytestmark = pytest.mark.core


def asked(world: World, path: str, **query: Any) -> Any:
    reply = world.public(DYDX, f"/v4/{path}", **query)
    assert reply.status == 200
    return reply.body


def bitcoin(world: World) -> Any:
    return asked(world, "perpetualMarkets")["markets"]["BTC-USD"]


def history(world: World, **query: Any) -> list[Any]:
    found: list[Any] = asked(world, "historicalFunding/BTC-USD", **query)["historicalFunding"]
    return found


def test_settles_every_hour_where_the_others_wait_eight(tmp_path: Path) -> None:
    world = World(tmp_path, interval_minutes=480, watched=True)
    stamps = [datetime.fromisoformat(row["effectiveAt"]) for row in history(world, limit=3)]

    assert [at.strftime("%H:%M") for at in stamps] == ["12:00", "11:00", "10:00"]
    assert all(at.microsecond for at in stamps), "the block that settles comes after the hour"


def test_what_was_told_before_the_settlement_is_what_settles_at_the_oracle_price(
    world: World,
) -> None:
    world.pin(DYDX, funding_rate="0.0000125", price="60000")
    assert bitcoin(world)["nextFundingRate"] == "0.0000125"

    world.wait(minutes=5)
    newest = history(world, limit=1)[0]

    assert newest["rate"] == "0.0000125"
    listing = world.listing(DYDX)
    settled_at = datetime.fromisoformat(newest["effectiveAt"]).replace(microsecond=0)
    assert Decimal(newest["price"]) == world.simulator.market.index(listing, settled_at)


def test_history_ends_where_it_is_asked_to_and_is_as_long_as_asked(world: World) -> None:
    every = history(world)
    until = every[3]["effectiveAt"]

    assert history(world, limit=2, effectiveBeforeOrAt=until) == every[3:5]
    assert len(every) <= 100


def test_book_of_levels_and_margins_as_fractions(world: World) -> None:
    world.pin(DYDX, price="60000")
    book = asked(world, "orderbooks/perpetualMarket/BTC-USD")
    bid, ask = (Decimal(book[side][0]["price"]) for side in ("bids", "asks"))

    assert bid <= 60_000 <= ask
    assert bid < ask
    told = bitcoin(world)
    assert (told["initialMarginFraction"], told["maintenanceMarginFraction"]) == ("0.02", "0.012")
    # Integers, as the chain counts.
    assert (told["stepBaseQuantums"], told["atomicResolution"]) == (1_000_000, -11)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("orderbooks/perpetualMarket/NONE-USD", 404),
        ("historicalFunding/NONE-USD", 404),
        ("orders", 404),
        ("historicalFunding/BTC-USD?effectiveBeforeOrAt=yesterday", 400),
    ],
)
def test_what_is_not_there_is_refused_with_words(world: World, path: str, status: int) -> None:
    name, _, query = path.partition("?")
    asked_for = dict([query.split("=")]) if query else {}
    reply = world.public(DYDX, f"/v4/{name}", **asked_for)

    assert reply.status == status
    assert reply.body["errors"][0]["msg"]


def test_a_market_that_nobody_asked_for_is_not_listed(tmp_path: Path) -> None:
    world = World(tmp_path)

    assert asked(world, "perpetualMarkets") == {"markets": {}}
    assert asked(world, "time")["epoch"] == world.at.timestamp()
    assert world.at == datetime.fromisoformat(asked(world, "time")["iso"])
