"""Kraken Futures on paper: an hour's dollars for each coin, by the part of it that it was held."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges.domain import Side
from exchanges.paper.rows import PaperFunding
from tests.paper_desk import order
from tests.protocol import test_krakenfutures
from tests.protocol.paper_at import paper_at
from tests.protocol.test_krakenfutures import ETHER, HOURS, history, tickers
from tests.simulator.nearby import call

pytestmark = [*test_krakenfutures.pytestmark, pytest.mark.django_db(transaction=True)]

D = Decimal
BOOK = {
    "result": "success",
    "serverTime": "2026-03-01T12:30:00.000Z",
    "orderBook": {"bids": [[3200, 10]], "asks": [[3210, 10]]},
}


def test_half_an_hour_earns_half_of_what_the_hour_pays_once_it_is_over(owner: User) -> None:
    venue = test_krakenfutures.venue(**{"/orderbook": BOOK})
    with paper_at(venue, owner, asset="USD") as account:
        call(account.trading.prepare(ETHER, leverage=D(2)))
        call(account.trading.submit(order(Side.BUY, "2", symbol=ETHER)))
        paid = account.total("USD")
        # 2 x 3,210 x 0.0005
        assert paid == 10_000 - D("3.21")
        venue.now += timedelta(minutes=20)
        assert account.total("USD") == paid

        venue.now += timedelta(minutes=15)
        venue.payloads["/historicalfundingrates"] = history(*HOURS, HOURS[-1] + timedelta(hours=1))
        venue.payloads["/tickers"] = tickers(0.54, "2026-03-01T13:05:00.000Z")

        # Two coins for half of the hour from twelve on, which paid 0.53 dollars for each.
        assert account.total("USD") == paid - D("0.53")
        assert account.total("USD") == paid - D("0.53")
        [row] = PaperFunding.objects.all()
        assert (row.position_base, row.settled_at.hour, row.is_venue_price) == (1, 13, True)
