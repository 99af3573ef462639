"""Who may trade futures at KuCoin: the rights of a key, and how its account is set up."""

from __future__ import annotations

from exchanges.venues.key_rules import forbidden
from exchanges.venues.profile import KeyRights, KeyRule
from exchanges.venues.rows import Rows

KEY_PAGE = "at KuCoin open API management, edit the key"
HEDGE_MODE_ADVICE = (
    "this account is in hedge mode: in KuCoin's futures settings choose Position mode, "
    "One-way Mode, and try again"
)
# What a key may do besides, none of which moves money out of the account.
HARMLESS = frozenset({"General", "Futures", "Spot", "Margin"})
MORE = "more"
# Told of a key are Transfer and InnerTransfer; its page says Withdrawal and FlexTransfers.
FORBIDDEN = {
    "Transfer": ("withdraw", "Withdrawal"),
    "Withdrawal": ("withdraw", "Withdrawal"),
    "InnerTransfer": ("move money (transfer)", "FlexTransfers"),
    "FlexTransfers": ("move money (transfer)", "FlexTransfers"),
    MORE: ("do more than trade", "all but General, Spot, Margin and Futures"),
}
POSITION_MODE = Rows(method="position_mode_rows", columns={"mode": "positionMode"})


def right_of(told: str) -> str:
    """Return what a word among the rights of a key stands for; what is not known is too much."""
    return told if told in HARMLESS or told in FORBIDDEN else MORE


KEY_RIGHTS = KeyRights(
    call=Rows(method="key_rows"),
    rules=(
        *forbidden(("permission",), FORBIDDEN, page=KEY_PAGE),
        KeyRule(
            path=("permission",),
            refused="Futures",
            is_needed=True,
            advice=f"this key may not trade futures: {KEY_PAGE} and give it Futures",
        ),
        KeyRule(
            path=("accountMode",),
            refused="CLASSIC",
            is_needed=True,
            advice=(
                "this is a unified account, Carry trades classic ones alone: make a key of a "
                "classic account or sub-account at KuCoin, and try again"
            ),
        ),
    ),
    uid=(("uid",),),
    addresses=("ipWhitelist",),
    unbound=("",),
    position_mode=POSITION_MODE,
)
