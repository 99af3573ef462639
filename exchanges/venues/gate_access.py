"""Who may trade at Gate: the rights of a key, and how its account is set up."""

from __future__ import annotations

from exchanges.venues.key_rules import forbidden
from exchanges.venues.profile import KeyRights, KeyRule
from exchanges.venues.rows import Rows

KEY_PAGE = "at Gate open API keys, edit the key"
HEDGE_MODE_ADVICE = (
    "this account is in hedge mode: in Gate's futures settings choose Position mode, "
    "One-way Mode, and try again"
)
TRADES = "futures"
WITHDRAWS, TRANSFERS, MORE = "withdraw", "transfer", "more"
# Permissions that may change something and move no money: contracts, and how an account is set up.
HARMLESS = frozenset({TRADES, "account"})
FORBIDDEN = {
    WITHDRAWS: ("withdraw", "Withdraw"),
    TRANSFERS: ("move money (transfer)", "Wallet"),
    MORE: ("do more than trade perpetual futures", "all but Perpetual Futures and Account"),
}


def power_of(permission: str) -> str:
    """Return what a permission to write lets a key do; whatever is not known is too much."""
    if permission in HARMLESS:
        return permission
    if WITHDRAWS in permission:
        return WITHDRAWS
    return TRANSFERS if permission == "wallet" else MORE


KEY_RIGHTS = KeyRights(
    call=Rows(method="key_rows"),
    rules=(
        *forbidden(("powers",), FORBIDDEN, page=KEY_PAGE),
        KeyRule(
            path=("powers",),
            refused=TRADES,
            is_needed=True,
            advice=(
                f"this key may not trade contracts: {KEY_PAGE} and give it Perpetual Futures, "
                "Read and write"
            ),
        ),
        KeyRule(
            path=("is_classic",),
            refused=True,
            is_needed=True,
            advice=(
                "this is a unified account, which is not supported: at Gate open Account mode, "
                "switch back to the classic account, and try again"
            ),
        ),
        KeyRule(path=("is_one_way",), refused=False, advice=HEDGE_MODE_ADVICE),
    ),
    uid=(("user_id",),),
    addresses=("ip_whitelist",),
    unbound=([],),
)
