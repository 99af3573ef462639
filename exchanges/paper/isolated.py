"""Contracts of a paper account that stand on a margin of their own, and what is added to it.

Whoever wants one isolated switches it while it is held, as on a venue's own page: the engine's
preparation sets what is flat back to cross, at paper venues as at others.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from arbsite.accounts import audit
from exchanges.domain import InstrumentKind, Symbol
from exchanges.errors import SettingRefused
from exchanges.paper.facts import Facts, settle_of
from exchanges.paper.ledger import Ledger, as_holding
from exchanges.paper.margin import alone, margin_state, mark_of
from exchanges.paper.margin_rows import PaperTopUp
from exchanges.paper.rows import PaperHolding
from exchanges.paper.terms import Terms
from exchanges.venues import PROFILES

ZERO = Decimal(0)


def add_margin(
    ledger: Ledger, symbol: Symbol, amount: Decimal, facts: Facts, terms: Terms
) -> PaperTopUp:
    """Move `amount` of what is free behind an isolated contract and write it down.

    Raise SettingRefused, having written nothing.
    """
    venue, row = terms.profile.name, ledger.holding(symbol)
    if terms.profile.part(InstrumentKind.PERPETUAL).isolated_margin is None:
        raise SettingRefused("margin cannot be added here", venue=venue)
    if row is None or not row.base_quantity:
        raise SettingRefused(f"nothing is held of {symbol} to add margin to", venue=venue)
    if not row.is_isolated:
        raise SettingRefused(
            f"{symbol} is on cross margin: all of the balance stands behind it", venue=venue
        )
    asset = settle_of(symbol)
    free = margin_state(ledger, asset, facts, terms).available
    if not ZERO < amount <= free:
        raise SettingRefused(
            f"{_plain(amount)} {asset} cannot be added, {_plain(free)} are free", venue=venue
        )
    row.added_margin += amount
    row.save(update_fields=["added_margin"])
    return PaperTopUp.objects.create(
        paper=ledger.paper,
        symbol=symbol,
        amount=amount,
        asset=asset,
        margin_after=alone(row),
        added_at=facts.now,
    )


class MarginModeRefused(ValueError):
    """The margin mode of this contract cannot be changed; the sentence says why."""


def set_margin_mode(
    held: PaperHolding, *, is_isolated: bool, actor: str, now: datetime
) -> PaperHolding:
    """Put a contract that is held on isolated or cross margin, judged by the marks seen last.

    Raise MarginModeRefused where its venue has no isolated margin or too little of it is free.
    """
    account = held.paper.account
    profile = PROFILES[account.exchange.code]
    with transaction.atomic():
        ledger = Ledger.locked(str(account.pk))
        row = ledger.hold(held.symbol, now)
        if not row.base_quantity:
            raise MarginModeRefused(f"Nothing is held of {row.symbol}.")
        if is_isolated and profile.part(InstrumentKind.PERPETUAL).isolated_margin is None:
            raise MarginModeRefused(f"Margin is never added to a contract at {profile.title} here.")
        if row.is_isolated is is_isolated:
            # What was added to it stays behind it.
            return row
        row.is_isolated, row.added_margin = is_isolated, ZERO
        row.save(update_fields=["is_isolated", "added_margin"])
        if is_isolated:
            _refuse_thin(ledger, row, Facts(now=now, instruments={}), Terms(ledger.paper, profile))
        audit.record(
            actor=actor,
            action="paper margin mode changed",
            subject=f"{account}: {row.symbol}",
            details={"mode": "isolated" if is_isolated else "cross"},
            now=now,
        )
    return row


def _refuse_thin(ledger: Ledger, row: PaperHolding, facts: Facts, terms: Terms) -> None:
    """Refuse where the wallet could not give the margin, or where it would be lost at once."""
    asset, margin = settle_of(row.symbol), alone(row)
    rest = margin_state(ledger, asset, facts, terms)
    if rest.equity < rest.initial_margin + rest.order_margin:
        raise MarginModeRefused(f"Less than {_plain(margin)} {asset} is free to stand behind it.")
    lost = -as_holding(row).unrealised_pnl(mark_of(row, facts))
    if lost >= margin:
        raise MarginModeRefused(
            f"It has lost {_plain(lost)} {asset}, and {_plain(margin)} would stand behind it."
        )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
