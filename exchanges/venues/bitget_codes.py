"""What Bitget's codes prove of an order: www.bitget.com/api-doc, error codes of REST and sockets.

Sent to the matching engine or not, nobody can tell of 40015, 40725, 40908, 40910, 43002, 43003,
45001 and 45023: they are left out.
"""

from __future__ import annotations

from exchanges.venues.verdicts import Verdict

INVALID_ORDER = (
    *("22034", "22038", "22046", "22047", "40017", "40019", "40020", "40034", "40102", "40108"),
    *("40305", "40309", "40706", "40808", "40811", "40812", "40813", "40815", "40816", "40822"),
    *("41101", "41103", "43006", "43007", "43008", "43009", "43010", "43027", "43028", "43123"),
    *("45035", "45110", "45111", "45112", "45113", "45114", "45115", "50018", "59014"),
)
REJECTED = (
    *("22004", "22005", "22006", "22007", "22008", "22009", "22029", "22036", "22037", "22043"),
    *("22045", "22048", "22049", "22056", "22057", "22067", "22069", "22070", "40308", "40715"),
    *("40760", "40761", "40763", "40774", "40820", "40821", "40824", "40825", "40826", "40844"),
    *("40845", "40847", "40931", "41113", "41114", "43005", "43112", "43115", "43119", "43120"),
    *("45009", "45010", "45043", "45107", "45108", "45109", "45116", "45118", "45119", "45120"),
    *("45121", "45123", "45133", "70227"),
)
MARGIN = "40711", "40712", "40754", "40762", "40798", "40800", "43012", "45002"
NOTHING_TO_REDUCE = "22002", "40757", "40804", "40928", "45003", "45005", "45006"
DUPLICATE = "40786", "43118", "50060"
NOT_FOUND = (
    *("22001", "40109", "40768", "40769", "43001", "43004", "45031", "45055", "45057", "45134"),
)
CREDENTIAL = (
    *("22010", "40001", "40002", "40003", "40006", "40009", "40010", "40011", "40012", "40013"),
    *("40014", "40016", "40018", "40022", "40026", "40031", "40037", "40085", "40099"),
)
# Stamped too long ago, or ahead: by a clock that is wrong.
CLOCK = "40004", "40005", "40008", "40911"
# A second cancel of one order within a second (45129) says nothing of the others.
RATE_LIMITED = "429", "70228"
UNCHANGED = "40814", "45054"

VERDICTS: dict[str, Verdict] = {
    **dict.fromkeys(INVALID_ORDER, Verdict.INVALID_ORDER),
    **dict.fromkeys(REJECTED, Verdict.REJECTED),
    **dict.fromkeys(MARGIN, Verdict.INSUFFICIENT_MARGIN),
    **dict.fromkeys(NOTHING_TO_REDUCE, Verdict.NOTHING_TO_REDUCE),
    **dict.fromkeys(DUPLICATE, Verdict.DUPLICATE),
    **dict.fromkeys(NOT_FOUND, Verdict.NOT_FOUND),
    **dict.fromkeys(CREDENTIAL, Verdict.CREDENTIAL),
    **dict.fromkeys(CLOCK, Verdict.CLOCK),
    **dict.fromkeys(RATE_LIMITED, Verdict.RATE_LIMITED),
    **dict.fromkeys(UNCHANGED, Verdict.UNCHANGED),
}
