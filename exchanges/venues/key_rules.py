"""Rules of keys that several venues share, with the advice that a refusal gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from exchanges.venues.profile import KeyRule


def forbidden(
    path: tuple[str, ...], powers: Mapping[str, tuple[str, str]], *, page: str
) -> Iterator[KeyRule]:
    """Yield a rule for each power at `path` that no key may have.

    `powers`: by the venue's word, what a key may do with it and what its `page` calls the right.
    """
    for power, (what, name) in powers.items():
        yield KeyRule(
            path=path,
            refused=power,
            advice=f"this key may {what}: {page}, clear {name}, save, and try again",
        )
