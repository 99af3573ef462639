"""Which venue answers: the only difference between rehearsal and live."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    REHEARSAL = "rehearsal"
    PAPER = "paper"
    TESTNET = "testnet"
    LIVE = "live"
