"""One example for every body and every answer of the description; a test holds them against it."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from trading.views.api.commands import HEADER
from trading.views.api.errors import BROKEN, FOUND_WRONG, NOT_FOUND, body_of

FILE = Path(__file__).with_name("examples.json")
REQUEST = "request"
# A file that is no text has no example.
WITHOUT = ("application/vnd.apache.parquet",)

OF_ERRORS = {
    HTTPStatus.BAD_REQUEST: body_of(
        "invalid", FOUND_WRONG, {"size_usd": ["-5 must be above zero."]}
    ),
    HTTPStatus.UNAUTHORIZED: body_of(
        "authentication_failed", "This token is unknown, revoked or expired."
    ),
    HTTPStatus.FORBIDDEN: body_of(
        "permission_denied", "The scope of this token is read; this takes trade."
    ),
    HTTPStatus.NOT_FOUND: body_of("not_found", NOT_FOUND),
    HTTPStatus.CONFLICT: body_of("under_way", "The same request is being carried out: ask again."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: body_of("too_large", "The body is longer than 64 KiB."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: body_of(
        "unsupported_media_type", 'Unsupported media type "text/plain" in request.'
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: body_of(
        "key_reused", f"This {HEADER} was sent with another request: take a new one."
    ),
    HTTPStatus.TOO_MANY_REQUESTS: body_of(
        "throttled", "Request was throttled. Expected available in 12 seconds."
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: body_of("broken", BROKEN),
}


@cache
def of_operations() -> dict[str, dict[str, Any]]:
    """Return by operation its `request` and its answers by status."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text())
    return found


def with_examples(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the examples to the whole description."""
    for item in result["paths"].values():
        for operation in item.values():
            own = of_operations().get(operation["operationId"], {})
            _add(operation.get("requestBody", {}), own.get(REQUEST))
            for status, answer in operation["responses"].items():
                _add(answer, own.get(status, OF_ERRORS.get(HTTPStatus(int(status)))))
    return result


def _add(described: dict[str, Any], example: Any) -> None:
    for kind, media in described.get("content", {}).items():
        if kind not in WITHOUT and example is not None:
            media["example"] = example
