"""Who may trade at Bybit, and when: the rights of a key, and announced maintenance."""

from __future__ import annotations

from exchanges.venues.key_rules import forbidden
from exchanges.venues.profile import KeyRights, KeyRule, StatusCall
from exchanges.venues.rows import Rows

LIST = ("result", "list")
KEY_PAGE = "at Bybit open API Management, edit the key"
FORBIDDEN = {
    "Withdraw": ("withdraw", "Withdrawal under Wallet"),
    "AccountTransfer": ("move money (Account Transfer)", "Account Transfer under Wallet"),
    "SubMemberTransfer": ("move money (Subaccount Transfer)", "Subaccount Transfer under Wallet"),
}

KEY_RIGHTS = KeyRights(
    call=Rows(method="privateGetV5UserQueryApi", path=("result",)),
    rules=(
        KeyRule(
            path=("readOnly",),
            refused=1,
            advice="this key is read-only: make it Read-Write in API Management",
        ),
        *forbidden(("permissions", "Wallet"), FORBIDDEN, page=KEY_PAGE),
    ),
    # It fills either, by how large the number is.
    uid=(("userID",), ("userIDInt64",)),
    # 1970 stands for a key without an end: one that is bound to addresses.
    expires_at=("expiredAt",),
    addresses=("ips",),
    unbound=(["*"], []),
    position_mode=Rows(
        method="privateGetV5PositionList",
        params={"category": "linear"},
        path=LIST,
        columns={"mode": "positionIdx"},
        parts=({"settleCoin": "USDT"}, {"settleCoin": "USDC"}),
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
