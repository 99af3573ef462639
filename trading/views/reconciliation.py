"""Both sides of every account, and what a person decides where they differ."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from trading import desk
from trading.forms import TypedForm
from trading.models import Discrepancy
from trading.selectors.reconciliation import (
    LABELS,
    DiscrepancyLine,
    discrepancy_line,
    get_account_for_user,
    get_discrepancy_for_user,
)
from trading.selectors.screen import Screen
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for

Resolution = Discrepancy.Resolution


@signed_in
@require_GET
def reconciliation(request: SignedInRequest) -> HttpResponse:
    return render_page(request, "reconciliation.html", screen_for(request))


@signed_in
@require_POST
def compare(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """Have an account compared with its venue now, by the engine."""
    account = get_account_for_user(request.user, account_id)
    actor = request.user.get_username()
    return _answer(request, desk.compare(account, actor=actor, now=timezone.now()))


@signed_in
@require_http_methods(["GET", "POST"])
def decide(request: SignedInRequest, discrepancy_id: UUID, choice: str) -> HttpResponse:
    """Show what a choice does, with quantity and value; on POST do it, once, if nothing changed."""
    if choice not in Resolution.values:
        raise Http404(f"{choice!r} is not a choice.")
    wanted = Resolution(choice)
    row = get_discrepancy_for_user(request.user, discrepancy_id)
    screen = screen_for(request)
    line = discrepancy_line(row, screen.board)
    if request.method == "GET":
        return _dialog(request, screen, line, wanted)
    if row.resolved_at is None and request.POST.get("seen") != line.seen:
        why = "The figures have changed since you looked: read them again, then decide."
        return _dialog(request, screen, line, wanted, why=why, status=409)
    if wanted is Resolution.WRITTEN_OFF:
        form = TypedForm(request.POST.dict(), wanted=line.words_to_write_off)
        if not form.is_valid():
            why = str(form.errors["phrase"][0])
            return _dialog(request, screen, line, wanted, why=why, status=422)
    refusal = desk.decide(row, wanted, actor=request.user.get_username(), now=screen.now)
    if refusal is not None:
        return _dialog(request, screen, line, wanted, why=refusal.sentence, status=422)
    return _answer(request, f"{row.account}, {row.symbol}: {row.get_resolution_display()}.")


def _dialog(
    request: SignedInRequest,
    screen: Screen,
    line: DiscrepancyLine,
    wanted: Discrepancy.Resolution,
    *,
    why: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {"difference": line, "choice": str(wanted), "label": LABELS[wanted], "why": why}
    if request.htmx:
        page = {"screen": screen} | context
        return render(request, "trading/_discrepancy.html", page, status=status)
    return render_page(request, "discrepancy.html", screen, status=status, **context)


def _answer(request: SignedInRequest, notice: str) -> HttpResponse:
    if not request.htmx:
        messages.info(request, notice)
        return redirect("trading:reconciliation")
    return render(request, "trading/_closing.html", {"notice": notice})
