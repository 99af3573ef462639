"""What each calculator answers, as figures of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from exchanges.domain import Side
from trading.core.calculators import (
    Arbitrage,
    LegInput,
    LegLiquidation,
    arbitrage,
    income_size,
    least_gap,
    liquidations,
    safe_leverage,
)
from trading.core.funding import threshold
from trading.core.history import Frequency
from trading.core.money import for_display, plain
from trading.core.parameters import Parameters
from trading.core.sentence import percent
from trading.templatetags import carry_format as carry

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HOURS_A_DAY = 24
PERCENT_PLACES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One answer; `tone` is a class of the page, `note` says what it means."""

    label: str
    text: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a calculator is asked. `odds`: recorded shares of margin warnings by leverage."""

    values: Mapping[str, Any]
    parameters: Parameters
    now: datetime
    odds: Sequence[tuple[Decimal, Frequency]] = ()


def figures(key: str, asked: Asked) -> list[Figure]:
    """Return the answers of one calculator to valid values."""
    return ANSWERS[key](asked)


def _arbitrage(asked: Asked) -> list[Figure]:
    v = asked.values
    found = arbitrage(
        [_leg(Side.BUY, "long", v), _leg(Side.SELL, "short", v)],
        size_usd=v["size"],
        hold=v["hold"],
        kept=v["kept"],
        exit_gap=v["exit_gap"],
        borrow_per_hour=v["borrow"] / HOURS_A_DAY,
        transfer_usd=v["transfer"],
        round_trips=v["round_trips"],
        now=asked.now,
    )
    return [*_market(found, asked.parameters), *_costs(found), *_outcome(found, v["hold"])]


def _market(found: Arbitrage, parameters: Parameters) -> list[Figure]:
    least = threshold(found.size_usd, parameters.min_spread_base, parameters.min_spread_per_10k)
    is_enough = found.spread_8h >= least
    counts = " + ".join(str(count) for count in found.settlements) or "0"
    return [
        Figure(
            label="Price gap",
            text=_percent(found.entry_gap),
            note=f"{carry.cash(found.gap_usd)} per base unit, short less long",
        ),
        Figure(
            label="Counted of the gap",
            text=_percent(found.gap_credit),
            note="half of a gain, all of a loss",
        ),
        Figure(
            label="Funding spread, 8 h",
            text=_percent(found.spread_8h),
            note=f"{carry.spread_percent(found.spread_apr)} APR gross; your least spread at this "
            f"size is {percent(least)}: {'enough' if is_enough else 'too little'}",
        ),
        Figure(
            label="Expected funding",
            text=_percent(found.expected_funding),
            note=f"{counts} settlements (long + short)",
        ),
    ]


def _costs(found: Arbitrage) -> list[Figure]:
    return [
        Figure(label="Fees, four orders", text=_percent(-found.fees)),
        Figure(label="Slippage, four orders", text=_percent(-found.slippage)),
        Figure(label="Borrowing", text=_percent(-found.borrow), note="whole hours begun"),
        Figure(label="Transfers", text=_percent(-found.transfer), note="per round trip"),
    ]


def _outcome(found: Arbitrage, hold: timedelta) -> list[Figure]:
    even = found.break_even
    tone = carry.tone(found.net_return)
    return [
        Figure(label="Net return", text=_percent(found.net_return), tone=tone),
        Figure(
            label="Net profit",
            text=carry.cash(found.net_usd),
            tone=tone,
            note=f"on {carry.usd(found.size_usd)} per leg",
        ),
        Figure(
            label=f"Net APR, {carry.hold(_hours(hold))} hold",
            text=carry.rate_percent(found.net_apr),
            tone=tone,
            note="simple, of one leg's notional",
        ),
        Figure(
            label="Break-even",
            text="never" if even is None else carry.horizon(_hours(even.hold)),
            note="" if even is None else f"at settlement {even.settlements}",
        ),
    ]


def _income(asked: Asked) -> list[Figure]:
    v = asked.values
    a_day = Decimal(DAY // timedelta(seconds=1)) / (v["interval"] // timedelta(seconds=1))
    found = income_size(
        income_per_day=v["income"],
        funding_rate=v["rate"],
        settlements_per_day=a_day,
        price=v["price"],
    )
    return [
        Figure(label="Size per leg", text=f"${carry.plain(found.size_usd, 0)}"),
        Figure(label="In base units", text=carry.plain(found.base_quantity, 2)),
        Figure(
            label="Gross APR",
            text=carry.rate_percent(found.apr),
            note=f"{carry.plain(a_day, 2)} settlements a day, before all costs",
        ),
    ]


def _minimum(asked: Asked) -> list[Figure]:
    v = asked.values
    found = least_gap(
        spot_fee=v["spot_fee"],
        perpetual_fee=v["perpetual_fee"],
        slippage=v["slippage"],
        transfer_usd=v["transfer"],
        size_usd=v["size"],
        profit=v["profit"],
    )
    return [
        Figure(
            label="All four orders",
            text=percent(found.all_four_legs, 2),
            note="opening and closing: what is really paid",
        ),
        Figure(
            label="Opening only",
            text=percent(found.opening_only, 2),
            note="as it is often given; it forgets that both legs must be closed",
        ),
    ]


def _leverage(asked: Asked) -> list[Figure]:
    found = safe_leverage(asked.values["volatility"], asked.values["cap"])
    answers = [
        Figure(label="Recommended", text=f"{plain(found.recommended)}x", note="within the cap"),
        Figure(label="Half of the most", text=f"{plain(found.half)}x", note="in whole steps"),
        Figure(label="Most that is safe", text=f"{for_display(found.most, 2)}x"),
    ]
    return answers + [
        Figure(
            label=f"Warned at {plain(leverage)}x",
            text=percent(odds.share, 1),
            note=f"of {odds.windows} recorded windows of "
            f"{carry.hold(_hours(asked.values['hold']))}, either leg",
        )
        for leverage, odds in asked.odds
    ]


def _liquidation(asked: Asked) -> list[Figure]:
    v = asked.values
    mark = v["mark"] or v["entry"]
    long, short = liquidations(
        entry_price=v["entry"],
        leverage=v["leverage"],
        maintenance=v["maintenance"],
        mark_price=mark,
    )
    return [*_ends("Long", long, mark), *_ends("Short", short, mark)]


def _ends(name: str, leg: LegLiquidation, mark: Decimal) -> list[Figure]:
    return [
        Figure(
            label=f"{name}: liquidated at",
            text=_price(leg.price),
            note=f"{percent(leg.distance, 2)} from the mark price",
        ),
        Figure(
            label=f"{name}: warns at",
            text=_price(leg.warning_at),
            note=f"a move of {_percent(leg.warning_at / mark - 1, 2)}",
        ),
        Figure(
            label=f"{name}: acts at",
            text=_price(leg.critical_at),
            note=f"a move of {_percent(leg.critical_at / mark - 1, 2)}",
        ),
    ]


ANSWERS: Mapping[str, Callable[[Asked], list[Figure]]] = {
    "arbitrage": _arbitrage,
    "income": _income,
    "minimum": _minimum,
    "leverage": _leverage,
    "liquidation": _liquidation,
}


def _leg(side: Side, name: str, values: Mapping[str, Any]) -> LegInput:
    return LegInput(
        side=side,
        price=values[f"{name}_price"],
        funding_rate=values[f"{name}_rate"],
        interval=values[f"{name}_interval"],
        settles_in=values[f"{name}_next"],
        fee=values[f"{name}_fee"],
        slippage=values[f"{name}_slippage"],
        exit_slippage=values[f"{name}_exit_slippage"],
    )


def _percent(fraction: Decimal, places: int = PERCENT_PLACES) -> str:
    return f"{carry.signed(fraction * 100, places)} %"


def _price(price: Decimal) -> str:
    """Return a price with two decimals, more where it is below a dollar."""
    return carry.plain(price, 2 if price >= 1 else 6)


def _hours(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(seconds=1)) / (HOUR // timedelta(seconds=1))
