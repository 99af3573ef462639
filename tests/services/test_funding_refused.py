"""A venue that tells the payments of most contracts and refuses those of one."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.services.pair_desk import PairDesk
from tests.services.pair_stories import planned, standing
from trading.core.states import PositionState
from trading.models import Event, FundingEvent

pytestmark = [pytest.mark.protocol, pytest.mark.django_db]

PAIR = ("gate", "kucoin")
HISTORY = "/funding-history"


@pytest.fixture
def desk(tmp_path: Path, db: None) -> Generator[PairDesk]:
    yield from standing(tmp_path / "venues")


def paid_at_kucoin() -> dict[str, int]:
    rows = FundingEvent.objects.filter(account__exchange__code="kucoin")
    bases = list(rows.values_list("position__base", flat=True))
    return {base: bases.count(base) for base in bases}


def test_a_contract_whose_history_is_refused_is_told_and_all_others_are_read(
    desk: PairDesk,
) -> None:
    desk.bases = ["BTC", "ETH"]
    desk.open_accounts(*PAIR)
    for base, quantity in (("BTC", "0.1"), ("ETH", "1")):
        position = planned(desk, PAIR, quantity, base=base)
        desk.drive_until(position, PositionState.OPEN)
    refused = {"venue": "kucoin", "path": HISTORY, "contains": "ETHUSDTM", "count": None}
    desk.world.venues.faults.add({"action": "reject", "code": "100001", **refused})

    desk.pass_hours(1)
    desk.pass_time(minutes=4)

    assert paid_at_kucoin() == {"BTC": 1}
    [told] = Event.objects.filter(kind="funding.unread")
    assert told.sentence.startswith("kucoin does not tell what ETH/USDT:USDT was paid: ")

    desk.world.venues.faults.clear()
    desk.pass_time(minutes=4)

    assert paid_at_kucoin() == {"BTC": 1, "ETH": 1}
    assert not Event.objects.filter(kind="funding.missing").exists()
