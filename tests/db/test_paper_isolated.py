"""Contracts of a paper account on a margin of their own, against numbers worked by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import transaction

from exchanges.domain import FillCause, Side, Symbol
from exchanges.errors import SettingRefused
from exchanges.paper.isolated import MarginModeRefused, add_margin, set_margin_mode
from exchanges.paper.ledger import Ledger
from exchanges.paper.margin import alone, liquidation_price, margin_state, state_behind
from exchanges.paper.margin_rows import PaperTopUp
from exchanges.paper.rows import PaperFill, PaperHolding
from tests.paper_desk import COIN, PERPETUAL, D, PaperDesk, order, resting

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def desk() -> PaperDesk:
    """Hold 1 BTC short at 60,000 and 10x on isolated margin: 6,000 of 10,000 stand behind it."""
    desk = PaperDesk(starting_balance=D(10_000), taker_fee=D(0))
    desk.lever(10)
    desk.place(order(Side.SELL, "1"))
    isolate(desk)
    return desk


def isolate(desk: PaperDesk, *, is_isolated: bool = True) -> None:
    row = desk.ledger().holding(PERPETUAL)
    assert row is not None
    set_margin_mode(row, is_isolated=is_isolated, actor="owner", now=desk.now)


def add(desk: PaperDesk, amount: str, symbol: Symbol = PERPETUAL) -> None:
    with transaction.atomic():
        ledger = Ledger.locked(desk.account_id)
        add_margin(ledger, symbol, D(amount), desk.facts(), desk.terms())


def liquidated_at(desk: PaperDesk) -> Decimal:
    row = desk.ledger().held()[0]
    behind = state_behind(desk.ledger(), row, desk.facts(), desk.terms())
    price = liquidation_price(row, behind, desk.facts(), desk.terms())
    assert price is not None
    return price.quantize(D("0.01"))


def free(desk: PaperDesk) -> Decimal:
    return margin_state(desk.ledger(), "USDT", desk.facts(), desk.terms()).available


def test_added_margin_moves_the_liquidation_and_is_written_down(desk: PaperDesk) -> None:
    # (60,000 + 6,000) / 1.005
    assert (liquidated_at(desk), free(desk)) == (D("65671.64"), D(4_000))

    add(desk, "1000")

    # (60,000 + 7,000) / 1.005
    assert (liquidated_at(desk), free(desk)) == (D("66666.67"), D(3_000))
    [row] = PaperTopUp.objects.all()
    assert (row.amount, row.asset, row.margin_after) == (D(1_000), "USDT", D(7_000))
    # It moved within the wallet.
    assert desk.ledger().balance("USDT") == D(10_000)


@pytest.mark.parametrize(
    ("amount", "symbol", "sentence"),
    [
        ("4000.01", PERPETUAL, "4000.01 USDT cannot be added, 4000 are free"),
        ("0", PERPETUAL, "0 USDT cannot be added"),
        ("1", Symbol("ETH/USDT:USDT"), "nothing is held of ETH/USDT:USDT to add margin to"),
    ],
)
def test_what_cannot_be_added_is_refused_and_nothing_is_written(
    desk: PaperDesk, amount: str, symbol: Symbol, sentence: str
) -> None:
    with pytest.raises(SettingRefused, match=sentence):
        add(desk, amount, symbol)

    assert not PaperTopUp.objects.exists()
    assert free(desk) == D(4_000)


def test_nothing_is_added_behind_a_leg_on_cross_margin(desk: PaperDesk) -> None:
    isolate(desk, is_isolated=False)

    with pytest.raises(SettingRefused, match="BTC/USDT:USDT is on cross margin"):
        add(desk, "1000")


def test_an_isolated_leg_is_liquidated_alone_and_loses_no_more_than_its_margin(
    desk: PaperDesk,
) -> None:
    rested = desk.place(resting(Side.BUY, "0.01", "59000", symbol=COIN))
    desk.mark = D("65671")
    desk.pass_time(seconds=1)
    assert desk.ledger().held()

    # Nobody looked in between: it is far beyond the 66,000 at which the margin is lost.
    desk.mark = D("67000")
    desk.pass_time(seconds=1)

    last = PaperFill.objects.order_by("pk").last()
    assert last is not None
    assert (last.price, last.order.cause) == (D(66_000), FillCause.LIQUIDATION)
    assert desk.ledger().balance("USDT") == D(4_000)
    rested.refresh_from_db()
    assert not rested.is_final


def test_what_was_added_is_free_once_the_leg_is_closed(desk: PaperDesk) -> None:
    add(desk, "1000")
    desk.asks = {"60000": "10"}
    desk.place(order(Side.BUY, "0.5", reduce_only=True))
    row = desk.ledger().held()[0]
    # Half of the initial margin is free again, what was added stays to the end.
    assert (alone(row), free(desk)) == (D(4_000), D(6_000))

    desk.place(order(Side.BUY, "0.5", reduce_only=True))

    assert free(desk) == D(10_000)
    assert PaperHolding.objects.get().added_margin == 0


def test_the_cross_wallet_does_not_carry_what_is_isolated(desk: PaperDesk) -> None:
    desk.mark = D(65_000)

    # A loss of 5,000 is behind its own margin of 6,000.
    assert free(desk) == D(4_000)
    isolate(desk, is_isolated=False)
    # 10,000 - 5,000 less 6,500 of initial margin
    assert free(desk) == 0


def test_a_leg_that_has_lost_its_margin_is_not_put_on_it(desk: PaperDesk) -> None:
    isolate(desk, is_isolated=False)
    desk.ledger().credit("USDT", D(10_000))
    desk.mark = D(66_000)
    desk.pass_time(seconds=1)

    with pytest.raises(MarginModeRefused, match="It has lost 6000 USDT, and 6000 would stand"):
        isolate(desk)

    assert not PaperHolding.objects.get().is_isolated


def test_a_wallet_without_that_much_free_gives_no_margin(desk: PaperDesk) -> None:
    isolate(desk, is_isolated=False)
    desk.ledger().credit("USDT", D(-5_000))

    with pytest.raises(MarginModeRefused, match="Less than 6000 USDT is free to stand behind it"):
        isolate(desk)


def test_what_was_added_stays_when_an_isolated_contract_is_put_on_isolated_margin_again(
    desk: PaperDesk,
) -> None:
    add(desk, "1000")
    before = liquidated_at(desk)

    isolate(desk)

    assert (alone(desk.ledger().held()[0]), free(desk)) == (7_000, 3_000)
    assert liquidated_at(desk) == before
