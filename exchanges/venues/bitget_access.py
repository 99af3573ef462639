"""Who may trade at Bitget: the rights of a key, and how its account is set up."""

from __future__ import annotations

from exchanges.venues.key_rules import forbidden
from exchanges.venues.profile import KeyRights, KeyRule
from exchanges.venues.rows import Rows

KEY_PAGE = "at Bitget open API keys, edit the key"
HEDGE_MODE_ADVICE = (
    "this account is in hedge mode: in Bitget's futures settings choose Position mode, "
    "One-way Mode, and try again"
)
# By its short name, and by the one that older answers have.
FORBIDDEN = {
    "wwow": ("withdraw", "Withdraw"),
    "withdraw": ("withdraw", "Withdraw"),
    "wtow": ("move money (transfer)", "Transfer"),
    "transfer": ("move money (transfer)", "Transfer"),
    "chow": ("manage sub-accounts", "Sub-accounts"),
}
NEEDED = {"coow": "Orders", "cpow": "Holdings"}

KEY_RIGHTS = KeyRights(
    call=Rows(method="key_rows"),
    rules=(
        *forbidden(("authorities",), FORBIDDEN, page=KEY_PAGE),
        *(
            KeyRule(
                path=("authorities",),
                refused=right,
                is_needed=True,
                advice=(
                    f"this key may not trade futures: {KEY_PAGE} and give it {what} under "
                    "Futures, Read and write"
                ),
            )
            for right, what in NEEDED.items()
        ),
        KeyRule(path=("posMode",), refused="hedge_mode", advice=HEDGE_MODE_ADVICE),
        KeyRule(
            path=("assetMode",),
            refused="union",
            advice=(
                "this account margins contracts with several assets, which is not supported: in "
                "Bitget's futures settings choose Asset mode, Single-asset mode, and try again"
            ),
        ),
    ),
    uid=(("userId",),),
    addresses=("ips",),
    unbound=("",),
)
