"""What one account is asked for to be compared with our book: a conversation with its venue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar, cast

from exchanges.domain import Fill, InstrumentKind, OrderReport, Symbol
from exchanges.errors import CredentialRefused
from exchanges.models import ExchangeAccount
from exchanges.ports import Trading
from trading.core.reconcile import VenueReports
from trading.core.states import LIVE_POSITION_STATES
from trading.models import Leg, Order
from trading.services.discrepancies import note_hedge_mode
from trading.services.halt import halt_account
from trading.services.outside_fills import is_booked, live_leg, order_of, unconfirmed_since
from trading.services.own_book import since_written, unfinished_since
from trading.services.position_facts import store_positions
from trading.services.side_by_side import Conversation
from trading.services.venues import Venues

T = TypeVar("T")


class AccountUnread(Exception):
    """A part of an account could not be read, for `failure`: nothing is known of the whole."""

    def __init__(self, failure: BaseException) -> None:
        super().__init__(str(failure))
        self.failure = failure


def read_account(
    account: ExchangeAccount,
    orders: list[Order],
    spot: Collection[Symbol],
    venues: Venues,
    now: datetime,
) -> Conversation[VenueReports]:
    """Read positions, wallet, own open orders and fills. Raise AccountUnread where a part fails.

    Orders are read of the instruments alone in which one of ours is at work: all of an account are
    a heavy list, and what others have placed shows once it fills.
    """
    port, trading = venues.account(account), venues.trading(account)
    since = unfinished_since(orders, now=now)
    [positions] = yield [port.positions()]
    if isinstance(positions, CredentialRefused):
        halt_account(account, reason=positions.detail, now=now)
    held = _read(positions)
    working = yield from _working(orders, trading)
    fills = yield from _fills(account, since, venues)
    wallet = (yield from _wallet(account, venues)) if spot else None
    store_positions(account, held, now=now)
    if any(position.is_hedge_mode for position in held):
        note_hedge_mode(account, now=now)
    quantities: dict[Symbol, Decimal] = {}
    for position in held:
        before = quantities.get(position.symbol, Decimal(0))
        quantities[position.symbol] = before + position.base_quantity
    return VenueReports(
        read_at=now, fills=fills, orders=list(working), quantities=quantities, wallet=wallet
    )


def _read(answer: T | BaseException) -> T:
    if isinstance(answer, BaseException):
        raise AccountUnread(answer)
    return answer


def _working(orders: Iterable[Order], trading: Trading) -> Conversation[Sequence[OrderReport]]:
    # Where none is at work the list is left out: it is the heaviest that a comparison may read.
    at_work = [order for order in orders if not order.is_final_at_venue]
    symbols = sorted({Symbol(order.leg.instrument.symbol) for order in at_work})
    if not symbols:
        return []
    [working] = yield [trading.open_orders(*symbols)]
    return cast(Sequence[OrderReport], _read(working))


def _fills(
    account: ExchangeAccount, since: Mapping[Symbol, datetime], venues: Venues
) -> Conversation[list[Fill]]:
    port = venues.account(account)
    answers = yield [port.fills(symbol, since=start) for symbol, start in since.items()]
    return [fill for answer in answers for fill in _read(answer)]


def _wallet(account: ExchangeAccount, venues: Venues) -> Conversation[dict[Symbol, Decimal] | None]:
    """Return what the wallet holds of each spot instrument that a live leg of ours is in."""
    spot = Leg.objects.filter(
        account=account,
        instrument__kind=InstrumentKind.SPOT,
        position__state__in=LIVE_POSITION_STATES,
    )
    bases = dict(spot.values_list("instrument__symbol", "instrument__base"))
    if not bases:
        return None
    [balances] = yield [venues.account(account).balances()]
    totals = {balance.asset: balance.total for balance in _read(balances)}
    return {Symbol(symbol): totals.get(base, Decimal(0)) for symbol, base in bases.items()}


def read_closings(
    account: ExchangeAccount,
    symbols: Iterable[Symbol],
    ended: Iterable[Order],
    reports: VenueReports,
    venues: Venues,
) -> Conversation[VenueReports]:
    """Add the fills since both venues last confirmed each differing leg, with their causes.

    And those since the orders of `ended` positions were written. Raise AccountUnread.
    """
    since = since_written(ended)
    for symbol in symbols:
        leg = live_leg(account, symbol)
        if leg is not None:
            confirmed = unconfirmed_since(leg)
            since[symbol] = min(since.get(symbol, confirmed), confirmed)
    fills = yield from _fills(account, since, venues)
    traced = yield from _traced(account, fills, venues)
    known = {fill.venue_trade_id: fill for fill in (*reports.fills, *traced)}
    return replace(reports, fills=list(known.values()))


def _traced(
    account: ExchangeAccount, fills: list[Fill], venues: Venues
) -> Conversation[list[Fill]]:
    """Return the fills with the causes of those that no order of ours made, asked once an order."""
    strange = {
        fill.venue_order_id: fill
        for fill in fills
        if not fill.cause.is_venue
        and order_of(account, fill) is None
        and not is_booked(account, fill)
    }
    port = venues.account(account)
    answers = yield [port.trace(fill) for fill in strange.values()]
    origins = {origin.venue_order_id: origin for origin in map(_read, answers)}
    return [
        replace(fill, client_order_id=origin.client_order_id, cause=origin.cause)
        if (origin := origins.get(fill.venue_order_id)) is not None
        else fill
        for fill in fills
    ]
