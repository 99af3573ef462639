"""Parts of pages that htmx fetches on their own."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from trading.selectors.chart import funding_chart
from trading.selectors.screen import tabs
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import screen_for
from trading.views.ticket import ticket_for


@signed_in
@require_GET
def positions_panel(request: SignedInRequest) -> HttpResponse:
    """The positions panel with another tab."""
    screen = screen_for(request)
    return render(request, "trading/_positions.html", {"screen": screen, "tabs": tabs(screen)})


@signed_in
@require_GET
def symbol(request: SignedInRequest, base: str) -> HttpResponse:
    """The chart of a symbol, and out of band the ticket filled in with its best pair."""
    screen = screen_for(request)
    if base not in screen.sheet.bases:
        raise Http404(f"No perpetual on {base} is known.")
    context = {
        "screen": screen,
        "chart": funding_chart(request.user, base, screen.now),
        "ticket": ticket_for(screen, base),
    }
    return render(request, "trading/_symbol.html", context)
