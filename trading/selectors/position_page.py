"""The records behind one position: orders, fills, funding, interest, unvalued fees, journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.models import (
    BorrowInterest,
    ExpectedFunding,
    FundingEvent,
    Order,
    Position,
    StateChange,
    Trade,
)
from trading.services.pnl import unvalued_fees

JOURNAL_SHOWN = 200
INTEREST_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingLine:
    """One settlement of one leg: what was expected and what the venue booked, USD."""

    at: datetime
    venue: str
    funding_rate: Decimal | None
    expected: Decimal | None
    received: Decimal | None
    status: str

    @property
    def difference(self) -> Decimal | None:
        if self.expected is None or self.received is None:
            return None
        return self.received - self.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRecords:
    """Everything written about a position.

    Funding and interest newest first, the rest as it happened. `unvalued_fees` are by asset, those
    that no P&L counts.
    """

    orders: Sequence[Order]
    trades: Sequence[Trade]
    funding: Sequence[FundingLine]
    interest: Sequence[BorrowInterest]
    unvalued_fees: Mapping[str, Decimal]
    journal: Sequence[StateChange]


def position_records(position: Position) -> PositionRecords:
    """Return the records of a position that the caller may see."""
    charged = position.interest.select_related("leg__instrument__exchange")
    changes = position.changes.select_related("order").order_by("-id")[:JOURNAL_SHOWN]
    return PositionRecords(
        orders=list(position.orders.select_related("leg__instrument__exchange")),
        trades=list(position.trades.select_related("leg__instrument__exchange")),
        funding=_funding_lines(position),
        interest=list(charged.order_by("-charged_at")[:INTEREST_SHOWN]),
        unvalued_fees=unvalued_fees(position),
        journal=list(reversed(changes)),
    )


def _funding_lines(position: Position) -> list[FundingLine]:
    expectations = ExpectedFunding.objects.filter(leg__position=position).select_related(
        "leg__instrument__exchange", "event"
    )
    lines = [_expected_line(expected) for expected in expectations]
    unmatched = FundingEvent.objects.filter(position=position, expected=None).select_related(
        "leg__instrument__exchange"
    )
    lines += [_unexpected_line(event) for event in unmatched]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _expected_line(expected: ExpectedFunding) -> FundingLine:
    event = expected.event
    return FundingLine(
        at=expected.settles_at,
        venue=expected.leg.instrument.exchange.short_code,
        funding_rate=expected.funding_rate,
        expected=expected.payment,
        received=event.payment_usd if event is not None else None,
        status=expected.status,
    )


def _unexpected_line(event: FundingEvent) -> FundingLine:
    return FundingLine(
        at=event.paid_at,
        venue=event.leg.instrument.exchange.short_code,
        funding_rate=event.funding_rate,
        expected=None,
        received=event.payment_usd,
        status="received",
    )
