"""Everything that can go wrong at a venue, named by what the caller must do.

VenueError
├── VenueUnavailable          nothing changed at the venue; ask again later
│   ├── RateLimited           silent until `retry_after` seconds have passed
│   │   └── AddressRefused    it serves nobody at this address; asked again rarely
│   └── ClockRefused          signed too early or too late; sign with the venue's time
├── OrderRejected             the venue said no and is certain; plan anew under a new id
│   ├── InsufficientMargin    the account cannot carry it; smaller or not at all
│   ├── InvalidOrder          our bug or stale instrument data; refresh instruments
│   ├── PostOnlyWouldTake     the touch moved: price it anew
│   ├── NothingToReduce       the position may be gone: read it, never assume
│   └── DuplicateClientOrderId  already there: look it up and adopt it
├── OrderOutcomeUnknown       we cannot tell; look up by own id, never send again
├── OrderNotFound             the venue does not know this id *now*; not yet evidence of absence
├── CredentialRefused         stop this account and tell its owner
├── SettingRefused            leverage, margin or position mode could not be set; do not enter
└── UnexpectedPayload         we do not understand the answer; unknown if it was an order
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VenueError(Exception):
    """Any failure at a venue. `venue` and `detail` make a sentence a trader understands.

    `symptom` is what it says of the venue's health: words for an illness, empty for a proper
    answer, None for nothing.
    """

    symptom: str | None = None

    def __init__(self, detail: str, *, venue: str = "", code: str = "") -> None:
        super().__init__(f"{venue}: {detail}" if venue else detail)
        self.venue = venue
        self.detail = detail
        self.code = code


class VenueUnavailable(VenueError):
    """Nothing was asked that changes state, or it surely was not done: ask again later."""


class RateLimited(VenueUnavailable):
    """Send nothing to this venue until `retry_after` seconds have passed."""

    def __init__(
        self, detail: str, *, venue: str = "", code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(detail, venue=venue, code=code)
        self.retry_after = retry_after


class AddressRefused(RateLimited):
    """The venue serves nobody at this address: no key is at fault, and asking on is of no use."""


class ClockRefused(VenueUnavailable):
    """What was asked was signed by a clock that is off: nothing was done, sign it anew."""


class OrderRejected(VenueError):
    """The venue refused the order and its state is certain: plan anew under a new id."""


class InsufficientMargin(OrderRejected):
    """The account cannot carry this order: make it smaller or leave it."""


class InvalidOrder(OrderRejected):
    """Our own bug or stale instrument data: refresh instruments before planning anew."""


class PostOnlyWouldTake(OrderRejected):
    """A post-only order would have met the other side at once: price it anew."""


class NothingToReduce(OrderRejected):
    """There is less to reduce than was asked, or nothing: read the position before trying again."""


class DuplicateClientOrderId(OrderRejected):
    """The venue already holds an order under this id: look it up and adopt it."""


class OrderOutcomeUnknown(VenueError):
    """We cannot tell whether the order exists: look it up by its own id, never send it again."""


class OrderNotFound(VenueError):
    """The venue does not know this id now; before the lifetime bound that proves nothing."""

    symptom = ""


class CredentialRefused(VenueError):
    """The key, signature or permission was refused: stop this account, tell its owner."""


class SettingRefused(VenueError):
    """Leverage, margin mode or position mode could not be set: do not enter."""


class UnexpectedPayload(VenueError):
    """The answer cannot be understood: treat it as unknown if it was an order."""


class Bar(StrEnum):
    """Why a venue serves nobody at this address, other than for too many requests."""

    ADDRESS = "address"
    REGION = "region"


BARRED_WORDS = {
    Bar.ADDRESS: "the venue refuses every request from this address",
    Bar.REGION: "the venue does not serve the region of this address",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """For how long nothing should be sent from this address; no `bar` after too many requests.

    Of a `tenant` it is his key alone that must be silent, and `is_of_reads` of the market alone.
    """

    seconds: float
    bar: Bar | None = None
    tenant: str = ""
    is_of_reads: bool = False
