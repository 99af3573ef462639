"""Coins that a paper account sold without holding them: the loan, its interest, its worth."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from exchanges.loans import interest, next_charge, owed
from exchanges.paper.facts import Facts, base_of, is_contract, quote_of
from exchanges.paper.ledger import Ledger
from exchanges.paper.margin_rows import PaperInterest, PaperLoan
from exchanges.paper.rows import PaperFill
from exchanges.paper.terms import Terms

ZERO = Decimal(0)


def note_loan(ledger: Ledger, symbol: str, price: Decimal, facts: Facts, terms: Terms) -> None:
    """Begin a loan where a sale has taken a coin's balance below 0."""
    asset = base_of(symbol)
    if not owed(ledger.balance(asset)):
        return
    PaperLoan.objects.get_or_create(
        paper=ledger.paper,
        asset=asset,
        defaults={
            "symbol": symbol,
            "charged_until": facts.now,
            "hourly_rate": terms.hourly_borrow_rate(asset, facts),
            "rated_at": facts.now,
            "price": price,
        },
    )


def charge_loans(ledger: Ledger, facts: Facts, terms: Terms) -> None:
    """Charge every hour that is due, once, and forget loans that are paid back.

    Of an hour that nobody saw the rate seen nearest to it counts; without any the charge waits.
    """
    for loan in ledger.loans():
        now_rate = terms.hourly_borrow_rate(loan.asset, facts)
        due = next_charge(loan.charged_until)
        while due <= facts.now and (rate := _rate_at(loan, due, now_rate, facts.now)) is not None:
            _charge(ledger, loan, due, rate)
            loan.charged_until, due = due, next_charge(due)
        if due > facts.now and not owed(ledger.balance(loan.asset)):
            loan.delete()
            continue
        if now_rate is not None:
            loan.hourly_rate, loan.rated_at = now_rate, facts.now
        loan.price = price_of(loan, facts)
        loan.save(update_fields=["charged_until", "hourly_rate", "rated_at", "price"])


def price_of(loan: PaperLoan, facts: Facts) -> Decimal:
    """Return the last price of the market where the coin was sold, else the last one seen."""
    seen: Decimal = loan.price
    return facts.mark(loan.market) or seen


def debt_worth(ledger: Ledger, asset: str, facts: Facts) -> Decimal:
    """Return what coins that were sold for an asset are worth of it while they are owed."""
    loans = [loan for loan in ledger.loans() if quote_of(loan.symbol) == asset]
    return sum((owed(ledger.balance(one.asset)) * price_of(one, facts) for one in loans), ZERO)


def _charge(ledger: Ledger, loan: PaperLoan, at: datetime, rate: Decimal) -> None:
    borrowed = _owed_at(ledger, loan.asset, at)
    if not borrowed:
        return
    amount = interest(borrowed, rate)
    PaperInterest.objects.create(
        paper=ledger.paper,
        asset=loan.asset,
        charged_at=at,
        borrowed=borrowed,
        hourly_rate=rate,
        amount=amount,
    )
    ledger.credit(loan.asset, -amount)


def _owed_at(ledger: Ledger, asset: str, at: datetime) -> Decimal:
    """Return what was owed at an instant: what is owed now without what was traded since."""
    since = PaperFill.objects.filter(
        paper=ledger.paper, symbol__startswith=f"{asset}/", filled_at__gt=at
    )
    changes = (
        fill.signed - (fill.fee if fill.fee_asset == asset else ZERO)
        for fill in since
        if not is_contract(fill.symbol)
    )
    return owed(ledger.balance(asset) - sum(changes, ZERO))


def _rate_at(
    loan: PaperLoan, at: datetime, now_rate: Decimal | None, now: datetime
) -> Decimal | None:
    last: Decimal | None = loan.hourly_rate
    if now_rate is None or last is None:
        return last if now_rate is None else now_rate
    return last if abs(at - loan.rated_at) <= now - at else now_rate
