"""What venues and staff announce: entries are held back, positions are left before it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.access import Maintenance
from exchanges.maintenance import store_maintenance
from exchanges.models import Exchange, Instrument
from exchanges.models.notices import VenueNotice
from tests.market import NOW, PERP, D
from tests.services.scan_market import Market, make_market
from tests.services.strategy_desk import PlannedLeg, StrategyDesk
from tests.web.rows import make_exchange
from trading.core.states import Goal, PositionState
from trading.models import LegSide, Position

pytestmark = pytest.mark.db

HOUR = timedelta(hours=1)


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


def announce(
    venue: str, *, begins: timedelta, lasts: timedelta | None = HOUR, **more: object
) -> None:
    starts_at = NOW + begins
    VenueNotice.objects.create(
        exchange=Exchange.objects.get(code=venue),
        starts_at=starts_at,
        ends_at=None if lasts is None else starts_at + lasts,
        **more,
    )


def test_an_entry_that_would_be_held_into_maintenance_is_refused(market: Market) -> None:
    # The configured hold is 48 h, and positions are left 1 h before.
    announce("bybit", begins=49 * HOUR + timedelta(minutes=1))
    assert market.judge().refusal is None

    announce("bybit", begins=3 * HOUR)

    assert market.refusal() == (
        "announced",
        "bybit: maintenance from 2026-03-01 15:00 to 2026-03-01 16:00 UTC, in 3.0 h: it would be "
        "held for 48.0 h, and is left 1.0 h before.",
    )


def test_nothing_is_opened_while_it_goes_on_and_all_is_well_after_it(market: Market) -> None:
    announce("bybit", begins=-HOUR, lasts=None)
    assert market.refusal()[1].endswith("from 2026-03-01 11:00 UTC: nothing is opened.")

    VenueNotice.objects.update(ends_at=NOW)
    assert market.judge().refusal is None


def test_what_is_withdrawn_or_concerns_another_venue_or_symbol_holds_nothing_back(
    market: Market,
) -> None:
    announce("bybit", begins=HOUR, is_withdrawn=True)
    other = Exchange.objects.create(code="okx", short_code="OKX", name="OKX")
    announce("okx", begins=HOUR)
    spare = market.instrument("bybit")
    spare.pk, spare.symbol = None, "ETH/USDT:USDT"
    spare._state.adding = True
    spare.save()
    announce("bybit", begins=HOUR, kind="delisting", instrument=spare)

    assert market.judge().refusal is None
    assert other.notices.count() == 1


def test_what_a_venue_announces_is_kept_moved_and_forgotten_as_it_says(market: Market) -> None:
    exchange = Exchange.objects.get(code="bybit")
    window = Maintenance(
        venue="bybit", reference="7", title="upgrade", starts_at=NOW, ends_at=NOW + HOUR
    )
    moved = Maintenance(
        venue="bybit", reference="7", title="upgrade", starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR
    )
    announce("bybit", begins=9 * HOUR, note="by hand")

    assert store_maintenance(exchange, [window], NOW) == 1
    VenueNotice.objects.filter(reference="7").update(is_withdrawn=True)
    store_maintenance(exchange, [window], NOW)
    # Staff know better until the venue says something new.
    assert VenueNotice.objects.get(reference="7").is_withdrawn
    store_maintenance(exchange, [moved], NOW)
    notice = VenueNotice.objects.get(reference="7")
    assert (notice.starts_at, notice.is_withdrawn) == (NOW + HOUR, False)
    store_maintenance(exchange, [], NOW)

    assert [row.note for row in VenueNotice.objects.all()] == ["by hand"]


def test_what_has_begun_lasts_to_its_end_where_a_venue_forgets_it(owner: User) -> None:
    kraken = make_exchange("kraken", "KRK", "Kraken")
    window = Maintenance(
        venue="kraken",
        reference="21",
        title="upgrade",
        starts_at=NOW + HOUR,
        ends_at=NOW + 2 * HOUR,
    )

    def left_at(minutes: int) -> int:
        store_maintenance(kraken, [window], NOW)
        store_maintenance(kraken, [], NOW + timedelta(minutes=minutes))
        return VenueNotice.objects.count()

    # Called off before it began, going on, over.
    assert [left_at(minutes) for minutes in (30, 60, 119, 120)] == [0, 1, 1, 0]


def test_maintenance_that_only_goes_on_keeps_when_it_was_seen_first(market: Market) -> None:
    exchange = Exchange.objects.get(code="bybit")
    for minutes in (0, 1):
        at = NOW + timedelta(minutes=minutes)
        store_maintenance(
            exchange,
            [Maintenance(venue="bybit", reference="now", title="", starts_at=at, ends_at=None)],
            at,
        )

    assert VenueNotice.objects.get().starts_at == NOW


def test_a_position_is_left_by_both_legs_before_maintenance_of_one_venue(
    strategy_desk: StrategyDesk,
) -> None:
    desk = strategy_desk
    position = hold(desk)
    notice = VenueNotice.objects.create(
        exchange=Exchange.objects.get(code="bybit"),
        starts_at=desk.now + 2 * HOUR,
        ends_at=desk.now + 3 * HOUR,
    )
    assert desk.watch() == 0

    VenueNotice.objects.filter(pk=notice.pk).update(starts_at=desk.now + HOUR)
    assert desk.watch() == 1

    position.refresh_from_db()
    assert (position.goal, position.close_reason) == (Goal.FLAT, "announced")
    assert position.close_sentence.startswith("bybit: maintenance from 2026-01-05 13:")
    desk.drive_until(position, PositionState.CLOSED)
    assert {desk.held(venue, "BTCUSDT") for venue in ("binanceusdm", "bybit")} == {D(0)}


def test_maintenance_that_has_begun_leaves_the_hedge_as_it_is(strategy_desk: StrategyDesk) -> None:
    position = hold(strategy_desk)
    VenueNotice.objects.create(
        exchange=Exchange.objects.get(code="bybit"), starts_at=strategy_desk.now, ends_at=None
    )

    assert strategy_desk.watch() == 0

    position.refresh_from_db()
    assert position.goal == Goal.HEDGED


def test_a_perpetual_that_is_to_be_delisted_is_left_by_both_legs(
    strategy_desk: StrategyDesk,
) -> None:
    desk = strategy_desk
    position = hold(desk)
    Instrument.objects.filter(exchange__code="bybit", symbol=PERP).update(
        expires_at=desk.now + 23 * HOUR
    )

    assert desk.watch() == 1

    position.refresh_from_db()
    assert (position.goal, position.close_reason) == (Goal.FLAT, "expiry")
    assert position.close_sentence.startswith("BTC/USDT:USDT at bybit ends on 2026-01-06 11:")


def hold(desk: StrategyDesk) -> Position:
    """Return 0.1 BTC long at Binance and short at Bybit, which nothing but care may move."""
    desk.open_accounts("binanceusdm", "bybit")
    legs = [
        PlannedLeg(venue="binanceusdm", symbol="BTCUSDT", side=LegSide.LONG, kinds=("perpetual",)),
        PlannedLeg(venue="bybit", symbol="BTCUSDT", side=LegSide.SHORT, kinds=("perpetual",)),
    ]
    quiet = {"negative_spread_tolerance": "moderate", "funding_regime_exit": "false"}
    position = desk.plan("funding_spread", legs, "0.1", basis_reduce_at="", **quiet)
    desk.drive_until(position, PositionState.OPEN)
    desk.read_accounts()
    return position
