"""Which order books are read: those that can become a leg."""

from __future__ import annotations

import pytest

from arbsite.accounts.models import User
from exchanges.models import Instrument
from tests.services.scan_market import list_perpetual, make_market
from trading.services.books import worth_reading

pytestmark = pytest.mark.django_db


def list_in_usdc() -> Instrument:
    exchange = list_perpetual("hyperliquid")
    exchange.instruments.update(symbol="BTC/USDC:USDC", quote="USDC", settle="USDC")
    return exchange.instruments.get()


def test_a_contract_that_settles_like_no_other_is_left_out(owner: User) -> None:
    make_market(owner)
    list_in_usdc()

    assert {book.exchange.code for book in worth_reading()} == {"binanceusdm", "bybit"}


def test_where_no_two_settle_alike_each_is_read_so_that_the_refusal_has_its_figures(
    owner: User,
) -> None:
    make_market(owner)
    list_in_usdc()
    Instrument.objects.filter(exchange__code="bybit").delete()

    assert {book.exchange.code for book in worth_reading()} == {"binanceusdm", "hyperliquid"}
