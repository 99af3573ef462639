"""What borrowing spot assets costs: read each minute, kept by the hour for its day's highest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from exchanges import domain, loop, registry, selectors
from exchanges.assumed_loans import lends
from exchanges.models import Exchange, HourlyBorrowRate
from exchanges.modes import Mode
from exchanges.services import POLL_SECONDS, good_answers


def poll_borrow_rates(now: datetime) -> int:
    """Read and store what borrowing costs now; return how many assets are lent."""
    answers = loop.call_all([_read(exchange) for exchange in lenders()], POLL_SECONDS)
    return sum(
        store_borrow_rates(exchange, rates, now) for exchange, rates in good_answers(answers)
    )


def lenders() -> list[Exchange]:
    """Return the venues in use whose rates count: where coins may be borrowed in their mode."""
    listing = selectors.exchanges_with_spot()
    return [exchange for exchange in listing if lends(exchange.code, Mode(exchange.mode))]


async def _read(exchange: Exchange) -> tuple[Exchange, Sequence[domain.BorrowRate]]:
    data = registry.market_data(exchange.code, Mode(exchange.mode))
    return exchange, await data.borrow_rates()


def store_borrow_rates(
    exchange: Exchange, rates: Iterable[domain.BorrowRate], now: datetime
) -> int:
    """Write the rates of one venue into their hour; return how many."""
    hour_at = now.replace(minute=0, second=0, microsecond=0)
    known = {
        row.asset: row.highest_hourly_rate
        for row in HourlyBorrowRate.objects.filter(exchange=exchange, hour_at=hour_at)
    }
    rows = [
        HourlyBorrowRate(
            exchange=exchange,
            asset=rate.asset,
            hour_at=hour_at,
            hourly_rate=rate.hourly_rate,
            highest_hourly_rate=max(rate.hourly_rate, known.get(rate.asset, rate.hourly_rate)),
            most=rate.most,
            observed_at=rate.observed_at,
        )
        for rate in rates
    ]
    HourlyBorrowRate.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["exchange", "asset", "hour_at"],
        update_fields=["hourly_rate", "highest_hourly_rate", "most", "observed_at"],
    )
    return len(rows)
