"""Deribit on paper: a part of an hour earns what its venue says was owed in it, to the millisecond.

Payloads after its documentation (docs.deribit.com, market data).
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from arbsite.accounts.models import User
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import Side
from exchanges.paper.account import PaperReads
from exchanges.paper.market_data import PaperMarketData
from exchanges.paper.public_side import PublicSide
from exchanges.paper.rows import PaperAccount, PaperFunding
from exchanges.paper.venue import PaperVenue
from exchanges.venues import PROFILES
from tests.paper_desk import order
from tests.protocol import test_deribit
from tests.protocol.canned import CannedVenue
from tests.protocol.paper_at import PaperAt, paper_at
from tests.protocol.test_deribit import BITCOIN, HOURS, answered
from tests.simulator.nearby import call

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

D = Decimal
VALUE, HISTORY = "/public/get_funding_rate_value", "/public/get_funding_rate_history"
BOOK = {
    "instrument_name": "BTC_USDC-PERPETUAL",
    "timestamp": 1772368200000,
    "state": "open",
    "change_id": 1,
    "bids": [[60_000.0, 10.0]],
    "asks": [[60_010.0, 10.0]],
}
ENDS = HOURS[-1] + timedelta(hours=1)


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def hour(at: datetime, rate: float) -> dict[str, Any]:
    """Return how the history tells an hour that ended then."""
    return {
        "timestamp": milliseconds(at),
        "index_price": 60_000.0,
        "prev_index_price": 59_990.0,
        "interest_8h": 0.0001,
        "interest_1h": rate,
    }


def deribit() -> CannedVenue:
    return test_deribit.venue(**{"/public/get_order_book": answered(BOOK)})


def told(*parts: float) -> Any:
    """Return what answers by what was asked for: before the purchase, and since."""

    def answer(query: Any) -> Any:
        is_first = int(query["start_timestamp"]) == milliseconds(HOURS[-1])
        return answered(parts[0 if is_first else 1])

    return answer


def bought(account: PaperAt) -> Decimal:
    """Buy a coin half an hour after the hour began, let it pass, and return the money."""
    call(account.trading.prepare(BITCOIN, leverage=D(10)))
    call(account.trading.submit(order(Side.BUY, "1", symbol=BITCOIN)))
    paid = account.total("USDC")
    # 60,010 at 0.0005
    assert paid == 10_000 - D("30.005")
    account.canned.now += timedelta(minutes=31)
    account.canned.payloads[HISTORY] = answered([hour(at, 0.0001) for at in [*HOURS, ENDS]])
    return paid


def test_half_an_hour_earns_what_was_owed_in_it_and_not_half_of_the_hour(owner: User) -> None:
    venue = deribit()
    venue.payloads[VALUE] = told(0.00002, 0.00008)
    with paper_at(venue, owner, asset="USDC") as account:
        paid = bought(account)

        # A coin at 60,000 and 0.00008; half of the hour were 3.
        assert account.total("USDC") == paid - D("4.8")
        venue.now += timedelta(minutes=5)
        assert account.total("USDC") == paid - D("4.8")

        bought_at = milliseconds(HOURS[-1] + timedelta(minutes=30))
        asked = venue.requests("/get_funding_rate_value")
        assert [(one["start_timestamp"], one["end_timestamp"]) for one in asked] == [
            (str(milliseconds(HOURS[-1])), str(bought_at)),
            (str(bought_at), str(milliseconds(ENDS))),
        ]
        [row] = PaperFunding.objects.all()
        assert (row.settled_at, row.is_venue_price) == (ENDS, True)


SILENT = {
    "no number": answered(None),
    "an error": {"jsonrpc": "2.0", "error": {"code": -32602, "message": "Invalid params"}},
    # Of a hundred instead of one.
    "another unit": told(0.002, 0.008),
    # What it had counted of the second part when it was asked.
    "not to its end": told(0.00002, 0.00005),
    "the other sign": told(-0.00002, -0.00008),
    "the whole for each": answered(0.0001),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_the_venue_does_not_tell_is_booked_once_it_does_and_costs_nothing_else(
    owner: User, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    venue = deribit()
    venue.payloads[VALUE] = SILENT[name]
    with paper_at(venue, owner, asset="USDC") as account, caplog.at_level(logging.WARNING):
        paid = bought(account)

        # The account goes on: it is read, and closed.
        assert account.total("USDC") == paid
        assert "funding of" in caplog.text
        asked = len(venue.requests("/get_funding_rate_value"))
        venue.now += timedelta(seconds=30)
        assert account.total("USDC") == paid
        # A minute passes before it is asked again.
        assert len(venue.requests("/get_funding_rate_value")) == asked
        call(account.trading.submit(order(Side.SELL, "1", symbol=BITCOIN, reduce_only=True)))
        closed = account.total("USDC")
        venue.payloads[VALUE] = told(0.00002, 0.00008)
        venue.now += timedelta(seconds=31)

        assert account.total("USDC") == closed - D("4.8")
        assert [row.settled_at for row in PaperFunding.objects.all()] == [ENDS]


def test_a_process_that_died_before_it_wrote_leaves_it_to_the_next_which_books_once(
    owner: User,
) -> None:
    venue = deribit()
    venue.payloads[VALUE] = answered(None)
    with paper_at(venue, owner, asset="USDC") as account:
        paid = bought(account)
        assert account.total("USDC") == paid
        venue.payloads[VALUE] = told(0.00002, 0.00008)

        data = PaperMarketData(CcxtMarketData(venue.client()))
        for _ in range(2):
            side = PublicSide(data, PROFILES["deribit"], lambda: venue.now)
            later = PaperVenue(str(PaperAccount.objects.get().pk), side)
            totals = {row.asset: row.total for row in call(PaperReads(later).balances())}
            assert totals["USDC"] == paid - D("4.8")
            call(later.close())
        call(data.close())
        assert PaperFunding.objects.count() == 1
