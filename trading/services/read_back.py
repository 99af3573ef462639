"""Compare what our own fills say we hold with what the venues say we hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from exchanges.domain import InstrumentKind, VenuePosition
from exchanges.models import AccountPosition, ExchangeAccount, Instrument
from trading.core.states import LIVE_POSITION_STATES
from trading.models import Leg, Position
from trading.services.holdings import leg_net_base
from trading.services.venues import READ_SECONDS, Venues


class ReadBackResult(StrEnum):
    CONFIRMED = "confirmed"
    MISMATCH = "mismatch"
    UNREACHABLE = "unreachable"


def read_back(position: Position, *, venues: Venues, now: datetime) -> tuple[ReadBackResult, str]:
    """Read every leg's account and say whether it holds what we think, with the difference.

    A failed read is UNREACHABLE, never flat. What is confirmed is the exposure as it was before
    the read: a fill that arrives meanwhile asks for another one.
    """
    version = Position.objects.values_list("exposure_version", flat=True).get(pk=position.pk)
    legs = list(position.legs.select_related("instrument__exchange", "account__exchange"))
    accounts = list({leg.account_id: leg.account for leg in legs}.values())
    answers = venues.call_all(
        [venues.account(account).positions() for account in accounts], READ_SECONDS
    )
    for account, answer in zip(accounts, answers, strict=True):
        if isinstance(answer, BaseException):
            return ReadBackResult.UNREACHABLE, f"{account.exchange.name} could not be read"
        store_positions(account, answer, now=now)
    for leg in legs:
        difference = _difference(leg, dict(zip((a.pk for a in accounts), answers, strict=True)))
        if difference:
            return ReadBackResult.MISMATCH, difference
    Position.objects.filter(pk=position.pk).update(checked_version=version, checked_at=now)
    return ReadBackResult.CONFIRMED, ""


def _difference(leg: Leg, by_account: Mapping[object, object]) -> str:
    if leg.instrument.kind == InstrumentKind.SPOT:
        return ""  # a wallet may hold more of the asset than ours; balances are reconciled apart
    positions = by_account[leg.account_id]
    assert isinstance(positions, Sequence)  # noqa: S101  (exceptions were handled above)
    held = venue_quantity(positions, leg.instrument.symbol)
    expected = expected_quantity(leg.account, leg.instrument)
    if abs(held - expected) < leg.instrument.lot:
        return ""
    return (
        f"{leg.instrument.exchange.name} says {held.normalize():f} {leg.instrument.base}, "
        f"our fills say {expected.normalize():f}"
    )


def venue_quantity(positions: Iterable[VenuePosition], symbol: str) -> Decimal:
    """Return the signed base quantity the venue reports; 0 when it lists none."""
    return sum((p.base_quantity for p in positions if p.symbol == symbol), Decimal(0))


def expected_quantity(account: ExchangeAccount, instrument: Instrument) -> Decimal:
    """Return the signed base quantity that all live positions hold there by their own fills."""
    legs = Leg.objects.filter(
        account=account, instrument=instrument, position__state__in=LIVE_POSITION_STATES
    )
    return sum((leg_net_base(leg) for leg in legs), Decimal(0))


def store_positions(
    account: ExchangeAccount, positions: Iterable[VenuePosition], *, now: datetime
) -> None:
    """Keep the last venue facts for screens; what is no longer listed is stored as flat."""
    listed = {p.symbol: p for p in positions}
    instruments = Instrument.objects.filter(exchange=account.exchange, symbol__in=listed)
    for instrument in instruments:
        fact = listed[instrument.symbol]  # type: ignore[index]  # Symbol is a str
        AccountPosition.objects.update_or_create(
            account=account,
            instrument=instrument,
            defaults={
                "base_quantity": fact.base_quantity,
                "entry_price": fact.entry_price,
                "mark_price": fact.mark_price,
                "liquidation_price": fact.liquidation_price,
                "leverage": fact.leverage,
                "unrealised_pnl": fact.unrealised_pnl,
                "adl_rank": fact.adl_rank,
                "observed_at": now,
            },
        )
    AccountPosition.objects.filter(account=account).exclude(instrument__symbol__in=listed).delete()
