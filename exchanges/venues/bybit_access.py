"""Who may trade at Bybit, and when: the rights of a key, and announced maintenance."""

from __future__ import annotations

from exchanges.venues.profile import KeyRights, KeyRule, Rows, StatusCall

LIST = ("result", "list")

KEY_RIGHTS = KeyRights(
    call=Rows(method="privateGetV5UserQueryApi", path=("result",)),
    rules=(
        KeyRule(
            path=("permissions", "Wallet"),
            refused="Withdraw",
            advice="this key may withdraw: take Withdrawal off the key in API Management",
        ),
        KeyRule(
            path=("readOnly",),
            refused=1,
            advice="this key is read-only: make it Read-Write in API Management",
        ),
    ),
)

STATUS = StatusCall(
    call=Rows(
        method="publicGetV5SystemStatus",
        path=LIST,
        columns={
            "key": "id",
            "state": "state",
            "title": "title",
            "start": "begin",
            "end": "end",
        },
    ),
    live=frozenset({"scheduled", "ongoing"}),
    # Trading, by any of its ways; futures and spot; production.
    concerns={
        "serviceTypes": frozenset({"1", "2", "3"}),
        "product": frozenset({"1", "2"}),
        "env": frozenset({"1"}),
    },
)
