"""A fee in an asset that is neither traded nor a dollar counts at its price, or is told of."""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.domain import BookTop, ClientOrderId, Fill, Side, Symbol
from exchanges.models import Exchange, ExchangeAccount, Instrument
from tests.services.memory_board import board_in_memory
from tests.services.spot_purchase import NOW, purchase_of_one, spot
from tests.simulation.memory import MemoryRedis
from tests.web.rows import make_account, make_exchange
from trading.models import Event, Position
from trading.services.order_facts import book_fills
from trading.services.pnl import realised_parts, unvalued_fees

pytestmark = [pytest.mark.db, pytest.mark.django_db]

D = Decimal


@pytest.fixture
def redis() -> Generator[MemoryRedis]:
    with board_in_memory() as memory:
        yield memory


@pytest.fixture
def venue() -> Exchange:
    return make_exchange("binance", "BIN", "Binance")


def buy_one(account: ExchangeAccount, instrument: Instrument, user: User) -> Position:
    """Fill a purchase of 1 BTC at 60,000 that paid 0.1 BNB."""
    position = purchase_of_one(account, instrument, user).position
    fill = Fill(
        venue="binance",
        symbol=Symbol("BTC/USDT"),
        venue_trade_id="1",
        venue_order_id="1",
        client_order_id=ClientOrderId("one"),
        side=Side.BUY,
        price=D(60_000),
        base_quantity=D(1),
        fee=D("0.1"),
        fee_asset="BNB",
        is_maker=False,
        filled_at=NOW,
    )
    book_fills(account, [fill], now=NOW)
    return position


def test_it_counts_at_the_mid_of_the_moment(
    venue: Exchange, redis: MemoryRedis, django_user_model: type[User]
) -> None:
    user = django_user_model.objects.create_user("trader")
    bitcoin, _ = spot(venue, "BTC"), spot(venue, "BNB")
    top = BookTop(
        venue="binance",
        symbol=Symbol("BNB/USDT"),
        bid=D(599),
        bid_quantity=D(1),
        ask=D(601),
        ask_quantity=D(1),
        observed_at=NOW,
    )
    board = Board()
    board.apply(top)
    board.publish(redis)  # type: ignore[arg-type]  # what is used of it

    position = buy_one(make_account(user, venue, NOW), bitcoin, user)

    assert realised_parts(position).fees == D(60)
    assert unvalued_fees(position) == {}


def test_without_a_price_it_is_named_and_told_of(
    venue: Exchange, redis: MemoryRedis, django_user_model: type[User]
) -> None:
    user = django_user_model.objects.create_user("trader")

    position = buy_one(make_account(user, venue, NOW), spot(venue, "BTC"), user)

    assert realised_parts(position).fees == 0
    assert unvalued_fees(position) == {"BNB": D("0.1")}
    assert "charged in BNB" in Event.objects.get(kind="fee.unvalued").sentence
