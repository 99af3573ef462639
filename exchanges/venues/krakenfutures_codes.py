"""What Kraken Futures' names prove of an order: docs.kraken.com/api, Futures, order management.

Sent to the matching engine or not, nobody can tell of `Server Error`, `Unavailable`,
`unknownError` and `marketUnavailable`: they are left out.
"""

from __future__ import annotations

from exchanges.venues.verdicts import Verdict

INVALID_ORDER = (
    *("invalidOrderType", "invalidSide", "invalidSize", "invalidPrice", "clientOrderIdInvalid"),
    *("clientOrderIdTooLong", "clientOrderIdTooBig", "invalidArgument", "invalidAmount"),
    *("invalidUnit", "requiredArgumentMissing", "contractNotFound"),
)
REJECTED = (
    *("selfFill", "tooManySmallOrders", "tooManyOrders", "maxPositionViolation"),
    *("marketSuspended", "marketInactive", "marketIsPostOnly", "outsidePriceCollar"),
    *("wouldIncreasePriceDislocation", "fixedLeverageTooHigh", "iocWouldNotExecute"),
    "accountInactive",
)
MARGIN = "insufficientAvailableFunds", "insufficientFunds", "wouldCauseLiquidation"
CREDENTIAL = "authenticationError", "invalidAccount", "unauthorized"

VERDICTS: dict[str, Verdict] = {
    **dict.fromkeys(INVALID_ORDER, Verdict.INVALID_ORDER),
    **dict.fromkeys(REJECTED, Verdict.REJECTED),
    **dict.fromkeys(MARGIN, Verdict.INSUFFICIENT_MARGIN),
    **dict.fromkeys(CREDENTIAL, Verdict.CREDENTIAL),
    "postWouldExecute": Verdict.WOULD_TAKE,
    "wouldNotReducePosition": Verdict.NOTHING_TO_REDUCE,
    "clientOrderIdAlreadyExist": Verdict.DUPLICATE,
    # It came later than it was to be done, by a clock that is wrong or a slow way.
    "wouldProcessAfterSpecifiedTime": Verdict.CLOCK,
    "apiLimitExceeded": Verdict.RATE_LIMITED,
    # Of a cancel: neither is there anything to cancel.
    "notFound": Verdict.NOT_FOUND,
    "filled": Verdict.NOT_FOUND,
}
