"""What people assume that borrowing costs their paper accounts, where no venue tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from exchanges.domain import Instrument, InstrumentKind
from exchanges.models import ExchangeAccount
from exchanges.modes import Mode
from exchanges.paper.rows import PaperAccount
from exchanges.venues import PROFILES

HOURS_PER_YEAR = 8_760
# As fine as rates are kept.
RATE_STEP = Decimal("1e-12")
YEAR, HOUR = "year", "hour"


@dataclass(frozen=True, slots=True)
class AssumedLoans:
    """Hourly rates, fractions of what is borrowed: of coins by name, and of all others."""

    by_asset: tuple[tuple[str, Decimal], ...] = ()
    of_others: Decimal | None = None

    def hourly_rate(self, asset: str) -> Decimal | None:
        """Return what borrowing a coin is assumed to cost an hour, None where nothing is."""
        return dict(self.by_asset).get(asset, self.of_others)


def assumed_of(paper: PaperAccount) -> AssumedLoans:
    """Return what is assumed of one paper account."""
    return AssumedLoans(tuple(hourly_rates(paper.borrow_rates)), paper.borrow_rate)


def hourly_rates(rows: Iterable[Sequence[str]]) -> list[tuple[str, Decimal]]:
    """Return coins and hourly rates of rows of coin, rate and "year" or "hour".

    Worked: 8.76 % a year is 0.00001 an hour. Raise ArithmeticError, KeyError, TypeError or
    ValueError where a row is no such.
    """
    found = []
    for asset, rate, span in rows:
        hours = {YEAR: HOURS_PER_YEAR, HOUR: 1}[span]
        hourly = Decimal(rate) / hours
        if not hourly.is_finite():
            raise ValueError(f"{rate} is no rate")
        found.append((str(asset), hourly.quantize(RATE_STEP)))
    return found


def assumed_loans(accounts: Iterable[ExchangeAccount]) -> dict[str, AssumedLoans]:
    """Return by venue what is assumed of the paper accounts among these, where one may borrow."""
    lending = [
        account.pk
        for account in accounts
        if Mode(account.exchange.mode) is Mode.PAPER and lends(account.exchange.code, Mode.PAPER)
    ]
    papers = PaperAccount.objects.filter(pk__in=lending).select_related("account__exchange")
    found = {paper.account.exchange.code: assumed_of(paper) for paper in papers}
    return {code: loans for code, loans in found.items() if loans != AssumedLoans()}


def assumed_rate(loans: Mapping[str, AssumedLoans], instrument: Instrument) -> Decimal | None:
    """Return what selling spot on loan is assumed to cost an hour; None of a contract."""
    known = loans.get(instrument.venue)
    if known is None or instrument.kind is not InstrumentKind.SPOT:
        return None
    return known.hourly_rate(instrument.base)


def lends(venue: str, mode: Mode) -> bool:
    """Tell whether coins may be borrowed at a venue to sell them, where a rate is known."""
    known = PROFILES.get(venue)
    if known is None:
        return False
    spot = known.part(InstrumentKind.SPOT)
    return bool(spot.borrow_params) or (mode is Mode.PAPER and spot.lends_on_paper)
