"""Wallets of Hyperliquid for tests: an address, and the private key of its agent."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple


class Wallet(NamedTuple):
    address: str
    agent_key: str


def wallet_of(name: str) -> Wallet:
    """Return the same wallet for the same name."""
    digits = sha256(name.encode()).hexdigest()
    return Wallet(address=f"0x{digits[:40]}", agent_key=f"0x{digits}")
