"""The P&L page."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from trading.selectors.equity_bridge import bridge_lines
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for


@signed_in
@require_GET
def profit(request: SignedInRequest) -> HttpResponse:
    screen = screen_for(request)
    return render_page(request, "profit.html", screen, lines=bridge_lines(request.user, screen.now))
