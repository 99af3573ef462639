"""What a person does to the engine and to positions: each a POST that ends in one service call."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from trading.broadcast import broadcast_user
from trading.doorbell import ring_drive, ring_poll, ring_scan
from trading.forms import TypedForm
from trading.models import Position
from trading.selectors.legs import liquidation_prices
from trading.selectors.positions import get_position_for_user, position_line
from trading.selectors.screen import Screen
from trading.services import engine
from trading.services.daily_stop import lift_daily_stop
from trading.services.exit import request_exit
from trading.services.release import force_one_sided
from trading.services.release import release as release_held
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for

MANUAL = "manual"
BROKER_AWAY = "The message broker does not answer; the engine does it by itself within seconds."


@signed_in
@require_POST
def pause(request: SignedInRequest) -> HttpResponse:
    """Stop entries at once; Resume is the undo."""
    screen = screen_for(request)
    engine.pause(user=request.user, actor=request.user.get_username(), now=screen.now)
    return _engine_answer(request, "Paused: no new entries.")


@signed_in
@require_POST
def resume(request: SignedInRequest) -> HttpResponse:
    screen = screen_for(request)
    engine.resume(user=request.user, actor=request.user.get_username(), now=screen.now)
    return _engine_answer(request, "Running.")


@signed_in
@require_POST
def lift_stop(request: SignedInRequest) -> HttpResponse:
    """Let automation enter again after the day's loss."""
    screen = screen_for(request)
    lifted = lift_daily_stop(request.user, actor=request.user.get_username(), now=screen.now)
    return _engine_answer(request, "Daily stop lifted." if lifted else "No daily stop is in force.")


@signed_in
@require_POST
def scan(request: SignedInRequest) -> HttpResponse:
    """Scan all markets now; inside an entry window it may enter before the scheduler's moment."""
    return _engine_answer(request, _rung(ring_scan, "Scanning."))


@signed_in
@require_POST
def refresh(request: SignedInRequest) -> HttpResponse:
    """Read every venue by REST now."""
    return _engine_answer(request, _rung(ring_poll, "Reading all venues."))


@signed_in
@require_http_methods(["GET", "POST"])
def close(request: SignedInRequest, position_id: UUID) -> HttpResponse:
    """Show what closing costs; on POST ask for the exit, once."""
    position = get_position_for_user(request.user, position_id)
    screen = screen_for(request)
    if request.method == "GET":
        return _dialog(request, screen, position, "close")
    actor = request.user.get_username()
    asked = request_exit(
        position=position,
        reason=MANUAL,
        sentence=f"closed by hand by {actor}",
        actor=actor,
        now=screen.now,
    )
    if asked:
        ring_drive(position.id)
        broadcast_user(request.user.id, "positions")
        return _closing(request, position, f"Closing {position.base}.")
    word = "is being closed already" if position.is_live else f"is {position.state} already"
    return _closing(request, position, f"{position.base} {word}.")


@signed_in
@require_http_methods(["GET", "POST"])
def release(request: SignedInRequest, position_id: UUID) -> HttpResponse:
    """Show what letting a held position go does; on POST let the plan act on it again."""
    position = get_position_for_user(request.user, position_id)
    screen = screen_for(request)
    if request.method == "GET":
        return _dialog(request, screen, position, "release")
    actor = request.user.get_username()
    refusal = release_held(position, actor=actor, now=screen.now)
    if refusal is not None:
        return _dialog(request, screen, position, "release", status=422, why=refusal.sentence)
    ring_drive(position.id)
    broadcast_user(request.user.id, "positions")
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
    actor = request.user.get_username()
    if force_one_sided(position, actor=actor, now=screen.now):
        ring_drive(position.id)
        broadcast_user(request.user.id, "positions")
        return _closing(request, position, f"{position.base}: what can be reached is being closed.")
    word = "is allowed already" if position.is_live else f"needs nothing, it is {position.state}"
    return _closing(request, position, f"{position.base}: closing one leg alone {word}.")


def _rung(ring: Callable[[], bool], sentence: str) -> str:
    return sentence if ring() else BROKER_AWAY


def _engine_answer(request: SignedInRequest, notice: str) -> HttpResponse:
    broadcast_user(request.user.id, "engine")
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
