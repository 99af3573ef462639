"""Requests made up from the description itself: none breaks Carry, and none is answered unsaid."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from arbsite.accounts.models import User
from tests.api.conftest import Desk, Program, Programs
from tests.web.rows import make_discrepancy

pytestmark = pytest.mark.db

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Refused for its size before anybody reads it is refused too.
REFUSED = (400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429)
CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": list(REFUSED)}}}
)
EXAMPLES = 8
# Undocumented methods are tried elsewhere, by hand.
ALL = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@contextmanager
def one_connection() -> Generator[None]:
    """Keep the connection of the test between requests, as Django's own client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def made_wrong(case: Any) -> set[ParameterLocation]:
    """Return which parts of a request break the description."""
    return {place for place, part in case.meta.components.items() if part.mode.is_negative}


def operations(own: Program) -> list[Any]:
    description = own.get("schema").json()
    schema = schemathesis.openapi.from_dict(description, config=CONFIG)
    schema.app = get_wsgi_application()
    found = list(schema.get_all_operations())
    described = [one.ok() for one in found if isinstance(one, Ok)]
    assert len(described) == len(found) > 25
    return described


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_whatever_the_description_allows_is_answered_as_it_says(
    desk: Desk,
    own: Program,
    teammate: User,
    stranger: User,
    program: Programs,
    settings: Any,
    mode: GenerationMode,
) -> None:
    settings.CARRY_API_RATES = {"read": 10**6, "write": 10**6}
    row = make_discrepancy(desk.position)
    users = [own, program(teammate), program(stranger)]
    answers: list[int] = []

    for operation in operations(own):

        @ALL
        @given(case=operation.as_strategy(generation_mode=mode), who=st.sampled_from(users))
        def answered(case: Any, who: Program) -> None:
            wrong = made_wrong(case)
            known = {"position_id": str(desk.position.pk), "discrepancy_id": str(row.pk)}
            if ParameterLocation.PATH not in wrong:
                own_ids = {k: v for k, v in known.items() if k in case.path_parameters}
                case.path_parameters |= own_ids
            response = case.call(headers=who.headers())
            # Of headers the right ones are sent in any case.
            must_be_refused = wrong - {ParameterLocation.HEADER}
            checks = [*CHECKS, negative_data_rejection] if must_be_refused else CHECKS
            case.validate_response(response, checks=checks)
            answers.append(response.status_code)

        # Of an address without any part there is nothing to send wrongly.
        with one_connection(), suppress(Unsatisfiable):
            answered()

    assert len(answers) > 150
    assert {200, 400, 404} <= set(answers)
