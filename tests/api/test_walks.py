"""Walks along the links of the description, from lists to single things and to commands.

Whatever the owner finds is asked by two others too, who get nothing of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import schemathesis
from django.core.cache import cache
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.stateful.state_machine import APIStateMachine, StepInput, StepOutput
from schemathesis.schemas import BaseSchema

from arbsite.accounts.models import User
from tests.api.conftest import Desk, Program, Programs
from tests.api.test_contract import CHECKS, one_connection
from tests.web.conftest import publish_market
from tests.web.rows import make_discrepancy
from trading.models import Position
from trading.views.api.examples import REQUEST, of_operations
from trading.views.api.links import LINKS

pytestmark = pytest.mark.db

CONFIG = SchemathesisConfig.from_dict({"generation": {"mode": "positive"}})
BOUNDED = hypothesis_settings(
    max_examples=40,
    stateful_step_count=10,
    phases=[Phase.generate],
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
# What an example cannot know.
FIRST_BODIES = {"post_update": {"version": 0}}
Walked = Counter[tuple[str, int]]
"""How often a link led the owner to an operation, by its answer."""


def walk_of(desk: Desk, own: Program, others: Sequence[Program], walked: Walked) -> type[Any]:
    """Return a state machine: each step is asked by the others first, then by the owner."""
    description = own.get("schema").json()
    # Whether a position is opened may depend on how long this takes: no walk goes on from there.
    del description["paths"]["/api/v1/positions/open"]["post"]["responses"]["201"]["links"]
    schema: BaseSchema = schemathesis.openapi.from_dict(description, config=CONFIG)
    # Their keys are nobody's: walks among them would take the time of the others.
    schema = schema.exclude(path_regex="calculators")
    schema.app = get_wsgi_application()
    base: type[APIStateMachine] = schema.as_state_machine()

    class Walk(base):  # type: ignore[valid-type, misc]
        def setup(self) -> None:
            # Every walk begins with the same rows.
            self.began = transaction.savepoint()
            cache.clear()

        def teardown(self) -> None:
            transaction.savepoint_rollback(self.began)

        def step(self, input: StepInput) -> StepOutput:
            case = input.case
            publish_market(desk.instruments, timezone.now())
            # Odd queries and bodies are tried elsewhere; here they would end the walk.
            name = case.operation.definition.raw["operationId"]
            case.query = linked(input, ParameterLocation.QUERY, case.query)
            if given := linked(input, ParameterLocation.BODY, case.body):
                case.body = of_operations()[name][REQUEST] | given
            for other in others:
                response = checked(case, other)
                assert str(desk.position.pk) not in response.text, case.operation.label
            response = checked(case, own)
            if input.transition is not None and input.is_applied:
                walked[name, response.status_code] += 1
            return StepOutput(response, case)

    return Walk


def linked(input: StepInput, place: ParameterLocation, values: Any) -> dict[str, Any]:
    """Return the values that a link took from the answer before."""
    return {
        name: values[name] for where, name in input.applied_parameters if where is place and name
    }


def checked(case: Any, who: Program) -> Any:
    """Ask as somebody, and hold the answer against the description."""
    response = case.call(headers=who.headers())
    case.validate_response(response, checks=CHECKS)
    return response


@pytest.fixture
def book(desk: Desk) -> Desk:
    """The desk with something behind every link: a difference, legs to open, an ended position."""
    make_discrepancy(desk.position)
    legs = [
        {
            "instrument": str(desk.instruments[venue, "ETH"].pk),
            "side": side,
            "ratio": "1",
            "symbol": desk.instruments[venue, "ETH"].symbol,
            "venue": venue,
            "kind": "perpetual",
        }
        for venue, side in (("binanceusdm", "buy"), ("bybit", "sell"))
    ]
    desk.user.opportunities.update(legs=legs)
    return desk


def test_whoever_follows_the_links_finds_nothing_broken_and_nothing_of_others(
    book: Desk,
    own: Program,
    teammate: User,
    stranger: User,
    program: Programs,
    settings: Any,
) -> None:
    settings.CARRY_API_RATES = {"read": 10**6, "write": 10**6}
    walked: Walked = Counter()

    walks = walk_of(book, own, [program(teammate), program(stranger)], walked)
    with one_connection():
        walks.run(settings=BOUNDED)

    assert sum(walked.values()) > 50
    assert {name for name, status in walked if name.startswith("post") and status < 300}


def test_every_link_leads_to_what_it_names(book: Desk, own: Program) -> None:
    described = own.get("schema").json()["paths"]
    for (source, status), links in LINKS.items():
        for link in links:
            with transaction.atomic():
                led = follow(book, own, described, source, status, link.to)
                transaction.set_rollback(True)
            # Neither unknown nor misunderstood nor changed meanwhile; our rules may forbid it.
            assert led.status_code in (200, 201, 202, 403, 422), (source, link.to, led.content)


def follow(
    book: Desk, own: Program, described: dict[str, Any], source: str, status: str, to: str
) -> Any:
    """Return what is answered at the end of a link, by what its beginning answers."""
    prepare(book, own, source)
    known = {"position_id": str(book.position.pk)} if source == "get_one_position" else {}
    answer = ask(own, described, source, known, FIRST_BODIES.get(source, {}))
    assert answer.status_code == int(status), answer.content
    found = described_as(described, source)[2]["responses"][status]["links"][to]
    parts, body = (
        {name: value_of(answer.json(), said) for name, said in found.get(part, {}).items()}
        for part in ("parameters", "requestBody")
    )
    return ask(own, described, to, parts, body)


def prepare(book: Desk, own: Program, source: str) -> None:
    """Have what the source tells of, and a market that is fresh."""
    publish_market(book.instruments, timezone.now())
    if source == "get_history":
        ended = {"state": "closed", "close_timestamp": book.now}
        Position.objects.filter(pk=book.position.pk).update(**ended)
    elif source == "get_status":
        own.post("engine/kill")


def described_as(described: dict[str, Any], name: str) -> tuple[str, str, dict[str, Any]]:
    """Return path, method and description of an operation."""
    (found,) = [
        (path.removeprefix("/api/v1/"), method, operation)
        for path, item in described.items()
        for method, operation in item.items()
        if operation["operationId"] == name
    ]
    return found


def ask(
    own: Program, described: dict[str, Any], name: str, parts: dict[str, Any], body: dict[str, Any]
) -> Any:
    """Ask an operation, with its example where nothing else is given."""
    path, method, _ = described_as(described, name)
    query = {key: value for key, value in parts.items() if f"{{{key}}}" not in path}
    filled = path.format(**parts)
    if method == "post":
        return own.post(filled, of_operations()[name].get(REQUEST, {}) | body)
    return own.get(filled, **query)


def value_of(answer: Any, expression: str) -> Any:
    """Return what an expression such as `$response.body#/results/0/id` names."""
    for part in expression.partition("#/")[2].split("/"):
        answer = answer[int(part)] if isinstance(answer, list) else answer[part]
    return answer
