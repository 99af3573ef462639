"""What detection found for a user: the best pair of each base, and why pairs were passed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404

from arbsite.accounts.models import User
from exchanges.domain import Side
from exchanges.models import Instrument
from trading.core.capacity import CapacityPoint
from trading.core.funding import CarryEstimator
from trading.core.money import plain
from trading.models import Opportunity
from trading.models.opportunity import OpportunityQuerySet
from trading.selectors.rates import Cell, Cells
from trading.services.entry_legs import EntryLeg
from trading.templatetags import carry_format as carry

CURRENT_FOR = timedelta(minutes=2)
NOTHING = Cell("—", "vx", "no pair found by the last scans")
FIGURES = (
    *("gap", "expected_funding", "gap_credit", "fees", "slippage", "borrow", "transfer"),
    *("carry_cost", "gross_apr", "profit_usd", "best_size_usd", "best_profit_usd"),
    *("half_life_hours", "gap_half_life_hours", "stability", "persistence"),
    *("break_even_probability", "hold_hours"),
    *("warning_probability", "risk", "implied_carry_8h", "fair_carry_8h"),
)
BASIS = ("settled_8h", "predicted_8h", "premium_8h", "beta", "half_life_hours")
ESTIMATES = {
    CarryEstimator.EWMA: "average of settled rates",
    CarryEstimator.PREDICTED: "predicted rate, as it stands",
    CarryEstimator.PREMIUM_INDEX: "present premium, by the venue's formula",
}
UNKNOWN_PROFIT = Decimal("-Infinity")
LEG_COLUMNS = ("symbol", "kind", "exchange__short_code")
PAIR_FIELDS = ("long", "short", "spread", "net", "even", "cap")


@dataclass(frozen=True, slots=True)
class LegWords:
    """One leg as people read it: `L` or `S`, the venue's short code, what kind, which part."""

    side: str
    venue: str
    what: str
    ratio: str


def leg_words(leg: EntryLeg) -> LegWords:
    instrument = leg.instrument
    kind = {"perpetual": "perp", "future": instrument.symbol.rpartition("-")[2]}
    return LegWords(
        side="L" if leg.side is Side.BUY else "S",
        venue=instrument.exchange.short_code,
        what=kind.get(instrument.kind, instrument.kind),
        ratio="" if leg.ratio == 1 else plain(leg.ratio),
    )


def get_opportunity_for_user(user: User, wanted: str) -> Opportunity:
    """Return one opportunity of the user. Raise Http404 otherwise."""
    try:
        return get_object_or_404(Opportunity.objects.for_user(user), pk=UUID(wanted))
    except ValueError:
        raise Http404("There is no such opportunity.") from None


def best_pairs(user: User, now: datetime) -> dict[str, Opportunity]:
    """Return what the last scan thought of each base; bases without figures are left out."""
    newest: dict[str, Opportunity] = {}
    for found in opportunities_of(user).filter(seen_at__gte=now - CURRENT_FOR).order_by("seen_at"):
        newest[found.base] = found
    return {base: found for base, found in newest.items() if found.net_apr is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastLine:
    """What expected funding rests on; rates per 8 h, `figures` None where unknown.

    `settlements` and `fitted_ago` None where beta is the configured one.
    """

    estimate: str
    figures: dict[str, Decimal | None]
    settlements: int | None
    fitted_ago: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityLine:
    """One row of the page: what was found, all its legs, and its figures beyond the columns."""

    found: Opportunity
    legs: list[LegWords]
    figures: dict[str, Decimal | None]
    curve: list[CapacityPoint]
    forecast: ForecastLine | None

    @property
    def risk_measure(self) -> str:
        return str(self.found.details.get("risk_measure", ""))

    @property
    def fees_assumed(self) -> str:
        """Return the venues whose fee for the account is not known."""
        return ", ".join(self.found.details.get("fees_assumed", []))

    @property
    def loans_assumed(self) -> str:
        """Say at what rates coins are borrowed that the account's owner assumed."""
        return "; ".join(self.found.details.get("loans_assumed", []))

    @property
    def interest_untold(self) -> str:
        """Return the venues whose open interest is not known and bounds nothing."""
        return ", ".join(self.found.details.get("interest_untold", []))

    @property
    def tiers_untold(self) -> str:
        """Return the venues whose risk tiers are not known: only the lowest one is counted with."""
        return ", ".join(self.found.details.get("tiers_untold", []))


def recent_opportunities(
    user: User, now: datetime, *, limit: int, strategy: str = ""
) -> list[OpportunityLine]:
    """Return what was found, taken or passed over: first what the last scans saw, by profit.

    Then what was seen earlier, newest first.
    """
    rows = opportunities_of(user)
    if strategy:
        rows = rows.filter(strategy=strategy)
    fresh = rows.filter(seen_at__gte=now - CURRENT_FOR)
    best = sorted(fresh.values_list("net_return", "size_usd", "seen_at", "pk"), key=_by_profit)
    chosen = fresh.in_bulk([pk for *_, pk in best[-limit:]])
    found = [chosen[pk] for *_, pk in reversed(best[-limit:])]
    found += rows.filter(seen_at__lt=now - CURRENT_FOR)[: limit - len(found)]
    return opportunity_lines(found, now)


def opportunity_lines(found: Sequence[Opportunity], now: datetime) -> list[OpportunityLine]:
    """Return rows with all their legs, each instrument read once."""
    wanted = {UUID(leg["instrument"]) for row in found for leg in row.legs}
    for row in found:
        wanted |= {row.long_instrument_id, row.short_instrument_id}
    shown = Instrument.objects.select_related("exchange").only(*LEG_COLUMNS)
    listed = shown.in_bulk(wanted)
    return [_line(row, listed, now) for row in found]


def _by_profit(row: tuple[Decimal | None, Decimal, datetime, UUID]) -> tuple[Decimal, datetime]:
    """Return what rows are ordered by: exact decimals are compared here, not in SQL."""
    net_return, size_usd, seen_at, _ = row
    return UNKNOWN_PROFIT if net_return is None else net_return * size_usd, seen_at


def _line(row: Opportunity, listed: Mapping[UUID, Instrument], now: datetime) -> OpportunityLine:
    legs = [
        EntryLeg(instrument, Side(leg["side"]), Decimal(leg["ratio"]))
        for leg in row.legs
        if (instrument := listed.get(UUID(leg["instrument"]))) is not None
    ] or [
        EntryLeg(listed[row.long_instrument_id], Side.BUY),
        EntryLeg(listed[row.short_instrument_id], Side.SELL),
    ]
    return OpportunityLine(
        found=row,
        legs=[leg_words(leg) for leg in legs],
        figures=_numbers(row.details, FIGURES),
        curve=[
            CapacityPoint(
                size_usd=Decimal(size), net_return=Decimal(net), profit_usd=Decimal(profit)
            )
            for size, net, profit in row.details.get("curve", [])
        ],
        forecast=_forecast(row.details.get("forecast"), now),
    )


def _forecast(basis: Mapping[str, Any] | None, now: datetime) -> ForecastLine | None:
    if basis is None:
        return None
    fitted_at = basis["fitted_at"]
    return ForecastLine(
        estimate=ESTIMATES[CarryEstimator(basis["estimator"])],
        figures=_numbers(basis, BASIS),
        settlements=basis["settlements"],
        fitted_ago=None if fitted_at is None else now - datetime.fromisoformat(fitted_at),
    )


def _numbers(details: Mapping[str, Any], names: Iterable[str]) -> dict[str, Decimal | None]:
    """Return figures by name, None where they are not known."""
    return {
        name: None if (value := details.get(name)) is None else Decimal(value) for name in names
    }


def pair_cells(bases: Iterable[str], pairs: dict[str, Opportunity]) -> Cells:
    """Return the columns right of the rates, and the tags in them that mark the two legs."""
    cells: Cells = {}
    for base in bases:
        found = pairs.get(base)
        if found is None:
            cells.update({f"p.{base}.{name}": NOTHING for name in PAIR_FIELDS})
            continue
        long, short = found.long_instrument.exchange, found.short_instrument.exchange
        title = found.reason or f"seen {carry.clock(found.seen_at)} UTC"
        cells |= {
            f"t.{base}.{long.code}": Cell("L"),
            f"t.{base}.{short.code}": Cell("S"),
            f"p.{base}.long": Cell(long.short_code),
            f"p.{base}.short": Cell(short.short_code),
            f"p.{base}.spread": Cell(carry.spread(carry.yearly(found.spread_8h))),
            f"p.{base}.net": Cell(carry.rate(found.net_apr), carry.tone(found.net_apr), title),
            f"p.{base}.even": Cell(carry.horizon(found.break_even_hours)),
            f"p.{base}.cap": Cell(carry.compact(found.capacity_usd)),
        }
    return cells


def opportunities_of(user: User) -> OpportunityQuerySet:
    """Return the user's opportunities with the venues of their first two legs."""
    return Opportunity.objects.for_user(user).select_related(
        "long_instrument__exchange", "short_instrument__exchange", "position"
    )
