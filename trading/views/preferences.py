"""How one person sees the site: theme, colours, time zone."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from trading.forms import PreferencesForm
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for


@signed_in
@require_http_methods(["GET", "POST"])
def preferences(request: SignedInRequest) -> HttpResponse:
    screen = screen_for(request)
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("trading:preferences")
    status = 422 if form.errors else 200
    # A refused form has written its values into the user that the page is drawn for.
    if form.errors:
        request.user.refresh_from_db()
    return render_page(request, "preferences.html", screen, status=status, form=form)
