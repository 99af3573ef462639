"""What one socket asks a venue for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Never

from exchanges.errors import UnexpectedPayload

_NAMES = re.compile(r"[\w-]+")


class Subscriptions:
    """The symbols of one socket, without those that its venue said it does not know.

    A contract that ends between two openings must not keep all others of its socket silent.
    """

    def __init__(self, listed: Mapping[str, Any], venue: str) -> None:
        self._listed = listed
        self._venue = venue
        self._unknown: set[str] = set()

    def names(self) -> list[str]:
        return [name for name in self._listed if name not in self._unknown]

    def refuse(self, said: str) -> Never:
        """Raise UnexpectedPayload; the one symbol that a refusal names is asked for no more."""
        named = self._listed.keys() & set(_NAMES.findall(said))
        if len(named) == 1:
            self._unknown |= named
        raise UnexpectedPayload(f"subscription refused: {said}", venue=self._venue)
