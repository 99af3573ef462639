"""The map of faults names every row of the catalogue, and only what exists."""

from __future__ import annotations

import ast
import tomllib
from functools import cache
from typing import Any

import pytest

from tests.mutants.mutant import ROOT
from tests.simulation.disturbances import KINDS

pytestmark = pytest.mark.core

ROWS = 138
LEAST_COVERED = 137
# The order path, recovery, users and tenants: no gap here.
MUST_BE_COVERED = {*range(1, 10), *range(20, 26), *range(68, 85), *range(99, 119)}
FAULTS: dict[str, Any] = tomllib.loads((ROOT / "tests" / "faults.toml").read_text())
FIELDS = {"name", "tests", "simulation", "lacks", "gap"}


@cache
def functions_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@cache
def actions() -> frozenset[str]:
    """Return what the simulation's scheduler may let happen, without importing Carry for it."""
    tree = ast.parse((ROOT / "tests" / "simulation" / "actions.py").read_text())
    [table] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "ACTIONS"
    ]
    assert isinstance(table, ast.Dict)
    return frozenset(ast.literal_eval(key) for key in table.keys if key is not None)


def test_every_row_of_the_catalogue_is_named_once() -> None:
    assert [int(number) for number in FAULTS] == list(range(1, ROWS + 1))


@pytest.mark.parametrize("number", FAULTS)
def test_a_fault_has_tests_or_a_reason_for_having_none(number: str) -> None:
    fault = FAULTS[number]

    assert set(fault) <= FIELDS
    assert bool(fault.get("tests")) != bool(fault.get("gap")), fault["name"]
    assert not (set(fault) & {"simulation", "lacks"} and "gap" in fault), fault["name"]


@pytest.mark.parametrize("number", FAULTS)
def test_what_a_fault_names_exists(number: str) -> None:
    for test in FAULTS[number].get("tests", ()):
        path, _, name = test.partition("::")
        assert name in functions_of(path), test
    assert set(FAULTS[number].get("simulation", ())) <= actions() | set(KINDS)


def test_as_many_faults_are_injected_as_were_before() -> None:
    covered = [number for number, fault in FAULTS.items() if fault.get("tests")]
    assert len(covered) >= LEAST_COVERED, f"{len(covered)} of {ROWS}"
    assert {int(number) for number in covered} >= MUST_BE_COVERED
