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
        # Of legs whose contract did not trade when its list was read last: whether it does now.
        self._trades: dict[UUID, bool] = {}

    def note(self, account_id: UUID, *, answered: bool) -> None:
        self._answered[account_id] = answered

    def note_trading(self, leg: Leg, *, trades: bool) -> None:
        """Keep whether a leg's contract is traded at its venue now, which may answer all the same.

        A venue that answered a look-up has said nothing of that.
        """
        self._trades[leg.pk] = trades

    def was_asked(self, account_id: UUID) -> bool:
        return account_id in self._answered

    def is_away(self, account_id: UUID) -> bool:
        return self._answered.get(account_id) is False

    def can_close(self, leg: Leg) -> bool | None:
        """Tell whether a closing order of a leg may reach a market; None if nobody asked yet."""
        answered = self._answered.get(leg.account_id)
        if not answered or leg.instrument.is_active:
            return answered
        return self._trades.get(leg.pk)

    def why_stuck(self, legs: Collection[Leg]) -> str:
        """Return why legs cannot be closed now, as a sentence has it; empty where all can."""
        silent = {leg.account.exchange.name: leg for leg in legs if self.is_away(leg.account_id)}
        words = [f"{' and '.join(silent)} does not answer"] if silent else []
        words += [
            f"{leg.instrument.symbol} is not traded at {leg.account.exchange.name} now"
            for leg in legs
            if self._trades.get(leg.pk) is False and not self.is_away(leg.account_id)
        ]
        return " and ".join(words)


def reach(legs: Collection[Leg], *, venues: Venues, contact: Contact, now: datetime) -> None:
    """Ask for the open orders of each leg whose venue was not asked yet, and whether it trades."""
    unasked = [leg for leg in legs if not contact.was_asked(leg.account_id)]
    answers = venues.call_all(
        [venues.trading(leg.account).open_orders(Symbol(leg.instrument.symbol)) for leg in unasked],
        READ_SECONDS,
    )
    for leg, answer in zip(unasked, answers, strict=True):
        contact.note(leg.account_id, answered=not isinstance(answer, BaseException))
    for leg in legs:
        if not leg.instrument.is_active and not contact.is_away(leg.account_id):
            contact.note_trading(leg, trades=_trades_again(leg.instrument, venues, now))


def _trades_again(instrument: Instrument, venues: Venues, now: datetime) -> bool:
    """Tell whether what was not traded when the list was last read is traded now."""
    exchange = instrument.exchange
    if not exchange.instruments.filter(refreshed_at__gt=now - TRADED_ASKED_EVERY).exists():
        venues.is_relisted(exchange, now)
    return Instrument.objects.filter(pk=instrument.pk, is_active=True).exists()
