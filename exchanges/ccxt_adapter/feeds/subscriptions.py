"""What one socket asks a venue for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Never

from exchanges.errors import UnexpectedPayload

_NAMES = re.compile(r"[\w/-]+")


class Subscriptions:
    """The symbols of one socket, without those that its venue said it does not know.

    A contract that ends between two openings must not keep all others of its socket silent.
    """

    def __init__(self, listed: Mapping[str, Any], venue: str) -> None:
        self._listed = listed
        self._venue = venue
        self._unknown: set[str] = set()

    def names(self) -> list[str]:
        return [name for name in self._listed if self.knows(name)]

    def knows(self, name: str) -> bool:
        """Tell whether the venue has not refused this name."""
        return name not in self._unknown

    def refuse(self, said: str, *, is_unknown: bool = True) -> Never:
        """Raise UnexpectedPayload; the one symbol that a refusal names is asked for no more.

        `is_unknown`: whether it was refused for its name, where the venue tells that apart.
        """
        named = self._listed.keys() & set(_NAMES.findall(said))
        if is_unknown and len(named) == 1:
            self._unknown |= named
        raise UnexpectedPayload(f"subscription refused: {said}", venue=self._venue)
