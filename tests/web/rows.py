"""Rows as the engine writes them, with round numbers, for tests of screens."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from arbsite.accounts.models import User
from exchanges.models import (
    AccountBalance,
    AccountFee,
    AccountPosition,
    Exchange,
    ExchangeAccount,
    Instrument,
)
from trading.core.parameters import Parameters
from trading.models import (
    Discrepancy,
    Event,
    FundingEvent,
    Leg,
    LegSide,
    Opportunity,
    Order,
    Position,
    StateChange,
    Trade,
)

D = Decimal
PRICE = D(100)
HOURS_8 = 28_800


def make_exchange(code: str, short_code: str, name: str, mode: str = "rehearsal") -> Exchange:
    return Exchange.objects.create(code=code, short_code=short_code, name=name, mode=mode)


def make_instrument(exchange: Exchange, base: str, now: datetime) -> Instrument:
    return Instrument.objects.create(
        exchange=exchange,
        symbol=f"{base}/USDT:USDT",
        venue_symbol=f"{base}USDT",
        kind="perpetual",
        base=base,
        quote="USDT",
        settle="USDT",
        contract_base=D(1),
        price_tick=D("0.01"),
        lot=D("0.001"),
        min_base_quantity=D("0.001"),
        min_notional=D(5),
        max_leverage=D(20),
        maintenance_margin_rate=D("0.005"),
        settlement="lump",
        funding_interval_seconds=HOURS_8,
        interval_source="venue",
        refreshed_at=now,
    )


def make_account(user: User, exchange: Exchange, now: datetime) -> ExchangeAccount:
    """Return an account with 100,000 USDT, a fee of 5 bp for everything and a key of its own."""
    account = ExchangeAccount.objects.create(
        user=user,
        exchange=exchange,
        key_fingerprint=f"{user.pk} {exchange.code}",
        checked_at=now,
    )
    AccountBalance.objects.create(
        account=account,
        asset="USDT",
        free=D(90_000),
        total=D(100_000),
        equity=D(100_000),
        observed_at=now,
    )
    for instrument in exchange.instruments.all():
        AccountFee.objects.create(
            account=account,
            instrument=instrument,
            maker=D("0.0002"),
            taker=D("0.0005"),
            observed_at=now,
        )
    return account


def make_position(
    user: User, long: Instrument, short: Instrument, now: datetime, *, state: str = "open"
) -> Position:
    """Return 10 base units a leg, bought at 100.01 and sold at 99.99, held for six hours.

    Fees are 0.50 a leg, funding +3.00 on the short leg. A leg is liquidated at 50 or 150.
    """
    opened_at = now - timedelta(hours=6)
    position = Position.objects.create(
        user=user,
        mode="rehearsal",
        base=long.base,
        strategy="funding_spread",
        open_reason="funding",
        state=state,
        size_usd=D(1000),
        target_base_quantity=D(10),
        parameters={},
        configuration_version=0,
        entry_funding_spread=D("0.0003"),
        opened_by="scheduler",
        created_at=opened_at,
        entry_deadline=opened_at,
        entry_timestamp=opened_at,
        checked_at=now,
    )
    for index, (side, instrument) in enumerate([(LegSide.LONG, long), (LegSide.SHORT, short)]):
        _make_leg(position, index, side, instrument, opened_at)
    StateChange.objects.create(
        position=position,
        from_state="entering",
        event="hedged",
        to_state="open",
        cause="both venues read back",
        at=opened_at,
    )
    return position


def make_entering(user: User, now: datetime) -> Position:
    """Return a position on its way in, without legs, with 30 seconds left."""
    return Position.objects.create(
        user=user,
        mode="rehearsal",
        base="BTC",
        strategy="funding_spread",
        open_reason="funding",
        state="entering",
        size_usd=D(100),
        target_base_quantity=D(1),
        parameters=Parameters().to_values(),
        configuration_version=1,
        entry_funding_spread=D("0.001"),
        opened_by="owner",
        created_at=now,
        entry_deadline=now + timedelta(seconds=30),
    )


def make_opportunity(
    user: User, long: Instrument, short: Instrument, now: datetime, reason: str = ""
) -> Opportunity:
    return Opportunity.objects.create(
        user=user,
        strategy="funding_spread",
        base=long.base,
        long_instrument=long,
        short_instrument=short,
        size_usd=D(1000),
        capacity_usd=D(38_000),
        spread_8h=D("0.0003"),
        cost=D("0.002"),
        net_return=D("0.004"),
        net_apr=D("0.206"),
        hold_hours=168,
        break_even_hours=D("45.6"),
        break_even_settlements=6,
        status="passed" if reason else "candidate",
        reason=reason,
        found_at=now,
        seen_at=now,
    )


def make_event(user: User, sentence: str, now: datetime, severity: str = "info") -> Event:
    return Event.objects.create(
        user=user, kind="test", severity=severity, sentence=sentence, created_at=now
    )


def make_discrepancy(position: Position, **columns: object) -> Discrepancy:
    """Return a confirmed difference on the short leg: the venue holds 2 more sold than the 10."""
    leg = position.legs.select_related("instrument", "account").get(side=LegSide.SHORT)
    values: dict[str, object] = {
        "user": position.user,
        "account": leg.account,
        "symbol": leg.instrument.symbol,
        "instrument": leg.instrument,
        "position": position,
        "kind": "foreign",
        "ours": D(-10),
        "theirs": D(-12),
        "sentence": "Owner's difference.",
        "found_at": position.created_at,
        "last_seen_at": position.created_at,
        "confirmed_at": position.created_at,
    }
    return Discrepancy.objects.create(**values | columns)


def _make_leg(
    position: Position, index: int, side: LegSide, instrument: Instrument, at: datetime
) -> None:
    account = ExchangeAccount.objects.get(user=position.user, exchange=instrument.exchange)
    is_long = side == LegSide.LONG
    leg = Leg.objects.create(
        position=position,
        index=index,
        side=side,
        account=account,
        instrument=instrument,
        leverage=D(2),
        is_prepared=True,
        decision_entry_mid=PRICE,
        taker_fee=D("0.0005"),
    )
    _fill(leg, at)
    if not is_long:
        _pay_funding(leg, at + timedelta(hours=1))
    AccountPosition.objects.create(
        account=account,
        instrument=instrument,
        base_quantity=D(10) if is_long else D(-10),
        liquidation_price=D(50) if is_long else D(150),
        observed_at=at,
    )


def _fill(leg: Leg, at: datetime) -> None:
    is_long = leg.side == LegSide.LONG
    order = Order.objects.create(
        position=leg.position,
        leg=leg,
        purpose="open" if leg.index == 0 else "hedge",
        sequence=1,
        client_order_id=f"ours-{leg.position.short_id}-{leg.index}",
        venue_order_id=f"theirs-{leg.index}",
        side="buy" if is_long else "sell",
        order_type="limit",
        time_in_force="gtc",
        base_quantity=D(10),
        price=PRICE,
        state="filled",
        filled_base_quantity=D(10),
        is_final_at_venue=True,
        created_at=at,
    )
    Trade.objects.create(
        position=leg.position,
        leg=leg,
        order=order,
        account=leg.account,
        venue_trade_id=f"fill-{leg.position.short_id}-{leg.index}",
        venue_order_id=order.venue_order_id,
        side=leg.side,
        action="OPEN",
        order_side=order.side,
        order_type="limit",
        price=PRICE + (D("0.01") if is_long else D("-0.01")),
        base_quantity=D(10),
        size=D(1000),
        fee=D("0.50"),
        fee_asset="USDT",
        filled_at=at,
        booked_at=at,
    )


def _pay_funding(leg: Leg, at: datetime) -> None:
    FundingEvent.objects.create(
        position=leg.position,
        leg=leg,
        account=leg.account,
        venue_payment_id=f"paid-{leg.position.short_id}",
        funding_rate=D("0.0003"),
        payment=D(3),
        asset="USDT",
        payment_usd=D(3),
        paid_at=at,
        booked_at=at,
    )


def pay_fee_in_coin(leg: Leg, now: datetime, fee: str, price: str | None = None) -> None:
    """Book a fill of nothing that cost a fee in BNB: the P&L's other parts stay as they are."""
    Trade.objects.create(
        position=leg.position,
        leg=leg,
        order=leg.orders.get(),
        account=leg.account,
        venue_trade_id=f"fee-{fee}",
        venue_order_id="theirs-1",
        side=leg.side,
        action="OPEN",
        order_side="sell",
        order_type="limit",
        price=Decimal("99.99"),
        base_quantity=Decimal(0),
        size=Decimal(0),
        fee=Decimal(fee),
        fee_asset="BNB",
        fee_price=None if price is None else Decimal(price),
        filled_at=now,
        booked_at=now,
    )
