"""In which mode a person's money is: figures of other modes are never added to it."""

from __future__ import annotations

from collections.abc import Iterable

from arbsite.accounts.models import User
from exchanges.models import ExchangeAccount
from exchanges.modes import Mode
from trading.models import EquitySnapshot


def mode_of(user: User) -> Mode:
    """Return the mode of the user's active accounts, without one that of the last reading."""
    modes = user.exchange_accounts.active().values_list("exchange__mode", flat=True)
    return _or_last(user, modes.order_by("exchange__mode").first())


def mode_among(user: User, accounts: Iterable[ExchangeAccount]) -> Mode:
    """Return the same from the user's active accounts, read with their exchanges."""
    return _or_last(user, min((account.exchange.mode for account in accounts), default=None))


def _or_last(user: User, found: str | None) -> Mode:
    if found is None:
        found = EquitySnapshot.objects.for_user(user).values_list("mode", flat=True).last()
    return Mode(found or Mode.REHEARSAL)
