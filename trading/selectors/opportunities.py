"""What detection found for a user: the best pair of each base, and why pairs were passed over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from arbsite.accounts.models import User
from trading.models import Opportunity
from trading.models.opportunity import OpportunityQuerySet
from trading.selectors.rates import Cell, Cells
from trading.templatetags import carry_format as carry

CURRENT_FOR = timedelta(minutes=2)
NOTHING = Cell("—", "vx", "no pair found by the last scans")
PAIR_FIELDS = ("long", "short", "spread", "net", "even", "cap")


def best_pairs(user: User, now: datetime) -> dict[str, Opportunity]:
    """Return what the last scan thought of each base; bases without figures are left out."""
    newest: dict[str, Opportunity] = {}
    for found in _with_venues(user).filter(seen_at__gte=now - CURRENT_FOR).order_by("seen_at"):
        newest[found.base] = found
    return {base: found for base, found in newest.items() if found.net_apr is not None}


def recent_opportunities(user: User, *, limit: int) -> list[Opportunity]:
    """Return what was found last, taken or passed over, newest first."""
    return list(_with_venues(user)[:limit])


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


def _with_venues(user: User) -> OpportunityQuerySet:
    return Opportunity.objects.for_user(user).select_related(
        "long_instrument__exchange", "short_instrument__exchange", "position"
    )
