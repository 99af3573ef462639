"""A purchase and its sale on paper at each venue to which no real order is sent.

The payloads are those of the venues' own tests: of dYdX and Kraken recorded, else written after
the documentation. Money is worked by hand from their books and list prices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from arbsite.accounts.models import User
from exchanges.domain import Side, Symbol
from exchanges.errors import InsufficientMargin
from exchanges.paper.rows import PaperFill
from exchanges.venues import PROFILES
from tests.paper_desk import order, resting
from tests.protocol import (
    test_bitfinex,
    test_bitget,
    test_coinbase,
    test_dydx,
    test_kraken,
    test_kucoin,
    test_mexc,
)
from tests.protocol.canned import CannedVenue
from tests.protocol.paper_at import paper_at
from tests.protocol.test_recorded_payloads import ADAPTERS
from tests.simulator.nearby import call

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

D = Decimal
IS_RECORDED = pytest.mark.skipif(
    not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"
)


class Trip(NamedTuple):
    """What is bought and sold where, and what the wallet of 10,000 holds afterwards."""

    venue: Callable[[], CannedVenue]
    symbol: Symbol
    bought: str
    sold: str
    left: str
    how: Mapping[str, Any] = MappingProxyType({})


def kucoin() -> CannedVenue:
    """Return the venue with the larger of its two books, which paper asks for."""
    smaller = test_kucoin.venue().payloads["/level2/depth20"]
    return test_kucoin.venue(**{"/level2/depth100": smaller})


TRIPS = {
    # 6,001.05 and 6,001 at 0.0006; 0.05 is lost.
    "bitget": Trip(test_bitget.venue, test_bitget.BITCOIN, "0.1", "0.1", "9992.74877"),
    # 335.959 and 335.9585 at 0.0006; 0.0005 is lost.
    "kucoin": Trip(kucoin, test_kucoin.BITCOIN, "0.005", "0.005", "9999.5963495"),
    # 600.1 and 600.095 at 0.0008; 0.005 is lost.
    "mexc": Trip(test_mexc.venue, test_mexc.BITCOIN, "0.01", "0.01", "9999.034844"),
    # 899.58 at 0.0005; 0.0002 at 89,947, 0.0002 at 89,946, 0.0096 at 89,945: 899.4506.
    "dydx": Trip(
        *(test_dydx.recorded_venue, test_dydx.BITCOIN, "0.01", "0.01", "9998.9710847"),
        {"asset": "USDC"},
    ),
    # 1,059.443 at 0.004 in dollars; 0.002 at 105,944.2, 0.008 at 105,935.4: 1,059.3716.
    "kraken": Trip(test_kraken.venue, test_kraken.BITCOIN, "0.01", "0.01", "9991.4533416"),
    # 2,682.434 and 2,682.3628 at 0.006, all in dollars.
    "coinbase": Trip(
        *(test_coinbase.venue, test_coinbase.BITCOIN, "0.04", "0.04", "9967.7400192"),
        {"asset": "USD"},
    ),
    # 6,001 for 0.1 coins less 0.0002; 0.0998 at 60,009 is 5,988.8982, at 0.002.
    "bitfinex": Trip(
        *(test_bitfinex.venue, test_bitfinex.BITCOIN, "0.1", "0.0998", "9975.9204036"),
        {"asset": "USD"},
    ),
}


@pytest.mark.parametrize(
    "venue",
    [
        pytest.param(name, marks=[IS_RECORDED] if name in ("dydx", "kraken") else [])
        for name in TRIPS
    ],
)
def test_what_is_left_of_the_money_is_worked_by_hand(venue: str, owner: User) -> None:
    trip = TRIPS[venue]
    is_spot = ":" not in trip.symbol
    with paper_at(trip.venue(), owner, **trip.how) as account:
        call(account.trading.prepare(trip.symbol, leverage=D(1) if is_spot else D(2)))
        call(account.trading.submit(order(Side.BUY, trip.bought, symbol=trip.symbol)))
        sale = order(Side.SELL, trip.sold, symbol=trip.symbol, reduce_only=not is_spot)
        call(account.trading.submit(sale))

        assert account.total(trip.how.get("asset", "USDT")) == D(trip.left)
        if is_spot:
            assert account.total("BTC") == 0
        assert call(account.reads.positions()) == []
        assert call(account.trading.open_orders()) == []


def test_every_venue_without_real_orders_is_traded_here() -> None:
    assert {name for name, profile in PROFILES.items() if profile.read_only} <= TRIPS.keys()


class TestFeesInMoney:
    """Coinbase takes the fee of a purchase in dollars: 0.006, or 0.004 of a maker."""

    def test_coins_come_whole_and_the_fee_is_money(self, owner: User) -> None:
        with paper_at(test_coinbase.venue(), owner, asset="USD") as account:
            call(account.trading.submit(order(Side.BUY, "0.1", symbol=test_coinbase.BITCOIN)))

            fill = PaperFill.objects.get()
            # 6,706.085 x 0.006
            assert (fill.fee, fill.fee_asset) == (D("40.23651"), "USD")
            assert account.total("BTC") == D("0.1")
            assert account.total("USD") == D("3253.67849")

    def test_money_for_the_price_alone_does_not_do(self, owner: User) -> None:
        how = {"asset": "USD", "starting_balance": D(6_720)}
        with (
            paper_at(test_coinbase.venue(), owner, **how) as account,
            # 6,706.085 and 40.23651
            pytest.raises(InsufficientMargin, match=r"6746\.32151 USD needed, 6720 free"),
        ):
            call(account.trading.submit(order(Side.BUY, "0.1", symbol=test_coinbase.BITCOIN)))

    def test_a_resting_purchase_holds_its_fee_too(self, owner: User) -> None:
        with paper_at(test_coinbase.venue(), owner, asset="USD") as account:
            bid = resting(Side.BUY, "0.1", "67000", symbol=test_coinbase.BITCOIN)
            call(account.trading.submit(bid))

            # 6,700 x 1.006
            assert account.free("USD") == D("3259.8")
