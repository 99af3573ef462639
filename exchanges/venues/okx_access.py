"""Who may trade at OKX, and when: the rights of a key, and announced maintenance."""

from __future__ import annotations

from exchanges.venues.profile import KeyRights, KeyRule, StatusCall
from exchanges.venues.rows import Rows

DATA = ("data",)

KEY_RIGHTS = KeyRights(
    call=Rows(method="privateGetAccountConfig", path=DATA),
    rules=(
        KeyRule(
            path=("perm",),
            refused="withdraw",
            advice=(
                "this key may withdraw: at OKX open API, edit the key, clear Withdraw, confirm, "
                "and try again"
            ),
        ),
        KeyRule(
            path=("perm",),
            refused="trade",
            is_needed=True,
            advice="this key may not trade: give it Trade under API at OKX",
        ),
        KeyRule(
            path=("acctLv",),
            refused="1",
            advice=(
                "this account is in Spot mode, which trades no contracts: in OKX's trading "
                "settings choose Account mode, Futures mode, and try again"
            ),
        ),
    ),
    uid=(("uid",),),
    addresses=("ip",),
    unbound=("",),
    position_mode=Rows(method="privateGetAccountConfig", path=DATA, columns={"mode": "posMode"}),
)

STATUS = StatusCall(
    call=Rows(
        method="publicGetSystemStatus",
        path=DATA,
        # It numbers nothing: what begins then is what was announced.
        columns={
            "key": "begin",
            "state": "state",
            "title": "title",
            "start": "begin",
            "end": "end",
        },
    ),
    live=frozenset({"scheduled", "ongoing", "pre_open"}),
    # Trading, of all or in batches of accounts and products; production.
    concerns={
        "serviceType": frozenset({"5", "8", "9"}),
        "env": frozenset({"1"}),
    },
)
