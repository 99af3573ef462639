"""Who signed an action at Hyperliquid: the address recovered from its EIP-712 signature.

Source: hyperliquid.gitbook.io, API, Signing. Nobody sends a key: whose signature it is tells the
account, and a signature of another action is that of a stranger.
"""

from __future__ import annotations

from functools import lru_cache

import coincurve
import msgpack

from exchanges.keccak import keccak256
from exchanges.simulator.wire import Json

CHAIN_ID = 1337
WORD = 32
DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
AGENT_TYPE = b"Agent(string source,bytes32 connectionId)"


def action_hash(action: Json, nonce: int, expires_after: int | None) -> bytes:
    """Return the hash of an action for no vault; a deadline is part of it where there is one."""
    packed = msgpack.packb(action) + nonce.to_bytes(8, "big") + b"\x00"
    if expires_after is not None:
        packed += b"\x00" + expires_after.to_bytes(8, "big")
    return keccak256(packed)


def signing_digest(connection: bytes, *, source: bytes = b"a") -> bytes:
    """Return what is signed: the phantom agent of a hash; its source is `b` on the testnet."""
    domain = keccak256(
        b"".join(
            (
                keccak256(DOMAIN_TYPE),
                keccak256(b"Exchange"),
                keccak256(b"1"),
                CHAIN_ID.to_bytes(WORD, "big"),
                bytes(WORD),
            )
        )
    )
    agent = keccak256(keccak256(AGENT_TYPE) + keccak256(source) + connection)
    return keccak256(b"\x19\x01" + domain + agent)


def signer_of(
    action: Json,
    nonce: int,
    expires_after: int | None,
    signature: Json,
    *,
    source: bytes = b"a",
) -> str:
    """Return the address that signed. Raise ValueError for what is no signature at all."""
    try:
        parts = [int(str(signature[name]), 16).to_bytes(WORD, "big") for name in ("r", "s")]
        recovery = int(signature["v"]) - 27
        signed = b"".join(parts) + bytes([recovery])
        digest = signing_digest(action_hash(action, nonce, expires_after), source=source)
        public = coincurve.PublicKey.from_signature_and_message(signed, digest, hasher=None)
    except (LookupError, TypeError, ArithmeticError, ValueError) as error:
        raise ValueError("no signature") from error
    return _address(public)


@lru_cache(maxsize=4096)
def address_of(private_key: str) -> str:
    """Return the address of an account's agent. Raise ValueError where it is no private key."""
    digits = private_key.removeprefix("0x")
    return _address(coincurve.PrivateKey(bytes.fromhex(digits)).public_key)


def _address(public: coincurve.PublicKey) -> str:
    return f"0x{keccak256(public.format(compressed=False)[1:])[-20:].hex()}"
