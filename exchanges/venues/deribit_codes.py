"""What Deribit's codes prove of an order: docs.deribit.com, Error Codes.

Whether the engine was reached, nobody can tell of 10040 (retry), 10041 (settlement), 10047 (queue),
11094 (internal), 13028 (unavailable), 13888 (timed out) and of -32602: they are left out.
"""

from __future__ import annotations

from exchanges.venues.verdicts import Verdict

INVALID_ORDER = (
    # Too small, no amount, no price, too many digits, not on the tick.
    *("10002", "10021", "10023", "10026", "10043"),
)
REJECTED = (
    # Against an own order; beyond the prices of now; the book is closed; too large; locked.
    *("10003", "10005", "10006", "10007", "10008", "10011", "10012", "10018", "10019"),
    # "Some rejects which are not considered as very often".
    "11030",
)
NOT_FOUND = "10004", "10010", "11044"
CREDENTIAL = "9999", "10000", "13002", "13004", "13009", "13021"
RATE_LIMITED = "10028", "10066"

VERDICTS: dict[str, Verdict] = {
    **dict.fromkeys(INVALID_ORDER, Verdict.INVALID_ORDER),
    **dict.fromkeys(REJECTED, Verdict.REJECTED),
    **dict.fromkeys(NOT_FOUND, Verdict.NOT_FOUND),
    **dict.fromkeys(CREDENTIAL, Verdict.CREDENTIAL),
    **dict.fromkeys(RATE_LIMITED, Verdict.RATE_LIMITED),
    "10009": Verdict.INSUFFICIENT_MARGIN,
    "11054": Verdict.WOULD_TAKE,
}
# In what words an order is refused that has nothing to reduce is not documented.
MESSAGE_VERDICTS = {("11030", "reduce"): Verdict.NOTHING_TO_REDUCE}
