"""What Gate's labels prove of an order: www.gate.com/docs/developers/apiv4, label list.

Sent to the matching engine or not, nobody can tell of INTERNAL, SERVER_ERROR, TOO_BUSY and of what
is not listed at all.
"""

from __future__ import annotations

from exchanges.venues.verdicts import Verdict

INVALID_ORDER = (
    *("INVALID_PARAM_VALUE", "INVALID_ARGUMENT", "INVALID_PROTOCOL", "INVALID_REQUEST_BODY"),
    *("MISSING_REQUIRED_PARAM", "BAD_REQUEST", "INVALID_CONTENT_TYPE", "NOT_ACCEPTABLE"),
    *("METHOD_NOT_ALLOWED", "INVALID_PRECISION", "INVALID_CLIENT_ORDER_ID"),
    *("CONTRACT_NOT_FOUND", "SIZE_TOO_LARGE", "SIZE_TOO_SMALL", "ERR_QUOTA_LOWER_LIMIT"),
)
REJECTED = (
    *("PRICE_TOO_DEVIATED", "PRICE_OVER_LIQUIDATION", "PRICE_OVER_BANKRUPT"),
    *("PRICE_THRESHOLD_EXCEEDED", "RISK_LIMIT_EXCEEDED", "LIQUIDATE_IMMEDIATELY"),
    *("LEVERAGE_TOO_HIGH", "LEVERAGE_TOO_LOW", "TOO_MANY_ORDERS", "CONTRACT_NO_COUNTER"),
    *("POSITION_IN_LIQUIDATION", "POSITION_IN_CLOSE", "POSITION_DUAL_MODE"),
    *("CONTRACT_IN_DELISTING", "ORDER_FOK", "USER_NOT_FOUND", "TRADE_RESTRICTED"),
    "INITIAL_MARGIN_TOO_LOW",
)
MARGIN = (
    *("INSUFFICIENT_AVAILABLE", "BALANCE_NOT_ENOUGH", "MARGIN_BALANCE_NOT_ENOUGH"),
    "FUTURES_BALANCE_NOT_ENOUGH",
)
WOULD_TAKE = "ORDER_POC_IMMEDIATE", "POC_FILL_IMMEDIATELY"
# The first with the words "empty position", seen in answers to reduce-only orders in one-way mode.
NOTHING_TO_REDUCE = "REDUCE_EXCEEDED", "POSITION_EMPTY", "INCREASE_POSITION"
# Not documented for contracts, where an id is taken again; whatever is told so is looked up.
DUPLICATE = "ORDER_EXISTS", "DUPLICATE_REQUEST", "REPEATED_CREATION"
# What a look-up by our id says of an order that it does not show, or shows no more.
UNSHOWN = "ORDER_NOT_FOUND", "CLIENT_ID_NOT_FOUND"
ENDED = "ORDER_FINISHED", "ORDER_CLOSED", "ORDER_CANCELLED"
CREDENTIAL = (
    *("INVALID_CREDENTIALS", "INVALID_KEY", "INVALID_SIGNATURE", "IP_FORBIDDEN", "READ_ONLY"),
    *("MISSING_REQUIRED_HEADER", "FORBIDDEN", "ACCOUNT_LOCKED", "SUB_ACCOUNT_LOCKED"),
    "AUTHENTICATION_FAILED",
)
# Stamped more than a minute off its clock; what it says past a deadline is not documented.
CLOCK = ("REQUEST_EXPIRED",)
RATE_LIMITED = "TOO_MANY_REQUESTS", "TOO_FAST"
UNCHANGED = ("NO_CHANGE",)

VERDICTS: dict[str, Verdict] = {
    **dict.fromkeys(INVALID_ORDER, Verdict.INVALID_ORDER),
    **dict.fromkeys(REJECTED, Verdict.REJECTED),
    **dict.fromkeys(MARGIN, Verdict.INSUFFICIENT_MARGIN),
    **dict.fromkeys(WOULD_TAKE, Verdict.WOULD_TAKE),
    **dict.fromkeys(NOTHING_TO_REDUCE, Verdict.NOTHING_TO_REDUCE),
    **dict.fromkeys(DUPLICATE, Verdict.DUPLICATE),
    **dict.fromkeys((*UNSHOWN, *ENDED), Verdict.NOT_FOUND),
    **dict.fromkeys(CREDENTIAL, Verdict.CREDENTIAL),
    **dict.fromkeys(CLOCK, Verdict.CLOCK),
    **dict.fromkeys(RATE_LIMITED, Verdict.RATE_LIMITED),
    **dict.fromkeys(UNCHANGED, Verdict.UNCHANGED),
}
