"""A quarter that is added to a position whose price gap moved for it, at simulated venues."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.services.strategy_desk import D, StrategyDesk
from tests.services.way_in import enter, set_out
from trading.core.parameters import Parameters
from trading.core.states import Goal, PositionState, Purpose
from trading.models import Event, FundingEvent, LimitUse, Order, Position, Trade
from trading.services import configure, kill_switch, market
from trading.services.ask_for_addition import _ask
from trading.services.care import Subject
from trading.services.halt import halt_account
from trading.services.pnl import entry_price, position_pnl

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

PERP, BYBIT, BTC = "binanceusdm", "bybit", "BTCUSDT"
VALUES = {
    "strategies": "price_convergence",
    "entry_style": "limit_at_mid",
    "order_amount_usd": "6560",
    "basis_add_at": "0.01",
    "basis_reduce_at": "",
}
ORDERS = {PERP: "/fapi/v1/order", BYBIT: "/v5/order/create"}


@pytest.fixture
def desk(strategy_desk: StrategyDesk) -> StrategyDesk:
    return strategy_desk


def gap(desk: StrategyDesk, short_price: str) -> None:
    """Pin both perpetuals: long at Binance for 64,000, short at Bybit for this."""
    desk.world.pin(PERP, BTC, price="64000", funding_rate="0")
    desk.world.pin(BYBIT, BTC, price=short_price, funding_rate="0")


def opened(desk: StrategyDesk, gap_now: str = "64576", **values: object) -> Position:
    """Return 0.1 BTC on a gap of 2 %, entered the production way, with the gap at 0.9 % now."""
    set_out(desk, PERP, BYBIT, **{**VALUES, **values})
    gap(desk, "65280")
    position = enter(desk)
    desk.world.wait(seconds=5)
    gap(desk, gap_now)
    assert ledger(desk) == (D("0.1"), D("-0.1"))
    return position


def ledger(desk: StrategyDesk) -> tuple[object, object]:
    return desk.held(PERP, BTC), desk.held(BYBIT, BTC)


def look(desk: StrategyDesk, seconds: int = 70) -> int:
    """Watch every ten seconds; return how often something was asked for."""
    asked = 0
    for _ in range(seconds // 10):
        desk.world.wait(seconds=10)
        asked += desk.watch()
    return asked


def add(desk: StrategyDesk, position: Position) -> None:
    """Let an addition be asked for and begin: its first order rests at the mid."""
    assert look(desk) == 1
    desk.drive_until(position, PositionState.ENTERING)


def reserved(position: Position) -> dict[str, int]:
    uses = LimitUse.objects.filter(user=position.user, reserved_cents__gt=0)
    return dict(uses.values_list("scope", "reserved_cents"))


def subject_of(desk: StrategyDesk, position: Position) -> Subject:
    legs = list(
        position.legs.select_related(
            "instrument__exchange", "account__exchange", "position__user"
        ).prefetch_related("trades", "orders")
    )
    return Subject(
        position=Position.objects.select_related("user").get(pk=position.pk),
        legs=legs,
        reported={},
        board=market.board_of([leg.instrument for leg in legs]),
        parameters=Parameters.from_stored(position.parameters),
        venues=desk.venues,
        now=desk.now,
    )


def test_a_favourable_gap_that_lasts_adds_a_quarter_to_both_legs(desk: StrategyDesk) -> None:
    position = opened(desk)
    before = reserved(position)["pair:BTC"]

    assert look(desk, 50) == 0
    assert look(desk, 20) == 1
    desk.drive_until(position, PositionState.ENTERING)
    desk.drive_until(position, PositionState.OPEN)

    assert ledger(desk) == (D("0.125"), D("-0.125"))
    assert position.add_outcome.startswith("added 0.025 BTC because the price gap moved 1.")
    assert "for it since the entry, beyond 1.00 %, and it has earned " in position.add_outcome
    # 0.025 at the dearer leg's 64,576 are 1,614.40 of limits and of size more.
    grown = reserved(position)["pair:BTC"] - before
    assert D(grown) / 100 == pytest.approx(D("1614.4"), abs=D("0.05"))
    assert position.reserved_usd == position.size_usd
    assert (position.add_quantity, position.add_usd, position.add_steps) == (None, 0, 1)
    changes = list(position.changes.filter(order=None).values_list("event", flat=True))
    assert changes == ["entry_submitted", "hedged", "add", "hedged"]
    assert desk.our_fills() == desk.their_fills()
    assert not Event.objects.filter(severity=Event.Severity.CRITICAL).exists()


def test_what_was_added_closes_with_the_rest_and_gives_all_limits_back(desk: StrategyDesk) -> None:
    position = opened(desk)
    add(desk, position)
    desk.drive_until(position, PositionState.OPEN)

    desk.ask_to_close(position)
    desk.drive_until(position, PositionState.CLOSED)

    assert ledger(desk) == (0, 0)
    assert reserved(position) == {}
    assert desk.our_fills() == desk.their_fills()


def test_each_fill_is_measured_against_the_mid_of_its_own_decision(desk: StrategyDesk) -> None:
    position = opened(desk)
    add(desk, position)
    desk.drive_until(position, PositionState.OPEN)

    marks = {leg.instrument_id: D(64_000) for leg in position.legs.all()}
    parts = position_pnl(position, marks=marks)

    slippage = price = D(0)
    for trade in Trade.objects.select_related("order", "leg"):
        assert trade.order is not None
        mid = trade.order.decision_mid or trade.leg.decision_entry_mid
        slippage += trade.leg.sign * (mid - trade.price) * trade.base_quantity
        price += trade.leg.sign * (64_000 - trade.price) * trade.base_quantity
    assert parts.slippage_pnl == slippage
    assert parts.price_pnl == price
    # Equal legs leave nothing between basis and slippage.
    assert abs(parts.residual_pnl) < D("1e-20")
    short = position.legs.get(side="SHORT")
    # (0.1 x 65,280 + 0.025 x 64,576) / 0.125
    assert entry_price(short) == pytest.approx(D("65139.2"), abs=D(10))


def test_one_step_of_the_gap_is_answered_once_and_a_further_one_again(desk: StrategyDesk) -> None:
    position = opened(desk, gap_now="64896", basis_add_at="0.005")
    add(desk, position)
    desk.drive_until(position, PositionState.OPEN)
    assert ledger(desk) == (D("0.125"), D("-0.125"))

    assert look(desk, 140) == 0

    # The average entry gap is 1.88 % now: at 0.8 % a second half percent is passed.
    gap(desk, "64512")
    add(desk, position)
    desk.drive_until(position, PositionState.OPEN)
    # A quarter of 0.125 in whole lots is 0.031.
    assert ledger(desk) == (D("0.156"), D("-0.156"))
    assert position.add_steps == 2


def test_a_second_watcher_that_read_the_position_before_asks_for_nothing_more(
    desk: StrategyDesk,
) -> None:
    position = opened(desk)
    late = subject_of(desk, position)
    assert look(desk) == 1
    once = reserved(position)

    refused = _ask(replace(late, now=desk.now), 1, "the gap moved")

    assert refused == "it is not at rest any more."
    assert reserved(position) == once
    position.refresh_from_db()
    assert position.target_base_quantity == D("0.125")


def test_an_addition_that_nobody_drives_in_time_is_not_begun(desk: StrategyDesk) -> None:
    position = opened(desk)
    before, orders = reserved(position), Order.objects.count()
    assert look(desk) == 1
    desk.world.wait(seconds=40)

    desk.drive_until(position, PositionState.OPEN)

    assert "not begun: the time for the entry passed" in position.add_outcome
    assert (reserved(position), Order.objects.count()) == (before, orders)


def test_a_worker_that_dies_between_two_steps_adds_no_second_quarter(desk: StrategyDesk) -> None:
    position = opened(desk)
    add(desk, position)
    # What a process that comes back knows is in the rows, whoever drives and how often.
    for _ in range(5):
        Position.objects.update(lease_owner="gone", lease_expires_at=None)
        desk.world.wait(seconds=1)
        desk.drive_until(position, PositionState.ENTERING, PositionState.OPEN)
    desk.drive_until(position, PositionState.OPEN)

    assert ledger(desk) == (D("0.125"), D("-0.125"))
    assert Order.objects.filter(purpose=Purpose.OPEN, addition=1).count() == 1


def test_a_second_leg_that_is_refused_leaves_the_position_as_it_was(desk: StrategyDesk) -> None:
    position = opened(desk)
    before = reserved(position)
    second = position.legs.select_related("instrument__exchange").get(index=1)
    venue = second.instrument.exchange.code
    add(desk, position)
    code, count = (110007, 4) if venue == BYBIT else (-2019, 4)
    desk.world.venues.faults.add(
        {
            "action": "reject",
            "venue": venue,
            "method": "POST",
            "path": ORDERS[venue],
            "code": code,
            "message": "ab not enough for new order",
            "count": count,
        }
    )

    desk.drive_until(position, PositionState.OPEN)

    assert position.changes.filter(to_state=PositionState.UNWINDING).exists()
    assert ledger(desk) == (D("0.1"), D("-0.1"))
    assert position.goal == Goal.HEDGED
    assert position.add_outcome.startswith("nothing was added although the price gap moved 1.")
    assert "leg at " in position.add_outcome
    assert reserved(position) == before
    assert Event.objects.filter(severity=Event.Severity.CRITICAL).exists()
    assert look(desk, 140) == 0
    assert desk.our_fills() == desk.their_fills()


def test_a_kill_that_only_stops_entries_leaves_the_hedge_and_nothing_of_the_addition(
    desk: StrategyDesk,
) -> None:
    position = opened(desk)
    before = reserved(position)
    add(desk, position)

    kill_switch.press(
        user=desk.user, actor="trader", reason="drill", closes_positions=False, now=desk.now
    )
    desk.drive_until(position, PositionState.OPEN)

    long, short = ledger(desk)
    assert (long, short) == (D("0.1"), D("-0.1"))
    assert reserved(position) == before
    assert "the addition was stopped" in position.add_outcome


def test_a_kill_that_closes_ends_flat_in_the_midst_of_an_addition(desk: StrategyDesk) -> None:
    position = opened(desk)
    add(desk, position)

    desk.kill()
    desk.drive_until(position, PositionState.CLOSED)

    assert ledger(desk) == (0, 0)
    assert reserved(position) == {}
    assert position.add_quantity is None


def test_an_account_halted_after_the_asking_gets_no_order(desk: StrategyDesk) -> None:
    position = opened(desk)
    before = reserved(position)
    assert look(desk) == 1
    orders = Order.objects.count()
    account = position.legs.select_related("account__exchange").get(index=1).account
    halt_account(account, reason="a difference", now=desk.now)

    desk.drive_until(position, PositionState.ENTERING, PositionState.OPEN)
    desk.drive_until(position, PositionState.OPEN)

    assert Order.objects.count() == orders
    assert "halted: a difference" in position.add_outcome
    assert reserved(position) == before


SHUT = (
    ({"auto_entry": False}, "Automatic entry is off."),
    ({"strategies": "funding_spread"}, "The strategy price_convergence is switched off."),
    ({"symbols": ["ETH-USDT"]}, "BTC is not among the configured symbols."),
    ({"leverage": "1"}, "leg has 2x and 1x is configured now"),
    ({"basis_add_at": ""}, "adding has been switched off since"),
    ({"min_net_return": "0.005"}, "after costs; the least is 0.5000 %."),
    (
        {"order_amount_usd": "6000", "max_position_per_pair_usd": "6528"},
        "Nothing is left of the limit per pair on BTC.",
    ),
)


def test_a_gate_that_is_shut_says_on_the_position_why_nothing_is_added(
    desk: StrategyDesk,
) -> None:
    position = opened(desk)
    before, orders = reserved(position), Order.objects.count()
    usual = configure.current(desk.user).parameters.to_values()

    for values, words in SHUT:
        configure.save(
            user=desk.user,
            values={**usual, **values},
            expected_version=configure.current(desk.user).version,
            actor="trader",
            now=desk.now,
        )
        assert look(desk) == 0

        position.refresh_from_db()
        assert position.add_outcome.startswith("nothing is added although the price gap moved 1.")
        assert words in position.add_outcome
        assert (position.add_steps, position.add_quantity) == (0, None)
        assert (reserved(position), Order.objects.count()) == (before, orders)


def test_what_the_limits_leave_of_a_quarter_is_added(desk: StrategyDesk) -> None:
    # 6,528 are in use: 700 are left, and 0.0108 at 64,576 in whole lots.
    position = opened(desk, max_position_per_pair_usd="7228")
    add(desk, position)
    desk.drive_until(position, PositionState.OPEN)

    assert ledger(desk) == (D("0.11"), D("-0.11"))
    assert position.add_outcome.startswith("added 0.01 BTC because ")


def test_nothing_is_added_by_default_or_at_a_loss(desk: StrategyDesk) -> None:
    position = opened(desk, basis_add_at="")
    assert look(desk) == 0

    with_adding = {**position.parameters, "basis_add_at": "0.01"}
    Position.objects.update(parameters=with_adding)
    leg = position.legs.get(index=0)
    FundingEvent.objects.create(
        position=position,
        leg=leg,
        account=leg.account,
        venue_payment_id="a bad day",
        payment=D(-500),
        asset="USDT",
        payment_usd=D(-500),
        paid_at=desk.now,
        booked_at=desk.now,
    )
    assert look(desk) == 0

    position.refresh_from_db()
    assert (position.add_steps, position.add_outcome) == (0, "")
