"""Own order ids: the same intent always gets the same id, and two intents never share one.

32 letters and digits: `ca`, the leg, the purpose, the sequence, the position's UUID. Every venue
takes that (Binance and Bybit up to 36, OKX 32 without punctuation), and nothing in it tells
of a person. Hyperliquid and Kraken take 128 bits in hex and Gate 28 letters, into which it does
not fit: there a hash of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from exchanges.domain import ClientOrderId
from exchanges.venues import PROFILES

PREFIX = "ca"
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
LEG_DIGITS = 1
PURPOSE_DIGITS = 1
SEQUENCE_DIGITS = 3
POSITION_DIGITS = 25  # 36 ** 25 > 2 ** 128
LENGTH = len(PREFIX) + LEG_DIGITS + PURPOSE_DIGITS + SEQUENCE_DIGITS + POSITION_DIGITS


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIdParts:
    """What an own id was made of. `purpose` is the first letter of the purpose's name."""

    position_id: UUID
    leg_index: int
    purpose: str
    sequence: int


def client_order_id(
    position_id: UUID, leg_index: int, purpose: str, sequence: int
) -> ClientOrderId:
    """Return the id of one intent; `purpose` counts by its first letter, a to z.

    Raise ValueError where a part does not fit: 36 legs, 46,656 intents a leg and purpose.
    """
    letter = purpose[:1].lower()
    if not ("a" <= letter <= "z"):
        raise ValueError(f"a purpose starts with a letter, not {purpose!r}")
    return ClientOrderId(
        PREFIX
        + _digits(leg_index, LEG_DIGITS)
        + letter
        + _digits(sequence, SEQUENCE_DIGITS)
        + _digits(position_id.int, POSITION_DIGITS)
    )


def in_venue_form(own_id: ClientOrderId, venue: str) -> ClientOrderId:
    """Return the id as this venue takes it, and names it in all that it says of the order."""
    profile = PROFILES.get(venue)
    if profile is None or not profile.client_id_bytes:
        return own_id
    digest = blake2b(own_id.encode(), digest_size=profile.client_id_bytes).hexdigest()
    return ClientOrderId(profile.client_id_prefix + digest)


def parse_client_order_id(text: str) -> OrderIdParts | None:
    """Return the parts of an own id, None for anything that is not one."""
    if len(text) != LENGTH or not text.startswith(PREFIX) or not set(text) <= set(DIGITS):
        return None
    leg, purpose = text[2], text[3]
    sequence, position = text[4 : 4 + SEQUENCE_DIGITS], text[-POSITION_DIGITS:]
    number = int(position, len(DIGITS))
    if purpose.isdigit() or number >= 2**128:
        return None
    return OrderIdParts(
        position_id=UUID(int=number),
        leg_index=int(leg, len(DIGITS)),
        purpose=purpose,
        sequence=int(sequence, len(DIGITS)),
    )


def _digits(number: int, width: int) -> str:
    """Return `number` in base 36, padded to `width`."""
    if not 0 <= number < len(DIGITS) ** width:
        raise ValueError(f"{number} does not fit into {width} digits of an order id")
    text = ""
    for _ in range(width):
        number, digit = divmod(number, len(DIGITS))
        text = DIGITS[digit] + text
    return text
