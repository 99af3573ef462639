"""Who may trade at Deribit: what a key may do at most, and how its account's margin is counted."""

from __future__ import annotations

from exchanges.venues.key_rules import forbidden
from exchanges.venues.profile import KeyRights, KeyRule
from exchanges.venues.rows import Rows

KEY_PAGE = "at Deribit open Account, API, edit the key"
PORTFOLIO_ADVICE = (
    "this account is on portfolio margin, where no contract has a margin of its own: at Deribit "
    "set its margin model to Standard Margin, and try again"
)
STANDARD_MODELS = frozenset({"segregated_sm", "cross_sm"})
WRITE = "read_write"
TRADES, READS_ACCOUNT, MORE = "trade", "account:read", "more"
FORBIDDEN = {
    "wallet": ("withdraw and move money", "wallet, read_write"),
    "account": ("change the account and its keys", "account, read_write"),
    "block_trade": ("trade with others beside the book", "block_trade, read_write"),
    MORE: ("do more than trade", "read_write of all but trade"),
}


def power_of(scope: str) -> str:
    """Return what a scope lets a key do; whatever writes and is not known is too much."""
    name, _, access = scope.partition(":")
    if access != WRITE:
        return scope
    return name if name in (TRADES, *FORBIDDEN) else MORE


KEY_RIGHTS = KeyRights(
    call=Rows(method="key_rows"),
    rules=(
        *forbidden(("powers",), FORBIDDEN, page=KEY_PAGE),
        KeyRule(
            path=("powers",),
            refused=TRADES,
            is_needed=True,
            advice=(
                f"this key may not trade: {KEY_PAGE}, choose trade, read_write, save, and try again"
            ),
        ),
        KeyRule(
            path=("powers",),
            refused=READS_ACCOUNT,
            is_needed=True,
            advice=(
                f"this key may not read the account: {KEY_PAGE}, choose account, read, save, and "
                "try again"
            ),
        ),
        KeyRule(path=("is_standard",), refused=True, is_needed=True, advice=PORTFOLIO_ADVICE),
    ),
    uid=(("uid",),),
    addresses=("addresses",),
    unbound=("",),
)
