"""Who may trade at Kraken Futures: the rights of a key."""

from __future__ import annotations

from exchanges.venues.profile import KeyRights, KeyRule
from exchanges.venues.rows import Rows

KEY_PAGE = "at Kraken Pro, Settings, API, Kraken Futures, edit the key"

KEY_RIGHTS = KeyRights(
    call=Rows(method="key_rows"),
    rules=(
        KeyRule(
            path=("may_move",),
            refused=True,
            advice=(
                f"this key may withdraw and move money: {KEY_PAGE}, set Withdrawal API to No "
                "access, save, and try again"
            ),
        ),
        KeyRule(
            path=("general",),
            refused="FULL_ACCESS",
            is_needed=True,
            advice=(
                f"this key may not trade futures: {KEY_PAGE}, set General API to Full access, "
                "save, and try again"
            ),
        ),
    ),
    uid=(("uid",),),
    addresses=("addresses",),
    unbound=("", "0.0.0.0/0"),
)
