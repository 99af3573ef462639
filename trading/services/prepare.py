"""What must be true at a venue before a position's first order goes there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import InstrumentKind, Symbol
from exchanges.errors import CredentialRefused, InvalidOrder, SettingRefused, VenueError
from exchanges.models import ExchangeAccount, Instrument
from exchanges.ports import Account, Trading
from exchanges.tier_rows import doubt_tiers
from trading.core.refusal import Refusal
from trading.models import Leg
from trading.services.halt import halt_account
from trading.services.position_facts import venue_quantity
from trading.services.venues import READ_SECONDS, Venues

# A leg that was prepared on the same instrument and leverage this recently needs no new calls.
PREPARED_LASTS = timedelta(minutes=5)


def prepare_legs(legs: Sequence[Leg], *, venues: Venues, now: datetime) -> Refusal | None:
    """Set one-way mode, margin mode and leverage of every leg; refuse where something foreign is.

    Return the refusal in words when a venue won't; the legs are marked when all of them will. An
    account whose key is refused is halted: the next entry would only be refused again.
    """
    fresh = [leg for leg in legs if not leg.is_prepared]
    doors = [(venues.trading(leg.account), venues.account(leg.account)) for leg in fresh]
    answers = venues.call_all(
        [_prepare(leg, *door) for leg, door in zip(fresh, doors, strict=True)], READ_SECONDS
    )
    for leg, answer in zip(fresh, answers, strict=True):
        if isinstance(answer, CredentialRefused):
            halt_account(leg.account, reason=str(answer), now=now)
    _relist_where_refused(fresh, answers, venues=venues, now=now)
    for leg, answer in zip(fresh, answers, strict=True):
        if isinstance(answer, VenueError):
            return Refusal(
                code="prepare", sentence=f"{leg.instrument.exchange.name}: {answer.detail}"
            )
        if isinstance(answer, BaseException):
            return Refusal(
                code="prepare",
                sentence=f"{leg.instrument.exchange.name} did not answer in {READ_SECONDS:g} s",
            )
        if answer:
            return Refusal(code="foreign_position", sentence=answer)
    Leg.objects.filter(pk__in=[leg.pk for leg in legs]).update(is_prepared=True)
    return None


def _relist_where_refused(
    legs: Sequence[Leg], answers: Sequence[object], *, venues: Venues, now: datetime
) -> None:
    """Read anew what a venue lists where it won't take the leverage or knows no such contract."""
    refused = {
        leg.instrument.exchange
        for leg, answer in zip(legs, answers, strict=True)
        if isinstance(answer, SettingRefused | InvalidOrder)
    }
    doubt_tiers(leg.instrument_id for leg in legs if leg.instrument.exchange in refused)
    for exchange in refused:
        venues.is_relisted(exchange, now)


async def _prepare(leg: Leg, trading: Trading, account: Account) -> str:
    """Return a sentence when the venue holds a position there that is not ours."""
    symbol = Symbol(leg.instrument.symbol)
    if leg.instrument.kind == InstrumentKind.SPOT:
        return await _foreign_debt(leg, account)
    await trading.prepare(symbol, leverage=leg.leverage)
    held = venue_quantity(await account.positions(), symbol)
    if abs(held) < leg.instrument.lot:
        return ""
    return (
        f"{leg.instrument.exchange.name} already holds {held.normalize():f} {leg.instrument.base} "
        f"that Carry did not open: close it there first"
    )


async def _foreign_debt(leg: Leg, account: Account) -> str:
    """Return a sentence when coins are owed that we did not borrow: ours could not be told apart.

    Coins that are held are nobody's concern: we sell no more than we have bought or borrowed.
    """
    base = leg.instrument.base
    totals = [balance.total for balance in await account.balances() if balance.asset == base]
    total = sum(totals, Decimal(0))
    if total > -leg.instrument.lot:
        return ""
    return (
        f"the account at {leg.instrument.exchange.name} owes {-total.normalize():f} {base} that "
        "Carry did not borrow: pay it back there first"
    )


def prepared_lately(
    wanted: Sequence[tuple[ExchangeAccount, Instrument, Decimal]], *, now: datetime
) -> list[bool]:
    """Tell for each which account opened the same instrument at the same leverage just now.

    What was changed at the venue since is seen when the entry is read back.
    """
    recent = set(
        Leg.objects.filter(
            instrument__in=[instrument for _, instrument, _ in wanted],
            is_prepared=True,
            position__created_at__gt=now - PREPARED_LASTS,
        ).values_list("account_id", "instrument_id", "leverage")
    )
    return [
        (account.pk, instrument.pk, leverage) in recent for account, instrument, leverage in wanted
    ]
