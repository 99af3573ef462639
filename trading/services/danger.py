"""How near a leg is to its liquidation, from what its venue said last or is asked now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from exchanges.board import Board
from exchanges.domain import InstrumentKind, Side, Symbol
from exchanges.matching import maintenance_margin
from exchanges.models import AccountBalance, AccountPosition
from exchanges.risk_tiers import tiers_at
from trading.core.care import LegRisk, affordable_top_up
from trading.core.elapsed import elapsed
from trading.core.liquidation import WARNING_MARGIN_RATIO, Danger, margin_danger, margin_ratio
from trading.core.money import for_display, plain
from trading.core.parameters import Parameters
from trading.models import Leg
from trading.services import margin, market
from trading.services.equity import read_accounts
from trading.services.venues import READ_SECONDS, Venues

MARK_LASTS = timedelta(seconds=10)
# What the venue said of a position serves this long; the minutely reading renews it.
POSITION_LASTS = timedelta(minutes=3)
READ_LASTS = timedelta(seconds=90)

Reported = dict[UUID, AccountPosition]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A leg's danger in words; only a fresh reading of the venue may lead to a remedy."""

    risk: LegRisk
    danger: Danger
    sentence: str
    is_fresh: bool


def reported(legs: Iterable[Leg]) -> Reported:
    """Return by leg what its venue said last that the account holds in its instrument."""
    wanted = {(leg.account_id, leg.instrument_id): leg.pk for leg in legs}
    rows = AccountPosition.objects.filter(
        account__in={account for account, _ in wanted},
        instrument__in={instrument for _, instrument in wanted},
    )
    found = ((wanted.get((row.account_id, row.instrument_id)), row) for row in rows)
    return {leg: row for leg, row in found if leg is not None}


def is_known(leg: Leg, row: AccountPosition | None, *, now: datetime) -> bool:
    """Tell whether the venue said lately what it holds of a leg; spot needs no saying."""
    if leg.instrument.kind == InstrumentKind.SPOT:
        return True
    return row is not None and elapsed(row.observed_at, now) < READ_LASTS


def judge(
    leg: Leg,
    row: AccountPosition | None,
    board: Board,
    *,
    venues: Venues,
    may_ask: bool,
    now: datetime,
) -> Judged | None:
    """Judge a leg by stored facts, and where these look bad by the venue's own, read now.

    None where the leg has no liquidation or nothing is known that is young enough.
    """
    if leg.instrument.kind == InstrumentKind.SPOT:
        return None
    stored = _risk(leg, row, board, now=now)
    if stored is None:
        return None
    looks_bad = stored.danger is Danger.CRITICAL or (
        stored.liquidation_price is None and stored.danger is not Danger.NONE
    )
    if looks_bad and may_ask:
        return _ask(leg, board, venues=venues, now=now)
    if stored.danger is Danger.NONE or stored.liquidation_price is None:
        # Only the ratio may warn where the venue names no price: see `_ask` for the rest.
        return _by_ratio(stored, leg, _ratio(leg), is_fresh=False)
    return Judged(risk=stored, danger=stored.danger, sentence=stored.sentence, is_fresh=False)


def top_up_of(leg: Leg, judged: Judged, parameters: Parameters, *, now: datetime) -> Decimal | None:
    """Return the margin to add to a leg, None where it cannot be or was refused."""
    if margin.was_refused(leg, now=now):
        return None
    settle = AccountBalance.objects.filter(account=leg.account, asset=leg.instrument.settle)
    return affordable_top_up(
        judged.risk,
        free=sum((row.free for row in settle), Decimal(0)),
        active_fraction=parameters.active_fraction,
        cap=parameters.margin_top_up_cap,
        added=margin.added(leg),
    )


def _ask(leg: Leg, board: Board, *, venues: Venues, now: datetime) -> Judged | None:
    """Read the account anew and judge by that; None when the venue does not answer."""
    if read_accounts([leg.account], venues=venues, now=now) != 1:
        return None
    symbol = Symbol(leg.instrument.symbol)
    (alone,) = venues.call_all([venues.account(leg.account).isolated_margin(symbol)], READ_SECONDS)
    if isinstance(alone, BaseException):
        return None
    row = reported([leg]).get(leg.pk)
    risk = _risk(leg, row, board, isolated_margin=alone, now=now)
    if risk is None:
        return None
    if risk.liquidation_price is None and alone is None:
        return _by_ratio(risk, leg, _ratio(leg), is_fresh=True)
    return Judged(risk=risk, danger=risk.danger, sentence=risk.sentence, is_fresh=True)


def _by_ratio(risk: LegRisk, leg: Leg, ratio: Decimal | None, *, is_fresh: bool) -> Judged:
    """Judge a leg of a cross account by what its account is worth per margin in use."""
    shown = "none" if ratio is None else for_display(ratio, 2)
    sentence = (
        f"the account at {leg.instrument.exchange.name} has a margin ratio of {shown}, below "
        f"{plain(WARNING_MARGIN_RATIO)}"
    )
    return Judged(risk=risk, danger=margin_danger(ratio), sentence=sentence, is_fresh=is_fresh)


def _risk(
    leg: Leg,
    row: AccountPosition | None,
    board: Board,
    *,
    now: datetime,
    isolated_margin: Decimal | None = None,
) -> LegRisk | None:
    if row is None or not row.base_quantity or elapsed(row.observed_at, now) > POSITION_LASTS:
        return None
    mark = _mark(leg, board, row, now)
    if mark is None or row.entry_price is None:
        return None
    instrument = leg.instrument.snapshot()
    return LegRisk(
        instrument=instrument,
        side=Side.BUY if row.base_quantity > 0 else Side.SELL,
        base_quantity=row.base_quantity,
        mark_price=mark,
        entry_price=row.entry_price,
        leverage=row.leverage or leg.leverage,
        liquidation_price=row.liquidation_price or None,
        tiers=tiers_at(mark, leg.instrument.ladder, instrument),
        isolated_margin=isolated_margin,
    )


def _mark(leg: Leg, board: Board, row: AccountPosition, now: datetime) -> Decimal | None:
    """Return the mark price of now: the board's, else the one of a position read just now."""
    shown = market.row_of(board, leg.instrument)
    quote = shown.quote if shown is not None else None
    if quote is not None and elapsed(quote.observed_at, now) <= MARK_LASTS:
        return quote.mark_price
    read: Decimal | None = row.mark_price
    return read if elapsed(row.observed_at, now) <= MARK_LASTS else None


def _ratio(leg: Leg) -> Decimal | None:
    """Return equity by the margin in use, or by what must stay if that is more; None if unread."""
    held = AccountBalance.objects.filter(account=leg.account, asset=leg.instrument.settle)
    if not held:
        return None
    equity = sum((row.equity for row in held), Decimal(0))
    free = sum((row.free for row in held), Decimal(0))
    return margin_ratio(equity, max(equity - free, _maintained(leg)))


def _maintained(leg: Leg) -> Decimal:
    """Return what must stay behind all that the leg's account holds in its asset, by the tiers.

    Usually it is far less than the margin in use; a tier that is lowered may turn that round.
    """
    rows = AccountPosition.objects.filter(
        account=leg.account, instrument__settle=leg.instrument.settle
    ).select_related("instrument__exchange", "instrument__risk_tiers")
    return sum(map(_maintenance, rows), Decimal(0))


def _maintenance(row: AccountPosition) -> Decimal:
    price = row.mark_price or row.entry_price or Decimal(0)
    tiers = tiers_at(price, row.instrument.ladder, row.instrument.snapshot())
    return maintenance_margin(abs(row.base_quantity) * price, tiers)
