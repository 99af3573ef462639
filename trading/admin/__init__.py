"""What staff sees of trading: everything; what it changes, through the services."""

from __future__ import annotations

from trading.admin import configuration, control, ledger, positions

__all__ = ["configuration", "control", "ledger", "positions"]
