"""Which venues answered on one visit to a position, so that a dead one is not asked twice."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from exchanges.domain import Symbol
from exchanges.models import ExchangeAccount
from trading.models import Leg
from trading.services.venues import READ_SECONDS, Venues


class Contact:
    """What each account's venue did when it was last asked on this visit."""

    def __init__(self) -> None:
        self._answered: dict[UUID, bool] = {}

    def note(self, account_id: UUID, *, answered: bool) -> None:
        self._answered[account_id] = answered

    def is_away(self, account_id: UUID) -> bool:
        return self._answered.get(account_id) is False

    def is_reachable(self, account_id: UUID) -> bool | None:
        """Return None for an account that was not asked anything yet."""
        return self._answered.get(account_id)


def reach(legs: Collection[Leg], *, venues: Venues, contact: Contact) -> None:
    """Ask for the open orders of each leg whose venue was not asked yet."""
    unasked = [leg for leg in legs if contact.is_reachable(leg.account_id) is None]
    answers = venues.call_all(
        [venues.trading(leg.account).open_orders(Symbol(leg.instrument.symbol)) for leg in unasked],
        READ_SECONDS,
    )
    for leg, answer in zip(unasked, answers, strict=True):
        contact.note(leg.account_id, answered=not isinstance(answer, BaseException))


def away_names(accounts: Collection[ExchangeAccount], contact: Contact) -> str:
    """Return the names of the venues that did not answer, as a sentence has them."""
    return " and ".join(
        account.exchange.name for account in accounts if contact.is_away(account.pk)
    )
