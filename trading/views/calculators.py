"""The calculators: forms with GET, so that what is counted can be sent to somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from exchanges.domain import InstrumentKind
from trading.calculator_fields import CALCULATORS, CalculatorField, CalculatorForm
from trading.core.history import Frequency
from trading.core.money import for_display, plain
from trading.core.parameter_field import SHOWN_UNITS
from trading.selectors.calculators import Asked, Figure, figures
from trading.selectors.screen import Screen
from trading.services import configure
from trading.services.calculator_facts import (
    Listing,
    daily_moves,
    find_instrument,
    leg_facts,
    listings,
    warning_odds,
)
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for

FILL, ZERO = "fill", Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """One field of a calculator as the page shows it."""

    asked: CalculatorField
    typed: str
    error: str

    @property
    def unit(self) -> str:
        return SHOWN_UNITS.get(self.asked.field.unit, "").strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Which symbol and venues a calculator is filled in from, as typed; `errors` by sentence."""

    symbol: str
    long: str
    short: str
    errors: tuple[str, ...] = ()


@signed_in
@require_GET
def calculators(request: SignedInRequest, key: str = "arbitrage") -> HttpResponse:
    """Count what is typed; with `fill` ask the market first and come back with its facts."""
    form = CALCULATORS.get(key)
    if form is None:
        raise Http404(f"There is no calculator {key!r}.")
    screen = screen_for(request)
    given = request.GET.dict()
    offered = listings()
    market = _market(screen, given, offered)
    if FILL in given:
        values, _ = form.parse(form.typed(given))
        facts, errors = _live(screen, form, market, values.get("size") or ZERO)
        if not errors:
            asked = {name: text for name, text in given.items() if name != FILL}
            query = urlencode(asked | facts)
            return redirect(f"{reverse('trading:calculator', args=[key])}?{query}")
        market = replace(market, errors=errors)
    typed = form.typed(given)
    values, wrong = form.parse(typed)
    answers = [] if wrong else _answers(request, screen, form, values, market)
    return render_page(
        request,
        "calculators.html",
        screen,
        status=422 if wrong or market.errors else 200,
        form=form,
        forms=CALCULATORS.values(),
        columns=_columns(form, typed, wrong),
        answers=answers,
        market=market,
        offered=offered,
        wrong=len(wrong),
    )


def _answers(
    request: SignedInRequest,
    screen: Screen,
    form: CalculatorForm,
    values: Mapping[str, object],
    market: Market,
) -> list[Figure]:
    parameters = configure.current(request.user).parameters
    odds: list[tuple[Decimal, Frequency]] = []
    hold = values.get("hold")
    if form.key == "leverage" and isinstance(hold, timedelta):
        odds = list(warning_odds(market.symbol, hold, screen.now))
    asked = Asked(values=values, parameters=parameters, now=screen.now, odds=odds)
    return figures(form.key, asked)


def _columns(
    form: CalculatorForm, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> list[tuple[str, list[FieldLine]]]:
    """Return the fields by leg, those of no leg last."""
    names = list(dict.fromkeys(each.leg for each in form.fields))
    return [
        (
            name,
            [
                FieldLine(asked=each, typed=typed[each.key], error=wrong.get(each.key, ""))
                for each in form.fields
                if each.leg == name
            ],
        )
        for name in names
    ]


def _market(screen: Screen, given: Mapping[str, str], offered: Sequence[Listing]) -> Market:
    """Return what is chosen, else the first symbol and the first two perpetuals."""
    contracts = [each.value for each in offered if each.value.endswith(InstrumentKind.PERPETUAL)]
    return Market(
        symbol=given.get("symbol", next(iter(screen.sheet.bases), "")).strip().upper(),
        long=given.get("long", next(iter(contracts), "")),
        short=given.get("short", next(iter(contracts[1:]), "")),
    )


def _live(
    screen: Screen, form: CalculatorForm, market: Market, size_usd: Decimal
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the facts of the market by field, and what is wrong with what was chosen."""
    if form.key == "leverage":
        moves = daily_moves(market.symbol, screen.now)
        if moves is None:
            return {}, (f"{market.symbol!r} has less than five days of recorded prices.",)
        return {"volatility": plain(for_display(moves * 100, 2))}, ()
    picked = {"long": market.long, "short": market.short} if form.legs == 2 else {"": market.long}
    found = {leg: find_instrument(market.symbol, listing) for leg, listing in picked.items()}
    errors = tuple(
        f"{market.symbol!r} is not listed at {picked[leg]!r}: choose another market."
        for leg, instrument in found.items()
        if instrument is None
    )
    instruments = {leg: one for leg, one in found.items() if one is not None}
    facts = {} if errors else leg_facts(screen.user, instruments, size_usd, screen.now)
    return {
        field.key: each[field.fact]
        for field in form.fields
        if (each := facts.get(field.leg)) is not None and field.fact in each
    }, errors
