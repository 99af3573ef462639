"""The outside observer: the invariants of the design, checked against the venues' own ledger."""
