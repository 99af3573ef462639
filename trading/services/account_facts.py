"""What an account's own stream says: applied at once, and the position is driven."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from exchanges.domain import AccountFact, Fill, OrderReport, VenuePosition
from exchanges.models import ExchangeAccount
from trading.models import Order
from trading.services.order_facts import absorb_report, book_fills
from trading.services.outside_fills import book_venue_fills, foreign_fills
from trading.services.reviews import ask_for_review


def record(account: ExchangeAccount, facts: Iterable[AccountFact], *, now: datetime) -> list[UUID]:
    """Apply own orders and fills and return the positions that should be driven.

    Facts may arrive twice, late or before the order's own answer; they are matched by our id.
    """
    positions: list[UUID] = []
    fills = []
    for fact in facts:
        match fact:
            case Fill():
                fills.append(fact)
            case OrderReport() if fact.client_order_id:
                order = _order(account, fact)
                if order is not None:
                    absorb_report(order, fact, now=now)
                    positions.append(order.position_id)
            case VenuePosition(is_hedge_mode=True):
                ask_for_review(account.pk, reason="hedge mode was seen", now=now)
            case _:
                continue  # positions and balances are read by reconciliation
    positions.extend(order.position_id for order in book_fills(account, fills, now=now))
    # The venue closes what our own fills have built up: theirs come after ours.
    positions.extend(position.pk for position in book_venue_fills(account, fills, now=now))
    if foreign_fills(account, fills):
        ask_for_review(account.pk, reason="a trade that is not ours was seen", now=now)
    return list(dict.fromkeys(positions))


def _order(account: ExchangeAccount, report: OrderReport) -> Order | None:
    return (
        Order.objects.select_related("position", "leg__instrument__exchange")
        .filter(client_order_id=report.client_order_id, leg__account=account)
        .first()
    )
