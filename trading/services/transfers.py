"""Book what moved into accounts and out of them, from the venues' own ledgers."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from exchanges.models import ExchangeAccount
from trading.models import Transfer
from trading.services.halt import openable
from trading.services.venues import READ_SECONDS, Venues

logger = logging.getLogger(__name__)

# Venues list a transfer a little after it has changed the balance.
OVERLAP = timedelta(hours=1)


def book_transfers(accounts: Iterable[ExchangeAccount], *, venues: Venues, now: datetime) -> int:
    """Book each transfer once and return how many were new.

    Where a venue does not answer the equity bridge shows the money as unexplained until it does.
    """
    rows = openable(accounts, venues=venues, now=now)
    answers = venues.call_all(
        [venues.account(account).transfers(since=_since(account, now)) for account in rows],
        READ_SECONDS,
    )
    before = Transfer.objects.count()
    for account, answer in zip(rows, answers, strict=True):
        if isinstance(answer, BaseException):
            extra = {"account": str(account), "reason": str(answer) or "too slow"}
            logger.warning("transfers not read", extra=extra)
            continue
        Transfer.objects.bulk_create(
            [
                Transfer(
                    account=account,
                    venue_transfer_id=moved.venue_transfer_id,
                    amount=moved.amount,
                    asset=moved.asset,
                    moved_at=moved.moved_at,
                    booked_at=now,
                )
                for moved in answer
            ],
            ignore_conflicts=True,
        )
    return Transfer.objects.count() - before


def _since(account: ExchangeAccount, now: datetime) -> datetime:
    """Read on from the last transfer, or from the first reading of the account's equity."""
    last = account.transfers.order_by("-moved_at").first()
    if last is not None:
        return last.moved_at - OVERLAP
    first = account.equity.select_related("snapshot").order_by("snapshot__at").first()
    return (first.snapshot.at if first is not None else now) - OVERLAP
