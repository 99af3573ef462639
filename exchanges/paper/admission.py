"""What an order must satisfy before a paper venue takes it; refusals as a real one would say."""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain import Instrument, InstrumentKind, OrderRequest, Side, TimeInForce
from exchanges.errors import (
    DuplicateClientOrderId,
    InsufficientMargin,
    InvalidOrder,
    NothingToReduce,
    OrderRejected,
    PostOnlyWouldTake,
)
from exchanges.loans import BORROW_INITIAL_RATE, owed
from exchanges.matching import (
    added_exposure,
    crosses,
    notional_limit,
    reducible,
    take,
    trade_fee,
)
from exchanges.order_form import off_the_grid
from exchanges.paper.book import left_of, opposite
from exchanges.paper.facts import Facts
from exchanges.paper.ledger import Ledger
from exchanges.paper.margin import locked, margin_state
from exchanges.paper.terms import Terms

ZERO = Decimal(0)


def admit(ledger: Ledger, request: OrderRequest, facts: Facts, terms: Terms) -> None:
    """Raise OrderRejected of a kind where the order may not be; the book must have been read."""
    instrument = facts.instruments[request.symbol]
    if ledger.order(request.client_order_id) is not None:
        raise DuplicateClientOrderId(
            f"client order id {request.client_order_id} is taken", venue=terms.profile.name
        )
    refusal = off_the_grid(request, instrument) or _too_large_or_small(request, instrument, facts)
    if refusal is not None:
        raise InvalidOrder(refusal, venue=terms.profile.name)
    if instrument.kind is InstrumentKind.SPOT:
        _admit_taking(request, facts, terms)
        _admit_spot(ledger, request, facts, terms)
        return
    held = ledger.position(request.symbol)
    side, quantity = request.side, request.base_quantity
    if request.reduce_only and not reducible(held, side=side, base_quantity=quantity):
        raise NothingToReduce(
            f"a position of {_plain(held.base_quantity)} {instrument.base} cannot be reduced by "
            f"a {side}",
            venue=terms.profile.name,
        )
    _admit_taking(request, facts, terms)
    if not request.reduce_only:
        _admit_margin(ledger, request, facts, terms)


def _too_large_or_small(request: OrderRequest, instrument: Instrument, facts: Facts) -> str | None:
    quantity, most = request.base_quantity, instrument.max_base_quantity
    if most is not None and quantity > most:
        return f"{quantity} {instrument.base} is above the largest order of {most}"
    value = quantity * (request.price or _touch(request, facts))
    exempt = request.reduce_only and instrument.kind is not InstrumentKind.SPOT
    if value < instrument.min_notional and not exempt:
        least = _plain(instrument.min_notional)
        return f"{_plain(value)} {instrument.quote} is below the least value of {least}"
    return None


def _touch(request: OrderRequest, facts: Facts) -> Decimal:
    """Return the best price on the other side; 0 where there is none."""
    levels = opposite(facts.depths[request.symbol], request.side)
    return levels[0].price if levels else Decimal(0)


def _admit_taking(request: OrderRequest, facts: Facts, terms: Terms) -> None:
    touch = _touch(request, facts)
    if not touch:
        raise OrderRejected("the other side of the book is empty", venue=terms.profile.name)
    is_post_only = request.time_in_force is TimeInForce.POST_ONLY
    if is_post_only and request.price and crosses(request.side, request.price, touch):
        raise PostOnlyWouldTake(
            f"the price {_plain(request.price)} would trade at {_plain(touch)}",
            venue=terms.profile.name,
        )


def _admit_spot(ledger: Ledger, request: OrderRequest, facts: Facts, terms: Terms) -> None:
    """Refuse what the wallet can neither pay at the worst price it may come to, nor borrow."""
    instrument = facts.instruments[request.symbol]
    if request.side is Side.BUY:
        _admit_purchase(ledger, request, facts, terms)
        return
    asset, needed = instrument.base, request.base_quantity
    free = ledger.balance(asset) - locked(ledger.orders(), asset, terms)
    if request.may_borrow:
        _admit_loan(ledger, request, max(ZERO, needed - free), facts, terms)
    elif needed > free:
        raise InsufficientMargin(
            f"{_plain(needed)} {asset} needed, {_plain(max(ZERO, free))} free",
            venue=terms.profile.name,
        )


def _admit_purchase(ledger: Ledger, request: OrderRequest, facts: Facts, terms: Terms) -> None:
    """Refuse what is not paid by free money, beside what it frees by paying coins back."""
    instrument = facts.instruments[request.symbol]
    asset = instrument.quote
    price = _worst(ledger, request, facts, terms)
    needed = request.base_quantity * price * (1 + terms.quote_fee)
    debt = owed(ledger.balance(instrument.base))
    repaid = min(request.base_quantity, debt) * (facts.mark(request.symbol) or price)
    free = margin_state(ledger, asset, facts, terms).available
    free += repaid * (1 + BORROW_INITIAL_RATE)
    if needed > free:
        raise InsufficientMargin(
            f"{_plain(needed)} {asset} needed, {_plain(free)} free", venue=terms.profile.name
        )


def _admit_loan(
    ledger: Ledger, request: OrderRequest, debt: Decimal, facts: Facts, terms: Terms
) -> None:
    """Refuse a sale that leaves the account owing `debt` coins where it may not or cannot."""
    instrument = facts.instruments[request.symbol]
    base, venue = instrument.base, terms.profile.name
    if not terms.lends:
        raise InvalidOrder(f"{base} cannot be borrowed here to sell it", venue=venue)
    if not debt:
        return
    told = facts.loans.get(base)
    if terms.hourly_borrow_rate(base, facts) is None:
        raise OrderRejected(
            f"what borrowing {base} costs is not told here: assume a borrow rate of the paper "
            "account",
            venue=venue,
        )
    if told is not None and told.most is not None and debt > told.most:
        raise OrderRejected(
            f"borrowing {_plain(debt)} {base} is above the {_plain(told.most)} that are lent",
            venue=venue,
        )
    # What works on loan already, too: it holds no margin yet.
    more = debt - owed(ledger.balance(base))
    needed = more * _worst(ledger, request, facts, terms) * BORROW_INITIAL_RATE
    free = margin_state(ledger, instrument.quote, facts, terms).available
    if needed > free:
        raise InsufficientMargin(
            f"{_plain(needed)} {instrument.quote} needed, {_plain(free)} available", venue=venue
        )


def _worst(ledger: Ledger, request: OrderRequest, facts: Facts, terms: Terms) -> Decimal:
    if request.price is not None:
        return request.price
    levels = left_of(
        opposite(facts.depths[request.symbol], request.side),
        ledger.taken(request.symbol, request.side, facts.now),
    )
    taken = take(levels, side=request.side, base_quantity=request.base_quantity, limit=None)
    worst = taken[-1].price if taken else _touch(request, facts)
    slippage: Decimal = terms.paper.slippage
    return worst * (1 + slippage)


def _admit_margin(ledger: Ledger, request: OrderRequest, facts: Facts, terms: Terms) -> None:
    """Refuse a position beyond its tier, or one that the free margin does not carry with its fee.

    As in the venue simulator: the order's notional at its price over the leverage, plus taker fee.
    """
    instrument = facts.instruments[request.symbol]
    held, side = ledger.position(request.symbol), request.side
    added = added_exposure(held, side=side, base_quantity=request.base_quantity)
    if not added:
        return
    if not terms.tells_maintenance(instrument):
        raise OrderRejected(
            f"how much margin must stay behind {instrument.base} is not listed: assume a "
            "maintenance rate of the paper account",
            venue=terms.profile.name,
        )
    price = request.price or _touch(request, facts)
    leverage = ledger.leverage(request.symbol)
    after = abs(held.base_quantity + request.base_quantity * side.sign) * price
    limit = notional_limit(leverage, terms.tiers(instrument, price))
    if after > limit:
        raise InsufficientMargin(
            f"a position of {_plain(after)} {instrument.settle} is above the {_plain(limit)} "
            f"allowed at {_plain(leverage)}x",
            venue=terms.profile.name,
        )
    notional = added * price
    fee = trade_fee(notional=notional, rate=terms.fees(instrument).taker)
    needed = notional / leverage + fee
    free = margin_state(ledger, instrument.settle, facts, terms).available
    if needed > free:
        raise InsufficientMargin(
            f"{_plain(needed)} {instrument.settle} needed, {_plain(free)} available",
            venue=terms.profile.name,
        )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
