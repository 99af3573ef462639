from __future__ import annotations


class StartRefused(Exception):
    """Carry cannot start here; the message is the sentence the person reads."""
