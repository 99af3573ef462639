"""What `../shared/data` says of rules, on a part that is quick: its README has the long figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from trading.core.history import probability_of_warning
from trading.research.comparison import Question, UnknownRules, compare
from trading.research.recorded import NothingRecorded, read_bars, read_perpetual
from trading.research.tape import TradingCost

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TAKER = TradingCost(fee=Decimal("0.0005"), slippage=Decimal("0.0001"))
ROUND_TRIP = 4 * (TAKER.fee + TAKER.slippage)

pytestmark = [
    pytest.mark.core,
    pytest.mark.skipif(
        not DATA.is_dir(), reason="the recorded data is not in ../shared beside the repository"
    ),
]


def yearly(
    strategy: str, *rules: str, since: datetime, until: datetime, is_priced: bool = True
) -> dict[str, Decimal]:
    question = Question(
        folder=DATA,
        strategy=strategy,
        venues=("binance", "bybit") if strategy == "funding_spread" else ("binance",),
        bases=("BTC",),
        size_usd=Decimal(10_000),
        cost=TAKER,
        rules=rules,
        since=since,
        until=until,
        is_priced=is_priced,
    )
    return {found.name: result.per_year for found, result in compare(question)}


def test_the_bare_threshold_loses_and_the_defaults_do_not() -> None:
    found = yearly(
        "funding_spread",
        "one_settlement",
        "exit_on_flip",
        "predicted",
        "defaults",
        since=datetime(2021, 1, 1, tzinfo=UTC),
        until=datetime(2021, 3, 1, tzinfo=UTC),
    )

    assert found["one_settlement"] < Decimal("-1")
    assert found["one_settlement"] < found["exit_on_flip"] < found["predicted"]
    assert found["predicted"] < 0 < found["defaults"]


def test_a_carry_that_is_held_earns_and_one_closed_on_its_basis_loses() -> None:
    found = yearly(
        "cash_and_carry",
        "any_funding_held",
        "closed_on_basis",
        since=datetime(2023, 11, 1, tzinfo=UTC),
        until=datetime(2024, 3, 1, tzinfo=UTC),
    )

    assert found["closed_on_basis"] < 0 < found["any_funding_held"]


def test_leaving_a_carry_on_each_flip_loses_what_holding_it_earns() -> None:
    found = yearly(
        "cash_and_carry",
        "any_funding_flip",
        "any_funding_held",
        since=datetime(2022, 5, 1, tzinfo=UTC),
        until=datetime(2022, 11, 1, tzinfo=UTC),
        is_priced=False,
    )

    assert found["any_funding_flip"] < Decimal("-0.1") < found["any_funding_held"]


def test_leaving_at_every_negative_settlement_costs_what_the_data_says() -> None:
    """The README says -12.2 and +7.1 % a year: any positive funding, 24 bp a round trip."""
    flipped: list[Decimal] = []
    held: list[Decimal] = []
    for base in ("BTC", "ETH"):
        leg = read_perpetual(DATA, "binance", base)
        rows = [row for row in leg.settled if row.settled_at >= datetime(2022, 1, 1, tzinfo=UTC)]
        years = Decimal((rows[-1].settled_at - rows[0].settled_at).days) / 365
        signs = [False, *(row.funding_rate > 0 for row in rows)]
        entries = sum(after and not before for before, after in pairwise(signs))
        positive = sum((max(row.funding_rate, Decimal(0)) for row in rows), Decimal(0))
        flipped.append((positive - entries * ROUND_TRIP) / years)
        received = sum((row.funding_rate for row in rows), Decimal(0))
        held.append((received - ROUND_TRIP) / years)

    assert abs(sum(flipped, Decimal(0)) / 2 - Decimal("-0.122")) < Decimal("0.005")
    assert abs(sum(held, Decimal(0)) / 2 - Decimal("0.071")) < Decimal("0.001")


def test_warnings_by_leverage_are_those_of_the_domain_page() -> None:
    bars = read_bars(DATA, "binance", "BTC/USDT", "1h")
    shares = {
        leverage: frequency.share
        for leverage in (5, 3, 2)
        if (frequency := probability_of_warning(bars, Decimal(leverage), timedelta(days=14)))
        is not None
    }

    # 70 %, 21 % and 5 % of the 14-day windows of 2020 to 2024
    assert {leverage: round(share, 2) for leverage, share in shares.items()} == {
        5: Decimal("0.70"),
        3: Decimal("0.21"),
        2: Decimal("0.05"),
    }


def test_what_is_not_recorded_is_named() -> None:
    with pytest.raises(NothingRecorded, match="no settled funding of BTC at nowhere"):
        list(
            compare(
                Question(
                    folder=DATA,
                    strategy="funding_spread",
                    venues=("nowhere",),
                    bases=("BTC",),
                    size_usd=Decimal(1),
                    cost=TAKER,
                )
            )
        )


def test_rules_that_do_not_exist_are_named() -> None:
    start = datetime(2021, 1, 1, tzinfo=UTC)
    with pytest.raises(UnknownRules, match="'hope' is not one of one_settlement"):
        yearly("funding_spread", "hope", since=start, until=start)
