"""In which mode a person's money is: figures of other modes are never added to it."""

from __future__ import annotations

from arbsite.accounts.models import User
from exchanges.modes import Mode
from trading.models import EquitySnapshot


def mode_of(user: User) -> Mode:
    """Return the mode of the user's active accounts, without one that of the last reading."""
    modes = user.exchange_accounts.active().values_list("exchange__mode", flat=True)
    found = modes.order_by("exchange__mode").first()
    if found is None:
        found = EquitySnapshot.objects.for_user(user).values_list("mode", flat=True).last()
    return Mode(found or Mode.REHEARSAL)
