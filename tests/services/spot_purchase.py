"""A purchase of one coin as its rows stand before any execution of it is booked."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from arbsite.accounts.models import User
from exchanges.models import Exchange, ExchangeAccount, Instrument
from tests.web.rows import make_instrument
from trading.core.states import OrderState, PositionState
from trading.models import Leg, Order, Position

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
D = Decimal


def spot(venue: Exchange, base: str) -> Instrument:
    instrument = make_instrument(venue, base, NOW)
    instrument.symbol, instrument.kind = f"{base}/USDT", "spot"
    instrument.save()
    return instrument


def purchase_of_one(
    account: ExchangeAccount, instrument: Instrument, user: User, *, fee: str = "0.001"
) -> Order:
    """Return an order for 1 BTC at 60,000 on the first leg of a position."""
    position = Position.objects.create(
        user=user,
        mode="rehearsal",
        base="BTC",
        strategy="cash_and_carry",
        open_reason="basis",
        state=PositionState.OPEN,
        size_usd=D(60_000),
        target_base_quantity=D(1),
        parameters={},
        configuration_version=1,
        entry_funding_spread=D(0),
        opened_by="test",
        created_at=NOW,
        entry_deadline=NOW,
    )
    leg = Leg.objects.create(
        position=position,
        index=0,
        side="LONG",
        account=account,
        instrument=instrument,
        decision_entry_mid=D(60_000),
        taker_fee=D(fee),
    )
    return Order.objects.create(
        position=position,
        leg=leg,
        purpose="open",
        sequence=1,
        client_order_id="one",
        side="buy",
        order_type="market",
        time_in_force="ioc",
        base_quantity=D(1),
        state=OrderState.OPEN,
        created_at=NOW,
        sent_at=NOW,
    )
