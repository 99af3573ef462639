"""How venues that give a key a passphrase (OKX, Bitget, KuCoin) sign."""

from __future__ import annotations

import base64
import hashlib
import hmac


def signature(secret: str, text: str) -> str:
    """Return HMAC-SHA256 of a text in base64."""
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
