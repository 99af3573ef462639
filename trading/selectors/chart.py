"""Settled funding of one base asset as the paths of a small SVG step chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from arbsite.accounts.models import User
from exchanges.domain import InstrumentKind
from exchanges.models import Instrument, SettledFundingRate
from trading.core.funding import annualised_rate
from trading.models import Position
from trading.templatetags import carry_format as carry

# Within the view box of `_chart.html`.
LEFT, RIGHT, TOP, BOTTOM = 34, 332, 12, 280
TONES = "abcd"
MOST_POINTS = 120
GRID_LINES = 4
LABEL_HEIGHT = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One venue's settled rates, annualised, oldest first."""

    venue: str
    points: tuple[tuple[datetime, Decimal], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A series as drawn: `tone` names its colour and dash, `label_y` where its name stands."""

    venue: str
    tone: str
    path: str
    label_y: int
    last: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    at: int
    label: str
    is_zero: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingChart:
    """Everything the template draws; `table` is the same figures for people who read them."""

    base: str
    lines: tuple[Line, ...]
    levels: tuple[Tick, ...]
    times: tuple[Tick, ...]
    entry_x: int | None
    summary: str
    table: tuple[Series, ...]


def funding_chart(user: User, base: str, now: datetime) -> FundingChart:
    """Return the chart of the last settlements of `base` with the user's open entry marked."""
    series = [line for line in (_series(i) for i in _instruments(base)) if line.points]
    if not series:
        return FundingChart(
            base=base, lines=(), levels=(), times=(), entry_x=None, summary="", table=()
        )
    begin = max(line.points[0][0] for line in series)
    shown = [_since(line, begin) for line in series]
    scale = _Scale.over(shown, now)
    live = Position.objects.for_user(user).live().filter(base=base).first()
    entry = live.entry_timestamp if live is not None else None
    return FundingChart(
        base=base,
        lines=_lines(shown, scale),
        levels=scale.levels(),
        times=scale.times(),
        entry_x=scale.x(entry) if entry is not None and entry >= scale.begin else None,
        summary=", ".join(f"{s.venue} {carry.rate(s.points[-1][1])} %" for s in shown),
        table=tuple(shown),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    begin: datetime
    end: datetime
    low: Decimal
    high: Decimal

    @classmethod
    def over(cls, series: Sequence[Series], now: datetime) -> _Scale:
        values = [value for line in series for _, value in line.points] + [Decimal(0)]
        low, high = min(values), max(values)
        margin = (high - low) / 10 or Decimal("0.01")
        return cls(
            begin=min(line.points[0][0] for line in series),
            end=now,
            low=low - margin,
            high=high + margin,
        )

    def x(self, at: datetime) -> int:
        span = (self.end - self.begin) or timedelta(seconds=1)
        return LEFT + round((RIGHT - LEFT) * ((at - self.begin) / span))

    def y(self, value: Decimal) -> int:
        share = (self.high - value) / (self.high - self.low)
        return TOP + round((BOTTOM - TOP) * share)

    def levels(self) -> tuple[Tick, ...]:
        """Return round levels, zero among them."""
        step = _round_step((self.high - self.low) / GRID_LINES)
        first = int(self.low / step)
        values = [step * n for n in range(first, first + 2 * GRID_LINES + 2)]
        return tuple(
            Tick(at=self.y(value), label=carry.rate(value), is_zero=value == 0)
            for value in values
            if self.low <= value <= self.high
        )

    def times(self) -> tuple[Tick, ...]:
        step = (self.end - self.begin) / GRID_LINES
        write = carry.hour_minute if step < timedelta(hours=6) else carry.moment
        return tuple(
            Tick(at=self.x(at), label=write(at))
            for at in (self.begin + step * n for n in range(1, GRID_LINES))
        )


def _instruments(base: str) -> list[Instrument]:
    rows = Instrument.objects.filter(
        base=base, kind=InstrumentKind.PERPETUAL, is_active=True, exchange__is_enabled=True
    )
    return list(rows.select_related("exchange").order_by("exchange__code", "symbol")[: len(TONES)])


def _series(instrument: Instrument) -> Series:
    """Annualise each settlement by its own distance to the one before, a fact of the history."""
    newest = SettledFundingRate.objects.filter(instrument=instrument).order_by("-settled_at")
    rows = list(reversed(newest[: MOST_POINTS + 1]))
    points = [
        (row.settled_at, annualised_rate(row.funding_rate, seconds))
        for before, row in pairwise(rows)
        if (seconds := round((row.settled_at - before.settled_at) / timedelta(seconds=1))) > 0
    ]
    return Series(venue=instrument.exchange.short_code, points=tuple(points))


def _since(series: Series, begin: datetime) -> Series:
    kept = tuple(point for point in series.points if point[0] >= begin)
    return Series(venue=series.venue, points=kept or series.points[-1:])


def _lines(series: Sequence[Series], scale: _Scale) -> tuple[Line, ...]:
    lines: list[Line] = []
    taken: list[int] = []
    for line, tone in zip(series, TONES, strict=False):
        label = scale.y(line.points[-1][1])
        while any(abs(label - other) < LABEL_HEIGHT for other in taken):
            label += LABEL_HEIGHT
        taken.append(label)
        lines.append(
            Line(
                venue=line.venue,
                tone=tone,
                path=_step_path(line, scale),
                label_y=label + 4,
                last=line.points[-1][1],
            )
        )
    return tuple(lines)


def _step_path(series: Series, scale: _Scale) -> str:
    (first_at, first), *rest = series.points
    steps = "".join(f"H{scale.x(at)}V{scale.y(value)}" for at, value in rest)
    return f"M{scale.x(first_at)} {scale.y(first)}{steps}H{RIGHT}"


def _round_step(span: Decimal) -> Decimal:
    power = Decimal(1).scaleb(span.adjusted())
    return next((power * n for n in (1, 2, 5) if power * n >= span), power * 10)
