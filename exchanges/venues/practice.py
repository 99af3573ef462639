"""Places of practice beside the real markets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """Where a venue lets accounts trade without money beside its real market.

    `addresses` are by the library's name of a group of calls, `ws` the sockets among them. They
    take the whole place of the real ones: what is not named cannot be asked, so that nothing sent
    with a practice key reaches the real account.
    """

    addresses: Mapping[str, object]
    # Sent with every request, where the host alone does not tell practice from earnest.
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    # Off: the venue does not say there what a key may do.
    tells_rights: bool = True
    # What names the place in what is signed, where the address is no part of that.
    signs_as: str = ""
