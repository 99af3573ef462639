"""Hyperliquid's signature of an action: EIP-712 over a phantom agent, made of the action's hash.

Source: hyperliquid.gitbook.io, API, Signing. The library does the same in three times the time: it
encodes anew what never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ccxt

from exchanges.keccak import keccak256

# What names a place in what is signed there: the address is no part of it.
REAL_PLACE = "a"
AGENT_TYPE = keccak256(b"Agent(string source,bytes32 connectionId)")
DOMAIN = keccak256(
    keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    + keccak256(b"Exchange")
    + keccak256(b"1")
    + (1337).to_bytes(32, "big")
    + bytes(32)
)
NO_VAULT, HAS_DEADLINE = b"\x00", b"\x00"

Json = Mapping[str, Any]


def signature(
    action: Json, nonce: int, expires_after: int, private_key: str, *, source: str = REAL_PLACE
) -> dict[str, Any]:
    """Return r, s and v of an action that acts until `expires_after`; both are in milliseconds.

    Signed for one `source` it is a stranger's at any other.
    """
    packed = ccxt.Exchange.packb(action) + nonce.to_bytes(8, "big") + NO_VAULT
    connection = keccak256(packed + HAS_DEADLINE + expires_after.to_bytes(8, "big"))
    agent = keccak256(AGENT_TYPE + keccak256(source.encode()) + connection)
    digest = keccak256(b"\x19\x01" + DOMAIN + agent)
    signed = ccxt.Exchange.ecdsa(digest.hex(), _digits(private_key), "secp256k1", None)
    return {"r": f"0x{signed['r']}", "s": f"0x{signed['s']}", "v": 27 + signed["v"]}


def address_of(private_key: str) -> str:
    """Return the address that a private key signs for. Raise AuthenticationError for no key."""
    digits = _digits(private_key)
    public: bytes = ccxt.Exchange.secp256k1_uncompressed_public_key(bytes.fromhex(digits))
    return f"0x{keccak256(public)[-20:].hex()}"


def _digits(private_key: str) -> str:
    digits = private_key.removeprefix("0x")
    if len(digits) != 64 or not set(digits.lower()) <= set("0123456789abcdef"):
        raise ccxt.AuthenticationError("the private key is no 32 bytes in hex")
    return digits
