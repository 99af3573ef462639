"""Every error in one form: `{"code", "detail", "fields"}`, the detail a sentence."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse, UnreadablePostError
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from trading.core.refusal import Refusal

logger = logging.getLogger(__name__)

BELOW = "/api/"
NOT_FOUND = "There is no such thing, or it is not yours."
UNUSABLE = "This request cannot be used: it is cut off, too long, or made for another site."
BROKEN = "Something broke here; it is written down. What was asked may or may not have been done."
FOUND_WRONG = "Some of what was sent cannot be used; `fields` says what and why."


class Refused(exceptions.APIException):
    """Our own rules forbid it: 422, unless `status` says otherwise."""

    def __init__(
        self,
        refusals: Sequence[Refusal],
        *,
        fields: Mapping[str, Sequence[str]] | None = None,
        status: int = HTTPStatus.UNPROCESSABLE_ENTITY,
    ) -> None:
        self.status_code = status
        self.code = refusals[0].code
        super().__init__(" ".join(refusal.sentence for refusal in refusals))
        self.fields = {key: list(sentences) for key, sentences in (fields or {}).items()}


def refuse(code: str, sentence: str, *, status: int, **fields: Sequence[str]) -> Refused:
    """Return the exception of one refusal."""
    return Refused([Refusal(code=code, sentence=sentence)], status=status, fields=fields)


def body_of(code: str, detail: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"code": code, "detail": detail, "fields": dict(fields or {})}


def answer_error(error: Exception, context: dict[str, Any]) -> Response:
    """Answer any exception of a view; one that nobody foresaw is logged and is a 500."""
    set_rollback()
    if isinstance(error, Http404 | exceptions.NotFound):
        return Response(body_of("not_found", NOT_FOUND), status=HTTPStatus.NOT_FOUND)
    if isinstance(error, PermissionDenied):
        said = str(error) or "You may not do this."
        return Response(body_of("permission_denied", said), status=HTTPStatus.FORBIDDEN)
    if isinstance(error, SuspiciousOperation | UnreadablePostError):
        return Response(body_of("unusable", UNUSABLE), status=HTTPStatus.BAD_REQUEST)
    if isinstance(error, Refused):
        return Response(body_of(error.code, str(error.detail), error.fields), error.status_code)
    if isinstance(error, exceptions.ValidationError):
        fields = flat(error.detail)
        return Response(body_of("invalid", FOUND_WRONG, fields), status=error.status_code)
    if isinstance(error, exceptions.APIException):
        return _named(error)
    logger.error("a request broke", exc_info=error)
    return Response(body_of("broken", BROKEN), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def flat(detail: Any, name: str = "") -> dict[str, list[str]]:
    """Return the sentences by field; a field inside another is named `outer.inner`."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for key, inner in detail.items():
            own = "" if key == "non_field_errors" else str(key)
            found |= flat(inner, ".".join(part for part in (name, own) if part))
        return found
    if isinstance(detail, list) and any(isinstance(each, Mapping) for each in detail):
        found = {}
        for index, inner in enumerate(detail):
            found |= flat(inner, f"{name}.{index}" if name else str(index))
        return found
    sentences = detail if isinstance(detail, list) else [detail]
    return {name or "body": [str(sentence) for sentence in sentences]} if sentences else {}


@csrf_exempt  # nothing is changed, and a program has no cookie
def not_found(request: HttpRequest, path: str = "") -> JsonResponse:
    """Answer an address below /api that does not exist."""
    return JsonResponse(body_of("not_found", NOT_FOUND), status=HTTPStatus.NOT_FOUND)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer what is refused before any view: in our form below /api, as a page elsewhere."""
    if request.path.startswith(BELOW):
        return JsonResponse(body_of("unusable", UNUSABLE), status=HTTPStatus.BAD_REQUEST)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer what broke outside of a view: in our form below /api, as a page elsewhere."""
    if request.path.startswith(BELOW):
        return JsonResponse(body_of("broken", BROKEN), status=HTTPStatus.INTERNAL_SERVER_ERROR)
    return defaults.server_error(request)


def _named(error: exceptions.APIException) -> Response:
    headers = {}
    if (challenge := getattr(error, "auth_header", None)) is not None:
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait) + 1)
    detail = error.detail
    code = getattr(detail, "code", error.default_code)
    return Response(body_of(code, str(detail)), status=error.status_code, headers=headers)
