"""Secrets of the installation that stand in a file only its owner reads."""

from __future__ import annotations

import stat
from pathlib import Path


class SecretFileRefused(Exception):
    """A file of a secret that others can read, or none at all; the message is a sentence."""


def read_secret(path: Path) -> str:
    """Return what stands in `path`. Raise SecretFileRefused when it is absent, open or empty."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text().strip()
    except OSError as error:
        raise SecretFileRefused(f"{path} cannot be read: {error.strerror}.") from None
    if mode & 0o077:
        raise SecretFileRefused(f"{path} has mode {mode:04o}, others can read it: chmod 600 it.")
    if not text:
        raise SecretFileRefused(f"{path} is empty.")
    return text
