"""Which venues answered on one visit to a position, so that a dead one is not asked twice."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from exchanges.domain import Symbol
from exchanges.models import Instrument
from trading.models import Leg
from trading.services.venues import READ_SECONDS, Venues

# What a venue trades is asked anew before an exit waits for it, and then now and then.
TRADED_ASKED_EVERY = timedelta(seconds=30)


class Contact:
    """What each account's venue did when it was last asked on this visit."""

    def __init__(self) -> None:
        self._answered: dict[UUID, bool] = {}
        self._untraded: set[UUID] = set()

    def note(self, account_id: UUID, *, answered: bool) -> None:
        self._answered[account_id] = answered

    def note_untraded(self, leg: Leg) -> None:
        """Keep that a leg's contract is not traded at its venue now, which answers all the same."""
        self._untraded.add(leg.pk)

    def is_away(self, account_id: UUID) -> bool:
        return self._answered.get(account_id) is False

    def can_close(self, leg: Leg) -> bool | None:
        """Tell whether a closing order of a leg may reach a market; None if nobody asked yet."""
        return False if leg.pk in self._untraded else self._answered.get(leg.account_id)

    def why_stuck(self, legs: Collection[Leg]) -> str:
        """Return why legs cannot be closed now, as a sentence has it; empty where all can."""
        silent = {leg.account.exchange.name: leg for leg in legs if self.is_away(leg.account_id)}
        words = [f"{' and '.join(silent)} does not answer"] if silent else []
        words += [
            f"{leg.instrument.symbol} is not traded at {leg.account.exchange.name} now"
            for leg in legs
            if leg.pk in self._untraded and not self.is_away(leg.account_id)
        ]
        return " and ".join(words)


def reach(legs: Collection[Leg], *, venues: Venues, contact: Contact, now: datetime) -> None:
    """Ask for the open orders of each leg whose venue was not asked yet, and whether it trades."""
    unasked = [leg for leg in legs if contact.can_close(leg) is None]
    answers = venues.call_all(
        [venues.trading(leg.account).open_orders(Symbol(leg.instrument.symbol)) for leg in unasked],
        READ_SECONDS,
    )
    for leg, answer in zip(unasked, answers, strict=True):
        contact.note(leg.account_id, answered=not isinstance(answer, BaseException))
        if not leg.instrument.is_active and not _trades_again(leg.instrument, venues, now):
            contact.note_untraded(leg)


def _trades_again(instrument: Instrument, venues: Venues, now: datetime) -> bool:
    """Tell whether what was not traded when the list was last read is traded now."""
    exchange = instrument.exchange
    if not exchange.instruments.filter(refreshed_at__gt=now - TRADED_ASKED_EVERY).exists():
        venues.is_relisted(exchange, now)
    return Instrument.objects.filter(pk=instrument.pk, is_active=True).exists()
