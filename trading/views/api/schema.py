"""What the description of the interface says of every address: its errors, its key, its pages."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from inspect import cleandoc
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from trading.views.api.fields import Answer

ERRORS = {
    HTTPStatus.BAD_REQUEST: "What was sent cannot be used; `fields` says what and why.",
    HTTPStatus.UNAUTHORIZED: "No token or session, or one that counts no more.",
    HTTPStatus.FORBIDDEN: "The scope of the token is too narrow, or the CSRF token is missing.",
    HTTPStatus.NOT_FOUND: "There is no such thing, or it is another user's.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests in a minute; `Retry-After` says how long.",
}
ERRORS_OF_COMMANDS = {
    HTTPStatus.CONFLICT: "The same request is under way, or what was seen has changed meanwhile.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is longer than 64 KiB.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is no application/json.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Our own rules forbid it; `detail` says why.",
}
UNCHANGED = {"description": "Unchanged since the answer whose ETag was sent in If-None-Match."}
KEY = {
    "name": "Idempotency-Key",
    "type": str,
    "location": OpenApiParameter.HEADER,
    "description": "New for each command. Sent again with the same body it gets the same answer.",
    "pattern": "^[!-~]{1,100}$",
}
KEY_REQUIRED = OpenApiParameter(**KEY, required=True)  # type: ignore[arg-type]
KEY_OPTIONAL = OpenApiParameter(**KEY)  # type: ignore[arg-type]


class ErrorOut(Answer):
    """Every error of every address."""

    code = serializers.CharField(help_text="One word for programs.")
    detail = serializers.CharField(help_text="A sentence for people, with the value in it.")
    fields = serializers.DictField(  # type: ignore[assignment]  # the wire calls it so
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Sentences by field; empty where no field is at fault.",
    )


class Documented(AutoSchema):
    """Add to each operation the answers that any of them may give."""

    def get_operation_id(self) -> str:
        """Return the view's own name: `get_positions`, `post_close`."""
        words = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self.view).__name__).lower()
        return f"{self.method.lower()}_{words}"

    def get_description(self) -> str:  # type: ignore[override]  # as the parent does
        """Return the words of the method or its own view, not those that views have in common."""
        method = getattr(self.view, self.method.lower())
        own = type(self.view).__dict__.get("__doc__")
        return cleandoc(method.__doc__ or own or "")

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        answers: dict[str, Any] = super()._get_response_bodies(direction)
        errors = ERRORS if self.method == "GET" else ERRORS | ERRORS_OF_COMMANDS
        for status, words in errors.items():
            code = str(int(status))
            if code not in answers:
                answer = self._get_response_for_code(  # type: ignore[no-untyped-call]
                    ErrorOut, code, direction=direction
                )
                answers[code] = {**answer, "description": words}
        if self.method == "GET":
            answers["304"] = UNCHANGED
        return answers


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "trading.views.api.access.TokenOfUser"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return dict(build_bearer_security_scheme_object("Authorization", "Bearer"))


def versioned_only(endpoints: list[tuple[str, Any, str, Any]]) -> list[Any]:
    """Leave the addresses without a version out of the description: they are the same views."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/api/v1/")]


@cache
def paged(shown: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """Return the description of a page of `shown`."""
    return inline_serializer(
        name=shown.__name__.replace("Out", "Page"),
        fields={
            "next": serializers.URLField(allow_null=True, help_text="Address of the next page."),
            "previous": serializers.URLField(allow_null=True),
            "results": shown(many=True),
        },
    )
