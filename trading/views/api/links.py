"""Where one goes from an answer: what its ids and versions are good for, as OpenAPI links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BODY = "$response.body#/"
FIRST = f"{BODY}results/0/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An operation that may follow, and what of the answer it takes, by its own names."""

    to: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] = field(default_factory=dict)


def _of_position(expression: str) -> tuple[Link, ...]:
    """Return what may be asked of, and done with, the position whose id this is."""
    by_path = [
        Link(to=to, parameters={"position_id": expression})
        for to in ("get_one_position", "post_close", "post_release")
    ]
    by_query = [
        Link(to=to, parameters={"position": expression})
        for to in ("get_orders", "get_trades", "get_funding")
    ]
    return (*by_path, *by_query)


def _of_opportunity(expression: str) -> tuple[Link, ...]:
    return tuple(
        Link(to=to, body={"opportunity": expression}) for to in ("post_quote", "post_open")
    )


_ITS_POSITION = (Link(to="get_one_position", parameters={"position_id": f"{FIRST}position"}),)
_VERSION = (Link(to="post_update", body={"version": f"{BODY}version"}),)

LINKS: Mapping[tuple[str, str], tuple[Link, ...]] = {
    ("get_positions", "200"): _of_position(f"{FIRST}id"),
    ("get_history", "200"): _of_position(f"{FIRST}id"),
    ("get_one_position", "200"): _of_position(f"{BODY}id"),
    ("post_open", "201"): _of_position(f"{BODY}id"),
    ("get_orders", "200"): _ITS_POSITION,
    ("get_trades", "200"): _ITS_POSITION,
    ("get_funding", "200"): _ITS_POSITION,
    ("get_opportunities", "200"): _of_opportunity(f"{FIRST}id"),
    ("get_reconciliation", "200"): (
        Link(
            to="post_decide",
            parameters={"discrepancy_id": f"{BODY}differences/0/id"},
            body={
                "choice": f"{BODY}differences/0/choices/0",
                "seen": f"{BODY}differences/0/seen",
            },
        ),
        Link(to="post_reconciliation", body={"account": f"{BODY}accounts/0/id"}),
    ),
    ("get_configuration", "200"): _VERSION,
    ("post_update", "200"): _VERSION,
    ("get_calculators", "200"): (Link(to="get_calculator", parameters={"key": f"{FIRST}key"}),),
    ("get_status", "200"): (Link(to="post_rearm", body={"epoch": f"{BODY}kill/epoch"}),),
}


def with_links(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the links to the whole description; a link to what does not exist is a KeyError."""
    operations = {
        operation["operationId"]: operation
        for item in result["paths"].values()
        for operation in item.values()
    }
    for (source, status), links in LINKS.items():
        operations[source]["responses"][status]["links"] = {
            operations[link.to]["operationId"]: _described(link) for link in links
        }
    return result


def _described(link: Link) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": link.to}
    if link.parameters:
        described["parameters"] = dict(link.parameters)
    if link.body:
        described["requestBody"] = dict(link.body)
    return described
