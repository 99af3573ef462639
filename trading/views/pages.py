"""Pages: read, render, nothing else."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from trading.selectors.activity import activity
from trading.selectors.calendar import coming_notices, recent_changes
from trading.selectors.chart import funding_chart
from trading.selectors.funding_bounds import funding_bounds
from trading.selectors.funding_table import funding_table
from trading.selectors.legs import liquidation_prices
from trading.selectors.position_page import position_records
from trading.selectors.positions import get_position_for_user, position_line
from trading.selectors.settled import RateBasis
from trading.services.pair_statistics import pair_statistics
from trading.strategies.registry import STRATEGIES
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for
from trading.views.ticket import ticket_for


@signed_in
@require_GET
def dashboard(request: SignedInRequest) -> HttpResponse:
    screen = screen_for(request)
    asked = request.GET.get("symbol", "").upper()
    selected = asked if asked in screen.sheet.bases else ""
    ticket = ticket_for(screen, selected or None)
    return render_page(
        request,
        "dashboard.html",
        screen,
        rows=funding_table(screen, _rate_basis(request)),
        ticket=ticket,
        selected=ticket.symbol,
        chart=funding_chart(request.user, ticket.symbol, screen.now),
    )


@signed_in
@require_GET
def positions(request: SignedInRequest) -> HttpResponse:
    return render_page(request, "positions.html", screen_for(request))


@signed_in
@require_GET
def position(request: SignedInRequest, position_id: UUID) -> HttpResponse:
    screen = screen_for(request)
    found = get_position_for_user(request.user, position_id)
    line = position_line(found, liquidation_prices(request.user), screen.board, screen.now)
    return render_page(request, "position.html", screen, line=line, records=position_records(found))


@signed_in
@require_GET
def opportunities(request: SignedInRequest) -> HttpResponse:
    screen = screen_for(request)
    asked = request.GET.get("strategy", "")
    screen.strategy = asked if asked in STRATEGIES else ""
    return render_page(request, "opportunities.html", screen, strategies=list(STRATEGIES))


@signed_in
@require_GET
def calendar(request: SignedInRequest) -> HttpResponse:
    screen = screen_for(request)
    return render_page(
        request,
        "calendar.html",
        screen,
        notices=coming_notices(screen.now),
        changes=recent_changes(request.user),
    )


@signed_in
@require_GET
def rates_history(request: SignedInRequest, base: str) -> HttpResponse:
    screen = screen_for(request)
    if base not in screen.sheet.bases:
        raise Http404(f"No perpetual on {base} is known.")
    chart = funding_chart(request.user, base, screen.now)
    pairs = pair_statistics(request.user, base, screen.now)
    bounds = funding_bounds(base, screen.exchanges, screen.now)
    return render_page(
        request,
        "rates_history.html",
        screen,
        chart=chart,
        pairs=pairs,
        bounds=bounds,
        activity=activity(base, screen.exchanges, screen.board, screen.now),
    )


@signed_in
@require_GET
def help_page(request: SignedInRequest) -> HttpResponse:
    return render_page(request, "help.html", screen_for(request))


def _rate_basis(request: SignedInRequest) -> RateBasis:
    asked = request.GET.get("rates", "")
    return RateBasis(asked) if asked in list(RateBasis) else RateBasis.PREDICTED
