"""A paper account at Deribit and one of the venue itself do the same: both are paid the same."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from exchanges.domain import Side
from exchanges.simulator.listings import DERIBIT
from tests.conformance.cards import SUBJECTS
from tests.conformance.paper_bench import PaperBench
from tests.simulator.nearby import call
from tests.simulator.world import START, World

pytestmark = [pytest.mark.protocol, pytest.mark.django_db(transaction=True)]

D = Decimal
[ON_PAPER] = [one for one in SUBJECTS if one.is_paper and one.venue == DERIBIT]
# Minutes that pass before it, and what is traded: opened, added to, reduced, turned round by one
# order, closed and opened within a minute, and held over 08:00.
TRADES = [
    *((7, "0.1"), (11.5, "0.25"), (0.001, "-0.05"), (95, "-0.7"), (0, "0.4"), (0.5, "-0.2")),
    *((19 * 60, "-0.1"), (133.7, "0.3")),
]


@pytest.mark.parametrize("skew", ["0", "1", "-0.6"])
def test_what_paper_is_paid_is_what_the_ledger_pays(tmp_path: Path, skew: str) -> None:
    world = World(tmp_path, interval_minutes=60, watched=True)
    bench = PaperBench.at(world, ON_PAPER)
    bench.pin(funding_skew=skew, level_quantity="5")
    for waited, traded in TRADES:
        world.wait(minutes=waited)
        side = Side.BUY if D(traded) > 0 else Side.SELL
        bench.submit(bench.order(traded.lstrip("-"), side))
        world.place(DERIBIT, side, traded.lstrip("-"))
    assert call(bench.account.positions()) == []
    world.wait(hours=1.1)

    contracts = {ON_PAPER.venue_symbol: ON_PAPER.symbol}
    paid = call(bench.account.funding_payments(contracts, since=START))

    theirs = sum((row.payment for row in world.simulator.ledger.funding), D(0))
    # A payment on paper has 8 digits, and a venue counts no parts of a millisecond.
    assert abs(theirs) > 1
    assert abs(sum(one.payment for one in paid) - theirs) < D("0.00001")
    assert len({one.venue_payment_id for one in paid}) == len(paid)
    again = call(bench.account.funding_payments(contracts, since=START))
    assert again == paid
    bench.close()
