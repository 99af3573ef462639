"""What Kraken's words prove of an order: docs.kraken.com/api, Spot Error Messages.

A code is an error's category and its first words; what may stand behind them is in the message.
Whether the engine was reached, nobody can tell of EService:Deadline elapsed, Unavailable and Busy
and of EGeneral:Internal error: they are left out.
"""

from __future__ import annotations

from exchanges.venues.verdicts import Verdict

INVALID_ORDER = (
    *("EGeneral:Invalid arguments", "EOrder:Order minimum not met", "EOrder:Cost minimum not met"),
    *("EOrder:Tick size check failed", "EOrder:Invalid price", "EQuery:Unknown asset pair"),
    # The list is read anew after it, and says so.
    "EService:Market in limit_only mode",
)
REJECTED = (
    *("EOrder:Orders limit exceeded", "EOrder:Scheduled orders limit exceeded"),
    *("EOrder:Cannot open position", "EOrder:Cannot open opposing position"),
    *("EOrder:Margin allowance exceeded", "EOrder:Margin level too low"),
    *("EOrder:Margin position size exceeded", "EOrder:Positions limit exceeded"),
    *("EOrder:Trading agreement required", "EAccount:Invalid permissions", "EBM:limit exceeded"),
    *("EService:Market in cancel_only mode", "EService:Market in post_only mode"),
)
MARGIN = "EOrder:Insufficient funds", "EOrder:Insufficient margin"
WOULD_TAKE = ("EOrder:Post only order",)
NOT_FOUND = ("EOrder:Unknown order",)
CREDENTIAL = (
    *("EAPI:Invalid key", "EAPI:Invalid signature", "EGeneral:Permission denied"),
    *("EAuth:Account temporary disabled", "EAuth:Account unconfirmed"),
)
# Another process has signed by a clock that is far ahead of ours.
CLOCK = ("EAPI:Invalid nonce",)
RATE_LIMITED = (
    *("EAPI:Rate limit exceeded", "EOrder:Rate limit exceeded"),
    *("EOrder:Domain rate limit exceeded", "EAuth:Rate limit exceeded", "EAuth:Too many requests"),
    *("EGeneral:Too many requests", "EGeneral:Temporary lockout", "EService: Throttled"),
)

VERDICTS: dict[str, Verdict] = {
    **dict.fromkeys(INVALID_ORDER, Verdict.INVALID_ORDER),
    **dict.fromkeys(REJECTED, Verdict.REJECTED),
    **dict.fromkeys(MARGIN, Verdict.INSUFFICIENT_MARGIN),
    **dict.fromkeys(WOULD_TAKE, Verdict.WOULD_TAKE),
    **dict.fromkeys(NOT_FOUND, Verdict.NOT_FOUND),
    **dict.fromkeys(CREDENTIAL, Verdict.CREDENTIAL),
    **dict.fromkeys(CLOCK, Verdict.CLOCK),
    **dict.fromkeys(RATE_LIMITED, Verdict.RATE_LIMITED),
}
# In what words an id is refused that works already is not documented: any that name it will do,
# since such an order is looked up.
MESSAGE_VERDICTS = {("EGeneral:Invalid arguments", "cl_ord_id"): Verdict.DUPLICATE}
