"""What KuCoin's codes prove of an order: its pages of errors, of futures and of the gate.

Source: www.kucoin.com/docs-new/error-code. One code is told of several things, by words:
100001 of a wrong parameter and of an order that is not there, 400100 of a parameter and of money.
Whether an order came to be nobody can tell of 100002, 300010, 5xxxxx: they are left out.
"""

from __future__ import annotations

from exchanges.venues.verdicts import Verdict

INVALID_ORDER = "100001", "100003", "200003", "300000", "300016", "400100", "400101", "400102"
REJECTED = (
    *("40010", "100005", "300001", "300004", "300005", "300006", "300007", "300008", "300011"),
    *("300012", "300013", "300014", "300017", "330005", "330011", "330012", "400301", "400303"),
    *("400304",),
)
MARGIN = "200005", "300003", "330008"
NOTHING_TO_REDUCE = ("300009",)
DUPLICATE = ("300018",)
# Of a cancel; a look-up says it in the words of 100001.
NOT_FOUND = ("100004",)
# Orders are suspended, or funding is being settled.
NOT_PLACED = "300002", "300015"
CREDENTIAL = (
    *("400001", "400003", "400004", "400005", "400006", "400007", "400008", "400009", "400010"),
    *("400400", "400401", "411100", "411200"),
)
CLOCK = ("400002",)
RATE_LIMITED = "1015", "200002", "429000", "429001", "429002"

VERDICTS: dict[str, Verdict] = {
    **dict.fromkeys(INVALID_ORDER, Verdict.INVALID_ORDER),
    **dict.fromkeys(REJECTED, Verdict.REJECTED),
    **dict.fromkeys(MARGIN, Verdict.INSUFFICIENT_MARGIN),
    **dict.fromkeys(NOTHING_TO_REDUCE, Verdict.NOTHING_TO_REDUCE),
    **dict.fromkeys(DUPLICATE, Verdict.DUPLICATE),
    **dict.fromkeys(NOT_FOUND, Verdict.NOT_FOUND),
    **dict.fromkeys(NOT_PLACED, Verdict.NOT_PLACED),
    **dict.fromkeys(CREDENTIAL, Verdict.CREDENTIAL),
    **dict.fromkeys(CLOCK, Verdict.CLOCK),
    **dict.fromkeys(RATE_LIMITED, Verdict.RATE_LIMITED),
}
MESSAGE_VERDICTS: dict[tuple[str, str], Verdict] = {
    ("100001", "orderNotExist"): Verdict.NOT_FOUND,
    ("400100", "account.available"): Verdict.INSUFFICIENT_MARGIN,
    ("400100", "clientOidDuplicated"): Verdict.DUPLICATE,
}
