"""How often a read asks the database: no more often for more positions, venues or rates."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.api.conftest import Desk, Program
from tests.web import rows
from tests.web.conftest import publish_market

pytestmark = pytest.mark.db

# The token is one of them.
MOST = {
    "status": 14,
    "positions": 10,
    "money": 14,
    "rates?top=20": 3,
    "trades?page_size=20": 2,
    "opportunities": 3,
}
# Three of them for what is kept for a while and may have to be read anew.
MOST_OF_THE_DASHBOARD = 68


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """The desk with eight positions and as many opportunities."""
    venues = {code: one.exchange for (code, _), one in desk.instruments.items()}
    listed = dict(desk.instruments)
    for base in (f"COIN{number}" for number in range(7)):
        for code, exchange in venues.items():
            listed[code, base] = rows.make_instrument(exchange, base, desk.now)
        pair = listed["binanceusdm", base], listed["bybit", base]
        rows.make_position(desk.user, *pair, desk.now)
        rows.make_opportunity(desk.user, *pair, desk.now, "Owner's why.")
    publish_market(listed, desk.now)
    return desk


@pytest.mark.parametrize("path", MOST)
def test_a_read_asks_no_more_often_for_eight_positions_than_for_one(
    busy: Desk,
    own: Program,
    path: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    # Some figures of closed positions are kept for half a minute.
    assert own.get(path).status_code == 200

    with django_assert_max_num_queries(MOST[path]):
        own.get(path)


def test_the_dashboard_asks_no_more_often_for_eight_positions_than_for_one(
    busy: Desk, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    assert busy.client.get("/").status_code == 200

    with django_assert_max_num_queries(MOST_OF_THE_DASHBOARD):
        busy.client.get("/")
