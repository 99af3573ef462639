"""The kill switch: stop in one click, flatten with a typed word, re-arm with the password.

Works as a plain form without scripts or socket, and needs the database only.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from allauth.core.ratelimit import consume
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from trading.broadcast import broadcast_user
from trading.doorbell import ring_drive
from trading.forms import KillForm
from trading.models import Position
from trading.selectors.screen import Screen
from trading.services import kill_switch
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for

REASON = "pressed on the dashboard"


@signed_in
@require_GET
def kill(request: SignedInRequest) -> HttpResponse:
    """Show both ways to stop, or what a pressed switch has done so far."""
    return _dialog(request, screen_for(request))


@signed_in
@require_POST
def stop(request: SignedInRequest) -> HttpResponse:
    """Stop entries and cancel orders at once; positions stay."""
    _press(request, closes_positions=False)
    messages.warning(request, "Entries are stopped and orders are being cancelled.")
    return _done(request)


@signed_in
@require_POST
def flatten(request: SignedInRequest) -> HttpResponse:
    """Stop, and close everything, once the open count was typed."""
    screen = screen_for(request)
    count = len(screen.positions)
    form = KillForm(request.POST.dict(), open_count=count)
    if not form.is_valid():
        return _dialog(request, screen, status=422, why=form.errors.get("phrase", ["?"])[0])
    _press(request, closes_positions=True)
    messages.warning(request, f"Closing {count} position{'' if count == 1 else 's'}.")
    return _done(request)


@signed_in
@require_POST
def rearm(request: SignedInRequest) -> HttpResponse:
    """End the user's own press after asking for the password."""
    screen = screen_for(request)
    if not consume(request, action="reauthenticate", user=request.user):
        why = "Too many tries: wait a minute before you enter the password again."
        return _dialog(request, screen, status=429, rearm_why=why)
    if not request.user.check_password(request.POST.get("password", "")):
        why = "That is not your password; the switch stays pressed."
        return _dialog(request, screen, status=422, rearm_why=why)
    actor = request.user.get_username()
    if kill_switch.rearm(user=request.user, actor=actor, now=screen.now):
        messages.success(request, "Re-armed: entries are possible again.")
    else:
        messages.info(request, "No switch of yours is pressed.")
    return _done(request)


def _press(request: SignedInRequest, *, closes_positions: bool) -> None:
    actor = request.user.get_username()
    kill_switch.press(
        user=request.user,
        actor=actor,
        reason=REASON,
        closes_positions=closes_positions,
        now=screen_for(request).now,
    )
    live = Position.objects.for_user(request.user).live()
    for position_id in live.values_list("id", flat=True):
        ring_drive(position_id)
    broadcast_user(request.user.id, "kill")


def _dialog(
    request: SignedInRequest, screen: Screen, *, status: int = 200, **words: Any
) -> HttpResponse:
    context = {
        "count": len(screen.positions),
        "notional": sum((line.gross for line in screen.positions), Decimal(0)),
        "cost": _cost(screen),
        "unreachable": [v for v in screen.venues if v.feed.glyph == "down"],
        **words,
    }
    if request.htmx:
        return render(request, "trading/_kill.html", {"screen": screen} | context, status=status)
    return render_page(request, "kill.html", screen, status=status, **context)


def _cost(screen: Screen) -> Decimal | None:
    costs = [line.exit_cost for line in screen.positions]
    if None in costs:
        return None
    return sum((cost for cost in costs if cost is not None), Decimal(0))


def _done(request: SignedInRequest) -> HttpResponse:
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("trading:kill")})
    return redirect("trading:kill")
