"""What a person does to the engine and to positions: each a POST that ends in one service call."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from trading import desk
from trading.forms import TypedForm
from trading.models import Position
from trading.selectors.legs import liquidation_prices
from trading.selectors.positions import get_position_for_user, position_line
from trading.selectors.screen import Screen
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for


class By(TypedDict):
    """Who tells the engine something, and when."""

    actor: str
    now: datetime


@signed_in
@require_POST
def pause(request: SignedInRequest) -> HttpResponse:
    """Stop entries at once; Resume is the undo."""
    return _engine_answer(request, desk.pause(request.user, **_by(request)))


@signed_in
@require_POST
def resume(request: SignedInRequest) -> HttpResponse:
    return _engine_answer(request, desk.resume(request.user, **_by(request)))


@signed_in
@require_POST
def lift_stop(request: SignedInRequest) -> HttpResponse:
    """Let automation enter again after the day's loss."""
    return _engine_answer(request, desk.lift_stop(request.user, **_by(request)))


@signed_in
@require_POST
def scan(request: SignedInRequest) -> HttpResponse:
    """Scan all markets now; inside an entry window it may enter before the scheduler's moment."""
    return _engine_answer(request, desk.scan(request.user))


@signed_in
@require_POST
def refresh(request: SignedInRequest) -> HttpResponse:
    """Read every venue by REST now."""
    return _engine_answer(request, desk.read_venues(request.user))


@signed_in
@require_http_methods(["GET", "POST"])
def close(request: SignedInRequest, position_id: UUID) -> HttpResponse:
    """Show what closing costs; on POST ask for the exit, once."""
    position = get_position_for_user(request.user, position_id)
    if request.method == "GET":
        return _dialog(request, screen_for(request), position, "close")
    return _closing(request, position, desk.close(position, **_by(request)))


@signed_in
@require_http_methods(["GET", "POST"])
def release(request: SignedInRequest, position_id: UUID) -> HttpResponse:
    """Show what letting a held position go does; on POST let the plan act on it again."""
    position = get_position_for_user(request.user, position_id)
    screen = screen_for(request)
    if request.method == "GET":
        return _dialog(request, screen, position, "release")
    refusal = desk.release(position, **_by(request))
    if refusal is not None:
        return _dialog(request, screen, position, "release", status=422, why=refusal.sentence)
    return _closing(request, position, f"{position.base} is released; the engine acts on it now.")


@signed_in
@require_http_methods(["GET", "POST"])
def one_sided(request: SignedInRequest, position_id: UUID) -> HttpResponse:
    """Show what stays behind when one leg is closed alone; on POST allow it, once confirmed."""
    position = get_position_for_user(request.user, position_id)
    screen = screen_for(request)
    if request.method == "GET":
        return _dialog(request, screen, position, "one_sided")
    form = TypedForm(request.POST.dict(), wanted=f"ONE LEG {position.base}")
    if not form.is_valid():
        why = str(form.errors.get("phrase", ["?"])[0])
        return _dialog(request, screen, position, "one_sided", status=422, why=why)
    return _closing(request, position, desk.close_one_sided(position, **_by(request)))


def _by(request: SignedInRequest) -> By:
    return {"actor": request.user.get_username(), "now": timezone.now()}


def _engine_answer(request: SignedInRequest, notice: str) -> HttpResponse:
    if not request.htmx:
        messages.info(request, notice)
        return redirect("trading:dashboard")
    context = {"screen": screen_for(request), "notice": notice}
    return render(request, "trading/_engine.html", context)


def _dialog(
    request: SignedInRequest,
    screen: Screen,
    position: Position,
    name: str,
    *,
    status: int = 200,
    why: str = "",
) -> HttpResponse:
    liquidations = liquidation_prices(request.user)
    line = position_line(position, liquidations, screen.board, screen.now)
    if request.htmx:
        context = {"screen": screen, "line": line, "why": why}
        return render(request, f"trading/_{name}.html", context, status=status)
    return render_page(request, f"{name}.html", screen, status=status, line=line, why=why)


def _closing(request: SignedInRequest, position: Position, sentence: str) -> HttpResponse:
    if not request.htmx:
        messages.info(request, sentence)
        return redirect("trading:position", position.id)
    return render(request, "trading/_closing.html", {"notice": sentence})
