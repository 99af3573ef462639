"""What staff sees of trading: everything; what it changes: kill switches, through the services."""

from __future__ import annotations

from trading.admin import control, ledger, positions

__all__ = ["control", "ledger", "positions"]
