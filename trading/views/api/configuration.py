"""The configuration: read with its version, saved over the version that was read."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arbsite.accounts.models import ApiToken
from trading.core.parameter_table import PARAMETER_FIELDS
from trading.core.parameters import ParameterErrors
from trading.services import configure
from trading.services.configure import UnitDoubts, VersionConflict
from trading.views.api.base import Api
from trading.views.api.commands import answer_once, checked
from trading.views.api.errors import FOUND_WRONG, refuse
from trading.views.api.fields import Answer, Strict, Word
from trading.views.api.pagination import asked
from trading.views.api.schema import KEY_REQUIRED

LONGEST_VALUE = 4000
MOST_ITEMS = 500
VALUE_SCHEMA = {
    "oneOf": [
        {"type": "string", "maxLength": LONGEST_VALUE},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "string"}, "maxItems": MOST_ITEMS},
    ]
}
VALUES_SCHEMA = {
    "type": "object",
    "properties": {
        field.key: {**VALUE_SCHEMA, "description": f"{field.label}. {field.help}".strip()}
        for field in PARAMETER_FIELDS
    },
    "additionalProperties": False,
}


class ParameterValue(serializers.Field[Any, Any, Any, Any]):
    """One value by its outer key: a text, a switch, or a list of texts."""

    default_error_messages = {  # noqa: RUF012  # the framework's own declaration
        "invalid": "Write a text, true or false, or a list of texts."
    }

    def to_internal_value(self, data: Any) -> Any:
        is_list = isinstance(data, list) and len(data) <= MOST_ITEMS
        texts = data if is_list else [] if isinstance(data, bool) else [data]
        if not all(isinstance(each, str) and len(each) <= LONGEST_VALUE for each in texts):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field(VALUES_SCHEMA)
class Values(serializers.DictField):
    child = ParameterValue()


class ConfigurationOut(Answer):
    version = serializers.IntegerField(help_text="0: defaults, nothing was ever saved.")
    values = Values(help_text="What was saved, by outer key; units are those of the page.")
    in_force = Values(help_text="The same, moved into what staff allows.")


class UpdateIn(Strict):
    version = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, help_text="The version that was read."
    )
    values = Values(help_text="What is to change; all else stays.")
    confirmed = serializers.DictField(
        child=Word(max_length=LONGEST_VALUE),
        required=False,
        help_text="Unusual values that are meant so, by outer key.",
    )
    note = Word(required=False, max_length=200, allow_blank=True)


class Configuration(Api):
    @extend_schema(
        tags=["Configuration"], summary="The configuration in force", responses=ConfigurationOut
    )
    def get(self, request: Request) -> Response:
        asked(self, Strict)
        return Response(shown(configure.current(self.user)))


class Update(Api):
    scope = ApiToken.Scope.ADMIN

    @extend_schema(
        tags=["Configuration"],
        summary="Save values as the next version",
        parameters=[KEY_REQUIRED],
        request=UpdateIn,
        responses=ConfigurationOut,
    )
    def post(self, request: Request) -> Response:
        """In force at once. 409 when somebody saved in between; 422 with a sentence per value."""
        values = checked(self, UpdateIn)
        return answer_once(self, lambda: self._save(values))

    def _save(self, values: dict[str, Any]) -> tuple[int, Any]:
        try:
            configure.save(
                user=self.user,
                values=values["values"],
                expected_version=values["version"],
                actor=self.actor,
                now=self.now,
                confirmed=values.get("confirmed", {}),
                note=values.get("note", ""),
            )
        except VersionConflict as conflict:
            said = [f"Version {conflict.current.version} is in force."]
            raise refuse(
                "conflict", str(conflict), status=HTTPStatus.CONFLICT, version=said
            ) from None
        except ParameterErrors as wrong:
            raise _refuse("invalid", FOUND_WRONG, wrong.errors) from None
        except UnitDoubts as doubts:
            words = "Some values are unusual: confirm them if they are meant so."
            raise _refuse("unusual", words, doubts.questions) from None
        return HTTPStatus.OK, shown(configure.current(self.user))


def shown(current: configure.CurrentConfiguration) -> dict[str, Any]:
    return {
        "version": current.version,
        "values": current.saved.to_values(),
        "in_force": current.parameters.to_values(),
    }


def _refuse(code: str, sentence: str, by_key: dict[str, str]) -> Exception:
    fields = {key: [said] for key, said in by_key.items()}
    return refuse(code, sentence, status=HTTPStatus.UNPROCESSABLE_ENTITY, **fields)
