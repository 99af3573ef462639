"""Compare what our own fills say we hold with what the venues say we hold."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NoReturn

from exchanges.domain import Balance, VenuePosition
from exchanges.errors import VenueError
from exchanges.models import ExchangeAccount
from exchanges.ports import Account
from exchanges.sealing import SealError
from trading.core.quantity import SpotHolding
from trading.core.states import PositionState
from trading.models import Leg, Position
from trading.services.holdings import is_spot, leg_net_base
from trading.services.position_facts import expected_quantity, store_positions, venue_quantity
from trading.services.reconcile import reconcile_account
from trading.services.venues import READ_SECONDS, Venues

Answer = Sequence[VenuePosition] | Sequence[Balance]


class ReadBackResult(StrEnum):
    CONFIRMED = "confirmed"
    EXPLAINED = "explained"
    MISMATCH = "mismatch"
    UNREACHABLE = "unreachable"


def read_back(position: Position, *, venues: Venues, now: datetime) -> tuple[ReadBackResult, str]:
    """Read every leg's account and say whether it holds what we think, with the difference.

    A failed read is UNREACHABLE, never flat. What is confirmed is the exposure as it was before
    the read: a fill that arrives meanwhile asks for another one. A difference is reconciled at
    once: EXPLAINED by fills that are booked now, else a MISMATCH that may be lag or holds it.
    """
    version = _version(position)
    legs = list(
        position.legs.select_related("instrument__exchange", "account__exchange").prefetch_related(
            "orders", "trades"
        )
    )
    answers = venues.call_all([_holding(leg, venues) for leg in legs], READ_SECONDS)
    for leg, answer in zip(legs, answers, strict=True):
        if isinstance(answer, BaseException):
            return ReadBackResult.UNREACHABLE, f"{leg.account.exchange.name} could not be read"
    differing: dict[ExchangeAccount, str] = {}
    for leg, answer in zip(legs, answers, strict=True):
        assert not isinstance(answer, BaseException)  # noqa: S101  (handled above)
        if difference := _difference(leg, answer, now):
            differing[leg.account] = difference
    if not differing:
        Position.objects.filter(pk=position.pk).update(checked_version=version, checked_at=now)
        return ReadBackResult.CONFIRMED, ""
    return _ask_why(position, differing, version, venues=venues, now=now)


def _holding(leg: Leg, venues: Venues) -> Coroutine[Any, Any, Answer]:
    """Return the question what a leg's account holds; its port is opened here, not on the loop."""
    try:
        return _ask(leg, venues.account(leg.account))
    except (SealError, VenueError) as error:
        return _fail(error)


async def _ask(leg: Leg, port: Account) -> Answer:
    return await (port.balances() if is_spot(leg) else port.positions())


async def _fail(error: Exception) -> NoReturn:
    raise error


def _ask_why(
    position: Position,
    differing: dict[ExchangeAccount, str],
    version: int,
    *,
    venues: Venues,
    now: datetime,
) -> tuple[ReadBackResult, str]:
    for account in differing:
        reconcile_account(account, venues=venues, now=now, driven=position)
    if _version(position) != version:
        return ReadBackResult.EXPLAINED, ""
    words = "; ".join(differing.values())
    if position.state == PositionState.HELD:
        return ReadBackResult.MISMATCH, words
    return ReadBackResult.MISMATCH, f"waiting for the venue: {words}"


def _version(position: Position) -> int:
    version: int = Position.objects.values_list("exposure_version", flat=True).get(pk=position.pk)
    return version


def _difference(leg: Leg, answer: Answer, now: datetime) -> str:
    """Return in words how the venue differs; a wallet may hold more of the asset than ours."""
    instrument = leg.instrument
    if is_spot(leg):
        held = sum(
            (b.total for b in answer if isinstance(b, Balance) and b.asset == instrument.base),
            Decimal(0),
        )
        expected = leg_net_base(leg)
        slack = SpotHolding(base_quantity=expected, lot=instrument.lot).slack
        is_equal = expected - held < slack
    else:
        positions = [row for row in answer if isinstance(row, VenuePosition)]
        store_positions(leg.account, positions, now=now)
        held = venue_quantity(positions, instrument.symbol)
        expected = expected_quantity(leg.account, instrument)
        is_equal = abs(held - expected) < instrument.lot
    if is_equal:
        return ""
    return (
        f"{instrument.exchange.name} says {held.normalize():f} {instrument.base}, "
        f"our fills say {expected.normalize():f}"
    )
