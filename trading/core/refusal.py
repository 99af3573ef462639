"""A refusal by our own rules: a value, never an exception."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something was not done. `sentence` names the value and is read by the trader."""

    code: str
    sentence: str
