"""Seal credentials with a key that lives in a file, never beside what it locks.

The cipher is Fernet (AES-128-CBC with HMAC). It has no associated data, so owner and purpose are
written inside the plaintext and compared on every read: a token copied to another row stays shut.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Never, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

FINGERPRINT_LENGTH = 16


class SealError(Exception):
    """A credential cannot be sealed or opened; the message is a sentence without secrets."""


class KeyFileRefused(SealError):
    """The key file is missing, readable by others, damaged, or not ours."""


class SealBroken(SealError):
    """The sealed value does not open: another key, another owner, or a damaged value."""


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """A secret that shows nothing until `reveal` is asked for by owner and purpose."""

    token: str

    def __repr__(self) -> str:
        return "Sealed(••••)"

    __str__ = __repr__

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> Never:
        raise TypeError("A sealed credential must not be pickled, cached or queued.")

    def reveal(self, *, owner_id: object, purpose: str) -> dict[str, str]:
        """Return the payload. Raise SealBroken unless key, owner and purpose all match."""
        try:
            plaintext = _cipher().decrypt(self.token.encode())
        except (InvalidToken, UnicodeEncodeError):
            raise SealBroken(
                "A stored credential does not open with the current key file: "
                "put the key file back that was in use when it was saved, or enter it anew."
            ) from None
        content = json.loads(plaintext)
        if content["owner"] != str(owner_id) or content["purpose"] != purpose:
            raise SealBroken(
                "A stored credential belongs to another owner or purpose and stays shut: "
                "it was moved between rows. Enter it anew."
            )
        payload: dict[str, str] = content["payload"]
        return payload


def seal(payload: Mapping[str, str], *, owner_id: object, purpose: str) -> Sealed:
    """Seal `payload` for one owner and purpose with the first key of the key file."""
    content = {"owner": str(owner_id), "purpose": purpose, "payload": dict(payload)}
    return Sealed(_cipher().encrypt(json.dumps(content).encode()).decode())


def key_fingerprint() -> str:
    """Return a short public name of the key that seals now; it tells nothing of the key."""
    digest = hashlib.sha256(b"carry key fingerprint" + _read_keys(_key_path())[0])
    return digest.hexdigest()[:FINGERPRINT_LENGTH]


def keyed_fingerprint(text: str) -> str:
    """Return a hash of `text` that only the holder of the key file can make or compare."""
    return hmac.new(_read_keys(_key_path())[-1], text.encode(), hashlib.sha256).hexdigest()


def create_key_file(path: Path) -> None:
    """Write a new random key to `path`, mode 0600. Raise KeyFileRefused if a file is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFileRefused(f"The key file {path} exists and is never overwritten.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def check_key_file() -> None:
    """Raise KeyFileRefused, with what to do, unless the key file is usable."""
    _cipher()


def _key_path() -> Path:
    return Path(settings.CARRY_KEY_FILE)


def _cipher() -> MultiFernet:
    """Return the cipher of the key file: its first line seals, all its lines open."""
    path = _key_path()
    try:
        return MultiFernet([Fernet(key) for key in _read_keys(path)])
    except ValueError:
        raise KeyFileRefused(
            f"The key file {path} is damaged or not a Carry key file: "
            "restore it from your backup. Nothing was changed."
        ) from None


def _read_keys(path: Path) -> list[bytes]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        keys = path.read_bytes().split()
    except FileNotFoundError:
        raise KeyFileRefused(f"The key file {path} does not exist.") from None
    except OSError as error:
        raise KeyFileRefused(f"The key file {path} cannot be read: {error.strerror}.") from None
    if mode & 0o077:
        raise KeyFileRefused(
            f"The key file {path} has mode {mode:04o} and others can read it: chmod 600 {path}"
        )
    if not keys:
        raise KeyFileRefused(f"The key file {path} is empty: restore it from your backup.")
    return keys
