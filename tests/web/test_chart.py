"""The chart of settled rates: a line for each venue, told apart by name, colour and dash."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges.models import SettledFundingRate
from tests.market import NOW
from tests.web.rows import make_exchange, make_instrument
from trading.selectors.chart import funding_chart

pytestmark = pytest.mark.django_db

SETTLED_EVERY = timedelta(hours=8)
LISTED = (("okx", "OKX"), ("bybit", "BYB"), ("hyperliquid", "HYP"), ("binanceusdm", "BIN"))


def test_each_of_four_venues_has_a_line_of_its_own(owner: User) -> None:
    for number, (code, short_code) in enumerate(LISTED, start=1):
        instrument = make_instrument(make_exchange(code, short_code, code), "BTC", NOW)
        SettledFundingRate.objects.bulk_create(
            SettledFundingRate(
                instrument=instrument,
                settled_at=NOW - SETTLED_EVERY * ago,
                funding_rate=Decimal("0.0001") * number,
            )
            for ago in (2, 1, 0)
        )

    lines = funding_chart(owner, "BTC", NOW).lines

    # 0.0001 in eight hours are 10.95 % a year.
    assert [(line.venue, line.tone, line.last) for line in lines] == [
        ("BIN", "a", Decimal("0.4380")),
        ("BYB", "b", Decimal("0.2190")),
        ("HYP", "c", Decimal("0.3285")),
        ("OKX", "d", Decimal("0.1095")),
    ]
    assert len({line.label_y for line in lines}) == len(lines)
