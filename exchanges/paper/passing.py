"""What a paper venue does of itself: funding, interest, countdowns, delivery, liquidation."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from exchanges.domain import FillCause, Symbol, VenueOrderStatus
from exchanges.loans import owed
from exchanges.matching import bankruptcy_price, takeover_price
from exchanges.paper.engine import close_by_venue, match_resting
from exchanges.paper.facts import Facts, delivered_at, quote_of
from exchanges.paper.funding import settle
from exchanges.paper.ledger import Ledger, as_holding
from exchanges.paper.loans import charge_loans, price_of
from exchanges.paper.margin import alone, margin_state, mark_of, state_behind, wallets
from exchanges.paper.rows import PaperHolding
from exchanges.paper.terms import Terms

ZERO = Decimal(0)
# Several lists are read in this time: one that was cut off ends nothing.
UNLISTED_FOR = timedelta(hours=3)


def pass_time(ledger: Ledger, facts: Facts, terms: Terms) -> None:
    """Bring the account to the moment of `facts`; doing it twice changes nothing more."""
    _count_down(ledger, facts.now)
    for row in ledger.unsettled():
        settle(ledger, row, facts)
    charge_loans(ledger, facts, terms)
    match_resting(ledger, facts, terms)
    _note_marks(ledger, facts)
    _deliver(ledger, facts, terms)
    _liquidate(ledger, facts, terms)


def _count_down(ledger: Ledger, now: datetime) -> None:
    """Cancel the orders of every contract whose countdown has run out."""
    for row in PaperHolding.objects.filter(paper=ledger.paper, cancels_at__lte=now):
        for order in ledger.orders(Symbol(row.symbol)):
            ledger.finish(order, VenueOrderStatus.CANCELED, now)
        row.cancels_at = None
        row.save(update_fields=["cancels_at"])


def _note_marks(ledger: Ledger, facts: Facts) -> None:
    for row in ledger.held():
        quote = facts.quotes.get(Symbol(row.symbol))
        if quote is not None and (row.marked_at is None or quote.observed_at > row.marked_at):
            row.mark_price, row.marked_at = quote.mark_price, quote.observed_at
            row.save(update_fields=["mark_price", "marked_at"])


def _deliver(ledger: Ledger, facts: Facts, terms: Terms) -> None:
    """Settle what has ended at the last mark that was seen, as a venue does with a delisted one."""
    for row in ledger.held():
        _note_listing(row, facts)
        if not _has_ended(row, facts):
            continue
        for order in ledger.orders(Symbol(row.symbol)):
            ledger.finish(order, VenueOrderStatus.CANCELED, facts.now)
        _close(ledger, row, FillCause.SETTLEMENT, mark_of(row, facts), facts, terms)


def _note_listing(row: PaperHolding, facts: Facts) -> None:
    is_gone = facts.is_gone(Symbol(row.symbol))
    if is_gone is (row.unlisted_at is not None):
        return
    row.unlisted_at = facts.now if is_gone else None
    row.save(update_fields=["unlisted_at"])


def _has_ended(row: PaperHolding, facts: Facts) -> bool:
    """Tell whether a future's day has come, or a contract is gone: as announced, or for good."""
    known = facts.instruments.get(Symbol(row.symbol))
    ends = delivered_at(row.symbol)
    if ends is not None:
        return ends <= facts.now
    if row.unlisted_at is None:
        return False
    announced = known.expires_at if known is not None else None
    is_due = announced is not None and announced <= facts.now
    return is_due or facts.now - row.unlisted_at >= UNLISTED_FOR


def _liquidate(ledger: Ledger, facts: Facts, terms: Terms) -> None:
    for row in ledger.held():
        if row.is_isolated and state_behind(ledger, row, facts, terms).is_liquidatable:
            _liquidate_alone(ledger, row, facts, terms)
    for asset in sorted(wallets(ledger)):
        if margin_state(ledger, asset, facts, terms).is_liquidatable:
            _liquidate_wallet(ledger, asset, facts, terms)


def _liquidate_alone(ledger: Ledger, row: PaperHolding, facts: Facts, terms: Terms) -> None:
    """Cancel a contract's orders and close it: at the mark, at worst where its margin is lost.

    What is lost beyond it between two looks is the venue's, as it is at a real one.
    """
    symbol, is_long = Symbol(row.symbol), row.base_quantity > 0
    for order in ledger.orders(symbol):
        ledger.finish(order, VenueOrderStatus.CANCELED, facts.now)
    worst = bankruptcy_price(as_holding(row), alone(row))
    worst = _on_tick(symbol, worst, row.base_quantity, facts)
    price = (max if is_long else min)(mark_of(row, facts), worst)
    _close(ledger, row, FillCause.LIQUIDATION, price, facts, terms)


def _liquidate_wallet(ledger: Ledger, asset: str, facts: Facts, terms: Terms) -> None:
    """Cancel the orders and close the largest holdings until the equity carries the rest.

    Where it never does, what is owed is bought back last. What a wallet lost beyond all it has
    between two looks is the venue's, as it is at a real one.
    """
    for order in ledger.orders():
        ledger.finish(order, VenueOrderStatus.CANCELED, facts.now)
    rows = [row for row in ledger.held(asset) if not row.is_isolated]
    for row in sorted(
        rows, key=lambda one: as_holding(one).notional(mark_of(one, facts)), reverse=True
    ):
        if not margin_state(ledger, asset, facts, terms).is_liquidatable:
            return
        price = _taken_over(
            ledger, asset, Symbol(row.symbol), row.base_quantity, mark_of(row, facts), facts, terms
        )
        _close(ledger, row, FillCause.LIQUIDATION, price, facts, terms)
    for loan in ledger.loans():
        debt, price = owed(ledger.balance(loan.asset)), price_of(loan, facts)
        is_due = debt and quote_of(loan.symbol) == asset
        if is_due and margin_state(ledger, asset, facts, terms).is_liquidatable:
            price = _taken_over(ledger, asset, loan.market, -debt, price, facts, terms)
            close_by_venue(ledger, loan.market, -debt, FillCause.LIQUIDATION, price, facts, terms)


def _taken_over(
    ledger: Ledger,
    asset: str,
    symbol: Symbol,
    held: Decimal,
    mark: Decimal,
    facts: Facts,
    terms: Terms,
) -> Decimal:
    """Return at which price a wallet's holding is closed: the mark, unless that leaves a debt."""
    instrument = facts.instruments.get(symbol)
    price = takeover_price(
        held,
        mark_price=mark,
        equity=margin_state(ledger, asset, facts, terms).equity,
        fee_rate=ZERO if instrument is None else terms.fees(instrument).taker,
    )
    return mark if price == mark else _on_tick(symbol, price, held, facts)


def _on_tick(symbol: Symbol, price: Decimal, held: Decimal, facts: Facts) -> Decimal:
    """Return a price on the tick, to the good of who holds, and never below one."""
    instrument = facts.instruments.get(symbol)
    if instrument is None or not instrument.price_tick:
        return price
    tick, rounding = instrument.price_tick, ROUND_CEILING if held > 0 else ROUND_FLOOR
    return max((price / tick).quantize(Decimal(1), rounding=rounding), Decimal(1)) * tick


def _close(
    ledger: Ledger, row: PaperHolding, cause: FillCause, price: Decimal, facts: Facts, terms: Terms
) -> None:
    symbol, held = Symbol(row.symbol), row.base_quantity
    close_by_venue(ledger, symbol, held, cause, price, facts, terms)
