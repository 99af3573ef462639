"""The description is complete with examples, and each is what its schema says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema_rs import validator_for

from trading.views.api.examples import REQUEST, WITHOUT, of_operations
from trading.views.api.links import LINKS

pytestmark = pytest.mark.core


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def operations(description: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in description["paths"].values():
        yield from item.values()


def media(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every body and every answer with its place."""
    for operation in operations(description):
        parts = {REQUEST: operation.get("requestBody", {}), **operation["responses"]}
        for part, described in parts.items():
            for kind, found in described.get("content", {}).items():
                yield f"{operation['operationId']} {part} {kind}", found


def test_every_body_and_every_answer_has_an_example(description: dict[str, Any]) -> None:
    without = [place for place, found in media(description) if "example" not in found]

    assert [place for place in without if not place.endswith(WITHOUT)] == []
    assert len(without) == len(WITHOUT)


def test_each_example_is_what_its_schema_says(description: dict[str, Any]) -> None:
    components = description["components"]
    wrong = {}
    for place, found in media(description):
        if "example" in found:
            schema = {**found["schema"], "components": components}
            errors = validator_for(schema, validate_formats=True).iter_errors(found["example"])
            wrong[place] = [error.message for error in errors]

    assert {place: why for place, why in wrong.items() if why} == {}
    assert len(wrong) > 100


def test_no_example_is_of_what_does_not_exist(description: dict[str, Any]) -> None:
    for name, parts in of_operations().items():
        (operation,) = [one for one in operations(description) if one["operationId"] == name]
        known = {*operation["responses"], *([REQUEST] if "requestBody" in operation else [])}
        assert set(parts) <= known, name


def test_every_example_shows_every_field(description: dict[str, Any]) -> None:
    """A field that is new is missed here."""
    schemas = description["components"]["schemas"]
    for operation in operations(description):
        for status, answer in operation["responses"].items():
            for found in answer.get("content", {}).values():
                name = found["schema"].get("$ref", "").rpartition("/")[2]
                if name and "example" in found:
                    known = set(schemas[name]["properties"])
                    assert set(found["example"]) == known, (operation["operationId"], status)


def test_links_take_what_an_answer_has(description: dict[str, Any]) -> None:
    """Each expression is found in the example of the answer that it is of."""
    for source, status in LINKS:
        (operation,) = [one for one in operations(description) if one["operationId"] == source]
        answer = operation["responses"][status]
        example = answer["content"]["application/json"]["example"]
        for link in answer["links"].values():
            for expression in [
                *link.get("parameters", {}).values(),
                *link.get("requestBody", {}).values(),
            ]:
                parts = expression.partition("#/")[2].split("/")
                value: Any = example
                for part in parts:
                    value = value[int(part)] if isinstance(value, list) else value[part]
                assert value is not None, expression


def test_each_operation_is_described_in_its_own_words(description: dict[str, Any]) -> None:
    common = [
        operation["operationId"]
        for operation in operations(description)
        if "`scope` is what a POST takes" in operation.get("description", "")
    ]
    assert common == []
