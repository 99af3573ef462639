"""How a private socket is opened where a key has a passphrase and a login is signed like a call."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any


def login(exchange: Any, path: str) -> dict[str, Any]:
    """Return the message that signs a look at `path`, by the venue's time in whole seconds."""
    stamp = str(int(exchange.nonce()) // 1000)
    text, secret = f"{stamp}GET{path}".encode(), exchange.secret.encode()
    signature = base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
    proof = {
        "apiKey": exchange.apiKey,
        "passphrase": exchange.password,
        "timestamp": stamp,
        "sign": signature,
    }
    return {"op": "login", "args": [proof]}
