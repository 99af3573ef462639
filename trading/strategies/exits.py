"""Exit rules that strategies share: money limits, a funding regime that turned, tolerance."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from trading.core.basis import eight_hours
from trading.core.funding import ewma_8h, expected_carry
from trading.core.parameters import Parameters, Tolerance
from trading.core.sentence import hours, percent, usd
from trading.strategies.base import ExitReason, ExitSignal, HeldPosition
from trading.strategies.funding_flip import flip_exit

MODERATE_TOLERANCE = Decimal("-0.0001")
REGIME_SETTLEMENTS = 3
HOURS_PER_8H = 8


def money_exit(held: HeldPosition, parameters: Parameters) -> ExitSignal | None:
    """Signal a stop loss or a take profit; the nearer of the USD and the percent limit counts."""
    loss = _nearest(parameters.stop_loss_usd, parameters.stop_loss, held.capital_usd)
    if loss is not None and held.net_pnl_usd <= -loss:
        return ExitSignal(
            reason=ExitReason.STOP_LOSS,
            sentence=f"Net P&L is {usd(held.net_pnl_usd)}, at the stop loss of {usd(-loss)}.",
        )
    profit = _nearest(parameters.take_profit_usd, parameters.take_profit, held.capital_usd)
    if profit is not None and held.net_pnl_usd >= profit:
        return ExitSignal(
            reason=ExitReason.TAKE_PROFIT,
            sentence=f"Net P&L is {usd(held.net_pnl_usd)}, at the take profit of {usd(profit)}.",
        )
    return None


def funding_exit(held: HeldPosition, parameters: Parameters, now: datetime) -> ExitSignal | None:
    """Signal what closes a position that was opened on funding."""
    return (
        flip_exit(held, parameters)
        or target_exit(held, parameters)
        or regime_exit(held, parameters, now)
        or tolerance_exit(held, parameters, now)
    )


def target_exit(held: HeldPosition, parameters: Parameters) -> ExitSignal | None:
    """Signal that the spread has come down to the target."""
    target, spread = parameters.target_spread, all_carry(held, held.spread_8h)
    if target is None or spread is None or spread > target:
        return None
    return ExitSignal(
        reason=ExitReason.TARGET_SPREAD,
        sentence=f"The 8 h spread is {percent(spread)}, at the target of {percent(target)}.",
    )


def all_carry(held: HeldPosition, spread: Decimal | None) -> Decimal | None:
    """Return a funding spread with what dated legs bring by themselves, less loans, per 8 h."""
    return None if spread is None else spread + _steady_8h(held)


def _steady_8h(held: HeldPosition) -> Decimal:
    return held.ageing_8h - HOURS_PER_8H * held.borrow_per_hour


def regime_exit(held: HeldPosition, parameters: Parameters, now: datetime) -> ExitSignal | None:
    """Signal that the average carry was negative at three settlements in a row, and costs more.

    The average at a settlement counts it and what came before; `cost_aware` must agree.
    """
    if not parameters.funding_regime_exit or len(held.settled) < REGIME_SETTLEMENTS:
        return None
    averages = [_average_at(held, back, parameters) for back in range(REGIME_SETTLEMENTS)]
    if any(average is None or average >= 0 for average in averages):
        return None
    staying = _cost_of_staying(held, parameters, now)
    if staying is None:
        return None
    return ExitSignal(
        reason=ExitReason.FUNDING_REGIME,
        sentence=(
            f"The average 8 h spread is negative at {REGIME_SETTLEMENTS} settlements in a row, "
            f"{percent(averages[0] or Decimal(0))} at the last. {staying.sentence}"
        ),
    )


def _average_at(held: HeldPosition, back: int, parameters: Parameters) -> Decimal | None:
    """Return the average as it was `back` settlements ago."""
    known = held.settled[: len(held.settled) - back]
    return ewma_8h(known, now=known[-1].settled_at, half_life=parameters.carry_half_life)


def tolerance_exit(held: HeldPosition, parameters: Parameters, now: datetime) -> ExitSignal | None:
    """Signal that a spread against us has been borne long enough, by the position's own mode."""
    match parameters.negative_spread_tolerance:
        case Tolerance.CONSERVATIVE:
            spread = all_carry(held, held.spread_8h)
            return _below(spread, Decimal(0), "the last 8 hours")
        case Tolerance.MODERATE:
            return _after_min_hold(held, parameters, now, MODERATE_TOLERANCE)
        case Tolerance.AGGRESSIVE:
            return _after_min_hold(held, parameters, now, parameters.aggressive_tolerance)
        case Tolerance.COST_AWARE | Tolerance.BY_STRATEGY:
            return _cost_of_staying(held, parameters, now)


def _after_min_hold(
    held: HeldPosition, parameters: Parameters, now: datetime, least: Decimal
) -> ExitSignal | None:
    if now - held.opened_at < parameters.min_hold:
        return None
    return _below(all_carry(held, held.spread_24h), least, "the last 24 hours")


def _below(spread: Decimal | None, least: Decimal, period: str) -> ExitSignal | None:
    if spread is None or spread >= least:
        return None
    return ExitSignal(
        reason=ExitReason.NEGATIVE_SPREAD,
        sentence=(
            f"The 8 h spread over {period} is {percent(spread)}, below the tolerance of "
            f"{percent(least)}."
        ),
    )


def _cost_of_staying(
    held: HeldPosition, parameters: Parameters, now: datetime
) -> ExitSignal | None:
    horizon = parameters.hold_horizon
    if held.expires_at is not None:
        horizon = min(horizon, max(held.expires_at - now, timedelta(0)))
    model = parameters.carry_model_over(parameters.hold_horizon, held.betas)
    funding = expected_carry(held.legs, now=now, horizon=horizon, model=model)
    if funding is None:
        return None
    carry = funding + eight_hours(horizon) * _steady_8h(held)
    if carry < -held.exit_cost:
        return ExitSignal(
            reason=ExitReason.COST_OF_STAYING,
            sentence=(
                f"Staying {hours(horizon)} is expected to bring {percent(carry)}, worse than the "
                f"{percent(held.exit_cost)} that leaving costs."
            ),
        )
    if now - held.opened_at > parameters.hold_horizon and carry < 0:
        return ExitSignal(
            reason=ExitReason.COST_OF_STAYING,
            sentence=(
                f"The hold time is over and {hours(horizon)} more would bring {percent(carry)}."
            ),
        )
    return None


def _nearest(usd: Decimal | None, part: Decimal | None, capital_usd: Decimal) -> Decimal | None:
    limits = [usd, None if part is None else part * capital_usd]
    return min((limit for limit in limits if limit is not None), default=None)
