"""The planted bugs: each is a mistake that a trading program of this kind has made somewhere."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

SUBMIT = "tests/services/test_submit.py"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        name="an_unknown_outcome_counts_as_rejected",
        path="trading/services/submit.py",
        before=(
            "        case OrderOutcomeUnknown():\n            _unknown(order, str(answer), now)\n"
        ),
        after=(
            "        case OrderOutcomeUnknown():\n"
            "            apply_to_order(\n"
            "                order, OrderEvent.REJECTED, cause='no answer', now=now,\n"
            "                is_final_at_venue=True,\n"
            "            )\n"
        ),
        tests=(SUBMIT,),
    ),
)
