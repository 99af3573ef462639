"""Own orders and fills of one paper account as they happen, whichever process filled them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from exchanges.domain import AccountFact
from exchanges.errors import VenueError
from exchanges.paper.facts import Facts
from exchanges.paper.ledger import Ledger
from exchanges.paper.reports import fill_of, report_of
from exchanges.paper.rows import PaperFill, PaperOrder
from exchanges.paper.terms import Terms
from exchanges.paper.venue import PaperVenue

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0
ASK_AGAIN_AFTER = 5.0


@dataclass(slots=True)
class _Told:
    """What has been told: fills up to an id, and each order as of its last change."""

    fill: int = 0
    orders: dict[int, datetime] = field(default_factory=dict)


class PaperStream:
    """`exchanges.ports.AccountStream`: looks at the market for working orders once a second."""

    def __init__(self, venue: PaperVenue) -> None:
        self._venue = venue

    async def run(
        self, on_fact: Callable[[AccountFact], None], on_open: Callable[[], None]
    ) -> None:
        while True:
            try:
                await self._follow(on_fact, on_open)
            except VenueError as error:
                logger.warning("paper account not followed", extra={"reason": str(error)})
            await asyncio.sleep(ASK_AGAIN_AFTER)

    async def close(self) -> None:
        await self._venue.close()

    async def _follow(
        self, on_fact: Callable[[AccountFact], None], on_open: Callable[[], None]
    ) -> None:
        told = _Told()
        await self._news(await self._venue.advance(), told)
        on_open()
        while True:
            for fact in await self._news(await self._venue.advance(), told):
                on_fact(fact)
            await asyncio.sleep(LOOK_EVERY)

    async def _news(self, facts: Facts, told: _Told) -> list[AccountFact]:
        """Return what was not told yet, orders before their fills, and note it as told."""

        def look(ledger: Ledger, facts: Facts, terms: Terms) -> list[AccountFact]:
            fills = list(
                PaperFill.objects.filter(paper=ledger.paper, pk__gt=told.fill)
                .select_related("order")
                .order_by("pk")
            )
            wanted = {row.order_id for row in fills} | told.orders.keys()
            rows = {row.pk: row for row in PaperOrder.objects.filter(pk__in=wanted)}
            rows |= {row.pk: row for row in ledger.orders()}
            changed = [row for row in rows.values() if told.orders.get(row.pk) != row.updated_at]
            told.fill = max((row.pk for row in fills), default=told.fill)
            told.orders = {row.pk: row.updated_at for row in rows.values() if not row.is_final}
            return [
                *(report_of(row, facts.now) for row in changed),
                *(fill_of(row, self._venue.profile.name) for row in fills),
            ]

        return await self._venue.read(facts, look)
