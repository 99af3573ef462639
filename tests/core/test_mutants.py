"""Each planted bug still fits the code it is planted in, and has a name of its own."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.mutant import ROOT, Mutant
from tests.mutants.mutants import MUTANTS

pytestmark = pytest.mark.core


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_still_fits_and_still_is_a_program(mutant: Mutant) -> None:
    planted = mutant.planted(ROOT)
    if mutant.path.endswith(".py"):
        ast.parse(planted)
    assert planted != (ROOT / mutant.path).read_text()


def test_no_two_planted_bugs_share_a_name() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_shall_catch_it_exist(mutant: Mutant) -> None:
    assert mutant.tests
    missing = [test for test in mutant.tests if not (ROOT / test.partition("::")[0]).exists()]
    assert missing == []
