"""Keccak-256 as Ethereum uses it: with the padding it had before it became SHA-3."""

from __future__ import annotations

from Crypto.Hash import keccak


def keccak256(data: bytes) -> bytes:
    """Return the 32 bytes of the digest."""
    return keccak.new(digest_bits=256, data=data).digest()
