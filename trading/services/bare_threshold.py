"""What the entry policy `spread_only` would have done with what was settled, for who chooses it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from arbsite.accounts.models import User
from exchanges.domain import InstrumentKind
from exchanges.selectors import instrument_key
from trading.core.history import LEAST_OBSERVATIONS
from trading.core.parameters import Parameters
from trading.core.sentence import percent
from trading.services.settled_past import PairPast, settled_pairs, settled_past
from trading.services.standing import Standing, standing_of
from trading.strategies.hindsight import ToleranceOutcome, bare_threshold_outcome


def bare_threshold_sentence(user: User, parameters: Parameters, now: datetime) -> str:
    """Return what it would have opened on the pairs of the whitelist, and earned or lost."""
    standing = standing_of(user, now)
    pairs = [pair for base in sorted(parameters.bases) for pair in _pairs(base, now)]
    if not pairs:
        return (
            "Too little was settled here to say what the bare threshold would have done; on the "
            "history that `manage.py backtest` replays it lost money."
        )
    outcomes = [_outcome(pair, parameters, standing) for pair in pairs]
    opened = sum(outcome.round_trips for outcome in outcomes)
    funding, cost = (
        _sum(outcome.funding for outcome in outcomes),
        _sum(outcome.cost for outcome in outcomes),
    )
    net = funding - cost
    counted = f"{len(pairs)} {'pair' if len(pairs) == 1 else 'pairs'} of venues"
    result = "lost" if net < 0 else "earned"
    since = min(pair.spreads[0].settled_at for pair in pairs)
    return (
        f"On what was settled since {since:%Y-%m-%d} the bare threshold would have opened {opened} "
        f"positions on {counted} and {result} {percent(abs(net), 2)} of one leg: "
        f"{percent(funding, 2)} of funding less {percent(cost, 2)} of taker fees."
    )


def _pairs(base: str, now: datetime) -> list[PairPast]:
    found = settled_pairs(settled_past(base, now))
    return [pair for pair in found if len(pair.spreads) >= LEAST_OBSERVATIONS]


def _outcome(pair: PairPast, parameters: Parameters, standing: Standing) -> ToleranceOutcome:
    legs = (pair.low.instrument, pair.high.instrument)
    fees = _sum(standing.taker_fee(instrument_key(one), InstrumentKind.PERPETUAL) for one in legs)
    return bare_threshold_outcome(
        pair.spreads, opening_cost=fees, exit_cost=fees, parameters=parameters
    )


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))
