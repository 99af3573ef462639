"""Exit rules of positions opened on a price gap, at prices that could be had now."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.core.gap_thresholds import closing_gap
from trading.core.parameters import Parameters
from trading.core.sentence import percent
from trading.strategies.base import ZERO, ExitReason, ExitSignal, HeldPosition, OpenReason
from trading.strategies.exits import all_carry, funding_exit, money_exit, regime_exit


def carry_exit(
    held: HeldPosition, gap: Decimal | None, parameters: Parameters, now: datetime
) -> ExitSignal | None:
    """Signal what closes a carry, by the reason for which it was opened.

    `gap` is the present one, > 0 in our favour at entry; opened on funding it closes nothing.
    """
    money = money_exit(held, parameters)
    if money is not None or held.open_reason is OpenReason.FUNDING:
        return money or funding_exit(held, parameters, now)
    return closed_exit(held, gap, parameters) or regime_exit(held, parameters, now)


def closed_exit(
    held: HeldPosition, gap: Decimal | None, parameters: Parameters
) -> ExitSignal | None:
    """Signal that the gap is down to what closes, by the funding regime where that is on."""
    least = closing_gap(all_carry(held, held.spread_8h), parameters)
    return None if least is None else _closed(gap, least)


def captured_exit(held: HeldPosition, parameters: Parameters) -> ExitSignal | None:
    """Signal that the gap went beyond zero, or that enough of the gap at entry was earned."""
    if held.entry_prices is None or held.exit_prices is None:
        return None
    entered, gap = held.entry_prices.gap, held.exit_prices.gap
    if gap < 0:
        return _closed(gap, ZERO)
    if gap > entered * (1 - parameters.gap_capture):
        return None
    return ExitSignal(
        reason=ExitReason.GAP_CAPTURED,
        sentence=(
            f"The price gap is {percent(gap)} after {percent(entered)} at entry: "
            f"{percent(parameters.gap_capture, 0)} of it is earned."
        ),
    )


def fair_exit(held: HeldPosition) -> ExitSignal | None:
    """Signal that the gap is no more than what the time to expiry is worth."""
    if held.exit_prices is None or held.fair_gap is None:
        return None
    return _closed(held.exit_prices.gap, held.fair_gap)


def _closed(gap: Decimal | None, least: Decimal) -> ExitSignal | None:
    if gap is None or gap > least:
        return None
    return ExitSignal(
        reason=ExitReason.GAP_CLOSED,
        sentence=f"The price gap is {percent(gap)}, at or below the {percent(least)} that closes.",
    )
