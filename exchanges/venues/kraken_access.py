"""Who may trade at Kraken: the rights of a key, what it may look up, and how its requests count.

Source: docs.kraken.com/api, Get API Key Info.
"""

from __future__ import annotations

from exchanges.venues.key_rules import forbidden
from exchanges.venues.profile import KeyRights, KeyRule
from exchanges.venues.rows import Rows

KEY_PAGE = "at Kraken open Settings, API, edit the key"
# In microseconds: processes share a key, and what one signs may arrive after what another did.
NONCE_WINDOW = 10_000_000
FORBIDDEN = {
    "withdraw-funds": ("withdraw", "Withdraw under Funds permissions"),
    "add-withdraw-address": ("add withdrawal addresses", "Add withdrawal addresses"),
    "update-withdraw-address": ("change withdrawal addresses", "Update withdrawal addresses"),
    "earn-funds": ("move money into Earn", "Earn under Funds permissions"),
}
NEEDED = {
    "query-funds": ("read balances", "Query under Funds permissions"),
    "query-open-trades": ("look up working orders", "Query open orders & trades"),
    "query-closed-trades": ("look up ended orders", "Query closed orders & trades"),
    "modify-trades": ("trade", "Create & modify orders"),
    "create-ws-token": ("hear of its own orders", "WebSocket interface"),
}
# What an order is not found in is no proof of its absence, where a key sees a part of the time.
ALL_TIMES, WIDE = "all", "wide"

KEY_RIGHTS = KeyRights(
    call=Rows(method="key_rows"),
    rules=(
        *forbidden(("permissions",), FORBIDDEN, page=KEY_PAGE),
        *(
            KeyRule(
                path=("permissions",),
                refused=right,
                is_needed=True,
                advice=f"this key may not {what}: {KEY_PAGE}, tick {name}, save, and try again",
            )
            for right, (what, name) in NEEDED.items()
        ),
        KeyRule(
            path=("times",),
            refused=ALL_TIMES,
            is_needed=True,
            advice=(
                "this key sees orders of some days only, so that an order could be missed: "
                f"{KEY_PAGE}, clear Query start date and Query end date, save, and try again"
            ),
        ),
        KeyRule(
            path=("nonces",),
            refused=WIDE,
            is_needed=True,
            advice=(
                "this key takes requests in the order of their numbers alone, and several "
                f"processes send them here: {KEY_PAGE}, set Custom nonce window to "
                f"{NONCE_WINDOW}, save, and try again"
            ),
        ),
    ),
    uid=(("iban",),),
    expires_at=("expires_at",),
    addresses=("addresses",),
    unbound=("",),
)
