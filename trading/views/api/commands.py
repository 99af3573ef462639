"""What all commands share: the key under which they are carried out once, and how they answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from trading.core.refusal import Refusal
from trading.services.idempotency import once
from trading.views.api.base import Api
from trading.views.api.errors import Refused, body_of, refuse
from trading.views.api.fields import Answer

HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{1,100}")
Act = Callable[[], tuple[int, Any]]


class Done(Answer):
    """A sentence of what happens now."""

    detail = serializers.CharField(help_text="What happens now.")


def done(sentence: str) -> tuple[int, Any]:
    return HTTPStatus.ACCEPTED, {"detail": sentence}


def checked(view: Api, form: type[serializers.Serializer[Any]], **context: Any) -> dict[str, Any]:
    """Return the values of the body, or refuse it with a sentence per field."""
    body = form(data=view.request.data, context=context)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def answer_once(view: Api, act: Act, *, is_required: bool = True) -> Response:
    """Carry a command out, under its key once; refusals by our rules are kept as answers too."""
    key = view.request.headers.get(HEADER)
    if key is None and not is_required:
        status, body = act()
        return Response(body, status)
    if key is None or KEY.fullmatch(key) is None:
        sentence = f"{HEADER} is needed: up to 100 printable characters, new for each command."
        raise refuse("key_needed", sentence, status=HTTPStatus.BAD_REQUEST, **{HEADER: [sentence]})
    found = once(user=view.user, key=key, request=_asked(view), act=_kept(act), now=view.now)
    if isinstance(found, Refusal):
        is_other = found.code == "key_reused"
        status = HTTPStatus.UNPROCESSABLE_ENTITY if is_other else HTTPStatus.CONFLICT
        raise Refused([found], status=status)
    headers = {"Idempotent-Replayed": "true"} if found.is_replay else {}
    return Response(found.body, found.status, headers=headers)


def _asked(view: Api) -> str:
    """Return the request as one text; an address counts the same with and without its version."""
    request = view.request
    path = request.path.replace("/api/v1/", "/api/", 1)
    return json.dumps([request.method, path, request.data], sort_keys=True, default=str)


def _kept(act: Act) -> Act:
    def answered() -> tuple[int, Any]:
        try:
            return act()
        except Refused as refused:
            return refused.status_code, body_of(refused.code, str(refused.detail), refused.fields)

    return answered
