"""Fills that no order of ours made: the venue's own closings, and a person's trades once adopted.

Only what makes a leg smaller is ever booked, and never more than the leg holds: a fill beyond that
closed what is not ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from exchanges.domain import Fill, FillCause, OrderType, Side, Symbol
from exchanges.errors import VenueError
from exchanges.models import ExchangeAccount
from trading.core.money import plain
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.core.states import LIVE_POSITION_STATES, PositionState
from trading.events import announce
from trading.models import Discrepancy, Event, Leg, Order, Position, Trade
from trading.services.cool_downs import cool_down
from trading.services.fee_prices import fee_prices
from trading.services.holdings import leg_net_base
from trading.services.venues import READ_SECONDS, Venues

# The clocks of a venue and of ours may differ; what closed a leg must not fall outside.
CLOSING_MARGIN = timedelta(minutes=1)
WORDS = {
    Trade.Cause.LIQUIDATION: "liquidated",
    Trade.Cause.ADL: "auto-deleveraged",
    Trade.Cause.SETTLEMENT: "settled",
}


def book_venue_fills(
    account: ExchangeAccount, fills: Iterable[Fill], *, now: datetime
) -> list[Position]:
    """Book each closing by the venue once, on the one live leg it closed; return the positions.

    What closed nothing of ours stays unbooked, and so does a fill larger than the leg while an
    order may still fill: a later read decides.
    """
    touched: dict[object, Position] = {}
    for fill in fills:
        if not fill.cause.is_venue:
            continue
        leg = live_leg(account, fill.symbol)
        if leg is None or is_booked(account, fill):
            continue
        if _book_closing(leg, fill, now):
            touched[leg.position_id] = leg.position
            _cool_down_after(leg.position, fill, now)
    return list(touched.values())


def adopt_fills(discrepancy: Discrepancy, *, venues: Venues, now: datetime) -> Refusal | None:
    """Book a person's own trades on the leg that they made smaller; None when it is done."""
    account, symbol = discrepancy.account, Symbol(discrepancy.symbol)
    leg = live_leg(account, symbol)
    if leg is None:
        return Refusal(code="no_leg", sentence=f"No live position of ours holds {symbol} there.")
    try:
        since = unconfirmed_since(leg)
        fills = venues.call(venues.account(account).fills(symbol, since=since), READ_SECONDS)
    except VenueError as error:
        return unreadable(account, error)
    wanted = abs(discrepancy.missing)
    foreign = reducing(leg, fills)
    listed = sum((fill.base_quantity for fill in foreign), Decimal(0))
    if listed < wanted:
        sentence = (
            f"{account.exchange.name} lists foreign fills of {plain(listed)} {leg.instrument.base} "
            f"only, {plain(wanted)} are missing: look at the account there, then write them off."
        )
        return Refusal(code="unexplained", sentence=sentence)
    prices = fee_prices(account, foreign, now=now)
    with transaction.atomic():
        book_adopted(leg, foreign, wanted, prices, now=now)
    return None


def unconfirmed_since(leg: Leg) -> datetime:
    """Return from when on fills may have changed what both venues confirmed of the position."""
    confirmed: datetime = leg.position.checked_at or leg.position.created_at
    return confirmed - CLOSING_MARGIN


def unreadable(account: ExchangeAccount, why: BaseException) -> Refusal:
    name = account.exchange.name
    return Refusal(code="unreadable", sentence=f"{name} could not be read: {why}")


def reducing(leg: Leg, fills: Iterable[Fill]) -> list[Fill]:
    """Return the foreign fills that made a leg smaller."""
    return [fill for fill in foreign_fills(leg.account, fills) if _reduces(leg, fill)]


def book_adopted(
    leg: Leg,
    fills: Iterable[Fill],
    wanted: Decimal,
    prices: Mapping[str, Decimal],
    *,
    now: datetime,
) -> Decimal:
    """Book a person's fills up to the `wanted` quantity; return what of it they do not explain."""
    for fill in fills:
        share = min(fill.base_quantity, wanted)
        if share > 0:
            price = prices.get(fill.fee_asset)
            book_without_order(leg, fill, share, Trade.Cause.MANUAL, price, now)
            wanted -= share
    return wanted


def foreign_fills(account: ExchangeAccount, fills: Iterable[Fill]) -> list[Fill]:
    """Return the fills that neither an order of ours nor the venue made and nobody has adopted."""
    return [
        fill
        for fill in fills
        if not fill.cause.is_venue
        and order_of(account, fill) is None
        and not is_booked(account, fill)
    ]


def order_of(account: ExchangeAccount, fill: Fill) -> Order | None:
    """Return our order that a fill belongs to, by our own id or by the venue's."""
    own = Order.objects.select_related("position", "leg__instrument__exchange").filter(
        leg__account=account, leg__instrument__symbol=fill.symbol
    )
    if fill.client_order_id:
        return own.filter(client_order_id=fill.client_order_id).first()
    return own.filter(venue_order_id=fill.venue_order_id).exclude(venue_order_id="").first()


def live_leg(account: ExchangeAccount, symbol: str) -> Leg | None:
    """Return the one live leg of an account in an instrument, None where there is none or two."""
    legs = (
        Leg.objects.filter(
            account=account,
            instrument__symbol=symbol,
            position__state__in=LIVE_POSITION_STATES,
        )
        .select_related("position", "instrument__exchange", "account__exchange")
        .prefetch_related("orders__trades", "trades")
    )
    return legs[0] if len(legs) == 1 else None


def is_booked(account: ExchangeAccount, fill: Fill) -> bool:
    return Trade.objects.filter(
        account=account,
        leg__instrument__symbol=fill.symbol,
        venue_order_id=fill.venue_order_id,
        venue_trade_id=fill.venue_trade_id,
    ).exists()


def _book_closing(leg: Leg, fill: Fill, now: datetime) -> bool:
    prices = fee_prices(leg.account, [fill], now=now)
    with transaction.atomic():
        # Writing first takes the row: two workers never split one leg's quantity.
        note_exposure_change(leg)
        current = live_leg(leg.account, fill.symbol)
        if current is None or is_booked(leg.account, fill) or not _closed_ours(current, fill):
            transaction.set_rollback(True)
            return False
        share = min(fill.base_quantity, abs(leg_net_base(current)))
        cause = Trade.Cause(fill.cause.value)
        book_without_order(current, fill, share, cause, prices.get(fill.fee_asset), now)
        _tell(current, share, fill, cause, now)
    return True


def _cool_down_after(position: Position, fill: Fill, now: datetime) -> None:
    parameters = Parameters.from_stored(position.parameters)
    pauses = {
        FillCause.LIQUIDATION: parameters.liquidation_cooldown,
        FillCause.ADL: parameters.adl_cooldown,
    }
    if (pause := pauses.get(fill.cause)) is not None:
        cool_down(position, pause, f"the venue closed a leg: {fill.cause}", now=now)


def _closed_ours(leg: Leg, fill: Fill) -> bool:
    """Tell whether a closing hit what the leg holds, after its first own fill."""
    first = leg.trades.order_by("filled_at").first()
    if first is None or fill.filled_at < first.filled_at or not _reduces(leg, fill):
        return False
    held = leg_net_base(leg) * leg.sign
    return fill.base_quantity <= held or (held > 0 and not _may_still_fill(leg.orders.all()))


def _reduces(leg: Leg, fill: Fill) -> bool:
    return fill.side.sign == -leg.sign


def _may_still_fill(orders: Iterable[Order]) -> bool:
    return any(not order.is_final_at_venue for order in orders)


def book_without_order(
    leg: Leg,
    fill: Fill,
    share: Decimal,
    cause: Trade.Cause,
    fee_price: Decimal | None,
    now: datetime,
) -> None:
    """Write the trade; of a larger fill the leg bears its share of the fee."""
    Trade.objects.create(
        position=leg.position,
        leg=leg,
        order=None,
        cause=cause,
        account=leg.account,
        venue_trade_id=fill.venue_trade_id,
        venue_order_id=fill.venue_order_id,
        side=leg.side,
        action="CLOSE",
        order_side=Side(fill.side),
        order_type=OrderType.MARKET,
        price=fill.price,
        base_quantity=share,
        size=fill.price * share,
        fee=fill.fee * share / fill.base_quantity,
        fee_asset=fill.fee_asset,
        fee_price=fee_price,
        is_maker=fill.is_maker,
        filled_at=fill.filled_at,
        booked_at=now,
    )
    if cause is Trade.Cause.MANUAL:
        note_exposure_change(leg)


def note_exposure_change(leg: Leg) -> None:
    """Ask for a new read-back: what both venues confirmed is no longer what we hold."""
    Position.objects.filter(pk=leg.position_id).update(exposure_version=F("exposure_version") + 1)


def _tell(leg: Leg, share: Decimal, fill: Fill, cause: Trade.Cause, now: datetime) -> None:
    is_held = leg.position.state == PositionState.HELD
    follows = "the position is held: press Close" if is_held else "the other leg follows at once"
    announce(
        user_id=leg.account.user_id,
        kind=f"venue.{cause}",
        severity=Event.Severity.CRITICAL,
        sentence=f"{leg.instrument.exchange.name} {WORDS[cause]} {plain(share)} "
        f"{leg.instrument.base} at {plain(fill.price)}; {follows}",
        position=leg.position,
        now=now,
    )
