"""What proves to Kraken Futures who asks: docs.kraken.com, its REST and WebSocket guides."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

import ccxt


def signature(secret: str, text: str) -> str:
    """Return the HMAC-SHA512 of a text's SHA-256 by the secret, in base64.

    Raise AuthenticationError where the secret is no base64, as those of this venue are.
    """
    try:
        key = base64.b64decode(secret, validate=True)
    except binascii.Error:
        raise ccxt.AuthenticationError("the secret is not one of this venue") from None
    digest = hmac.new(key, hashlib.sha256(text.encode()).digest(), hashlib.sha512).digest()
    return base64.b64encode(digest).decode()
