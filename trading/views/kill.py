"""The kill switch: stop in one click, flatten with a typed word, re-arm with the password.

Works as a plain form without scripts or socket, and needs the database only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from arbsite.accounts.models import User
from trading import desk
from trading.forms import KillForm
from trading.selectors.positions import PositionLine, open_count
from trading.selectors.screen import Screen
from trading.services import kill_switch
from trading.services.leftovers import leftovers
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for
from trading.views.password import refuse_password

EVERYONE = "everyone"
REASON = "pressed on the dashboard"


@signed_in
@require_GET
def kill(request: SignedInRequest) -> HttpResponse:
    """Show both ways to stop, or what a pressed switch has done so far."""
    return _dialog(request, _scope(request), screen_for(request))


@signed_in
@require_POST
def stop(request: SignedInRequest) -> HttpResponse:
    """Stop entries and cancel orders at once; positions stay."""
    _press(request, _scope(request), closes_positions=False)
    messages.warning(request, "Entries are stopped and orders are being cancelled.")
    return _done(request)


@signed_in
@require_POST
def flatten(request: SignedInRequest) -> HttpResponse:
    """Stop, and close everything, once the open count was typed."""
    scope, screen = _scope(request), screen_for(request)
    count = open_count(scope.user)
    form = KillForm(request.POST.dict(), open_count=count)
    if not form.is_valid():
        return _dialog(request, scope, screen, status=422, why=form.errors.get("phrase", ["?"])[0])
    _press(request, scope, closes_positions=True)
    messages.warning(request, f"Closing {count} position{'' if count == 1 else 's'}.")
    return _done(request)


@signed_in
@require_POST
def rearm(request: SignedInRequest) -> HttpResponse:
    """End what the person has seen pressed, after asking for the password."""
    scope, screen = _scope(request), screen_for(request)
    refusal, status = refuse_password(request, str(request.POST.get("password", "")))
    if refusal:
        return _dialog(request, scope, screen, status=status, rearm_why=refusal)
    seen = str(request.POST.get("epoch", ""))
    through = int(seen) if seen.isdecimal() else None
    actor = request.user.get_username()
    if kill_switch.rearm(user=scope.user, actor=actor, now=screen.now, through_epoch=through):
        messages.success(request, "Re-armed: entries are possible again.")
        return _done(request)
    later = kill_switch.pressed_in_scope(scope.user)
    if later is None:
        messages.info(request, f"No switch is pressed for {scope.words}.")
        return _done(request)
    why = f"Pressed again by {later.pressed_by}: {later.reason}. Read it before you re-arm."
    return _dialog(request, scope, screen_for(request), status=409, rearm_why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose book is meant: one user's own, or everyone's with None, which only staff may."""

    user: User | None

    @property
    def is_everyone(self) -> bool:
        return self.user is None

    @property
    def words(self) -> str:
        return "everyone" if self.user is None else "you"


def _scope(request: SignedInRequest) -> Scope:
    asked = request.POST.get("scope", request.GET.get("scope", ""))
    if asked != EVERYONE:
        return Scope(user=request.user)
    if not request.user.is_staff:
        raise PermissionDenied("Only staff presses the switch for everyone.")
    return Scope(user=None)


def _press(request: SignedInRequest, scope: Scope, *, closes_positions: bool) -> None:
    """Press, then have it carried out by whoever is alive, this process if need be."""
    desk.press_kill(
        scope=scope.user,
        by=request.user,
        actor=request.user.get_username(),
        reason=request.POST.get("reason", "").strip() or REASON,
        closes_positions=closes_positions,
        now=timezone.now(),
    )


def _dialog(
    request: SignedInRequest, scope: Scope, screen: Screen, *, status: int = 200, **words: Any
) -> HttpResponse:
    lines = screen.positions if scope.user is not None else []
    pressed = kill_switch.pressed_in_scope(scope.user)
    context = {
        "scope": scope,
        "pressed": pressed,
        "closes": pressed is not None and kill_switch.closes_in_scope(scope.user),
        "count": open_count(scope.user),
        "notional": sum((line.gross for line in lines), Decimal(0)) if lines else None,
        "cost": _cost(lines),
        "unreachable": [v for v in screen.venues if v.feed.glyph == "down"],
        "left": leftovers(scope.user.pk if scope.user else None) if pressed else [],
        "for_everyone": kill_switch.pressed_in_scope(None),
        **words,
    }
    if request.htmx:
        return render(request, "trading/_kill.html", {"screen": screen} | context, status=status)
    return render_page(request, "kill.html", screen, status=status, **context)


def _cost(lines: Sequence[PositionLine]) -> Decimal | None:
    costs = [line.exit_cost for line in lines]
    if None in costs:
        return None
    return sum((cost for cost in costs if cost is not None), Decimal(0))


def _done(request: SignedInRequest) -> HttpResponse:
    scope = EVERYONE if request.POST.get("scope") == EVERYONE else ""
    address = reverse("trading:kill") + (f"?scope={scope}" if scope else "")
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
