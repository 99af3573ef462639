"""A signed POST to an address of the user's own.

`Carry-Signature: t=UNIX,v1=HEX`: HMAC-SHA256 with the channel's secret over `UNIX.BODY`. Redirects
are not followed, proxies of the environment are not used, and the answer's body is not read.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time

import httpx

from alerts.transports.addresses import AddressRefused, Destination, destination
from alerts.transports.port import Target, Undelivered
from alerts.wording import Message

SECONDS = 5.0


async def send(target: Target, message: Message) -> None:
    """POST one alert. Raise Undelivered."""
    try:
        # Resolving blocks, and so does a name server that is silent.
        where = await asyncio.to_thread(destination, target.address)
    except AddressRefused as refusal:
        raise Undelivered(str(refusal)) from None
    body = body_of(message)
    status = await post(where, body, headers_of(message, body, target.secret, at=time.time()))
    if 300 <= status < 400:
        raise Undelivered(f"the webhook answers {status}: redirects are not followed")
    if not 200 <= status < 300:
        raise Undelivered(f"the webhook answers {status}")


def body_of(message: Message) -> bytes:
    """Return the JSON of an alert; `alert` and `delivery` tell what was had before."""
    content = {
        "alert": message.alert_id,
        "delivery": message.delivery_id,
        "severity": message.severity,
        "kind": message.kind,
        "title": message.title,
        "lines": list(message.lines),
        "count": message.count,
        "repeat": message.repeat,
        "created_at": message.created_at.isoformat(),
    }
    return json.dumps(content, separators=(",", ":")).encode()


def headers_of(message: Message, body: bytes, secret: str, *, at: float) -> dict[str, str]:
    """Return the headers with the signature over moment and body."""
    stamp = str(int(at))
    return {
        "Content-Type": "application/json",
        "User-Agent": "carry",
        "Carry-Delivery": str(message.delivery_id),
        "Carry-Signature": f"t={stamp},v1={signature(secret, stamp, body)}",
    }


def signature(secret: str, stamp: str, body: bytes) -> str:
    signed = stamp.encode() + b"." + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


async def post(where: Destination, body: bytes, headers: dict[str, str]) -> int:
    """POST to the resolved address under the name it was resolved from; return the status."""
    url = httpx.URL(where.url)
    named = headers | {"Host": url.netloc.decode()}
    try:
        async with (
            httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST",
                url.copy_with(host=where.address),
                content=body,
                headers=named,
                # The certificate must be that of the name, not of the bare address.
                extensions={"sni_hostname": where.host},
            ) as answer,
        ):
            return answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Undelivered(f"the webhook cannot be reached ({type(error).__name__})") from None
