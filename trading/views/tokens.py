"""Tokens for programs: made, shown once, revoked."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from arbsite.accounts.models import ApiToken
from arbsite.accounts.tokens import TooManyTokens, make_token, revoke_token
from trading.forms import TokenForm
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for
from trading.views.password import refuse_password


@signed_in
@require_http_methods(["GET", "POST"])
def tokens(request: SignedInRequest) -> HttpResponse:
    """List the tokens; on POST make one, after asking for the password, and show it this once."""
    form = TokenForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return _page(request, form, status=422 if form.errors else 200)
    refusal, status = refuse_password(request, form.cleaned_data["password"])
    if refusal:
        form.add_error("password", refusal)
        return _page(request, form, status=status)
    try:
        token, text = make_token(
            user=request.user,
            name=form.cleaned_data["name"],
            scope=form.cleaned_data["scope"],
            lasts=timedelta(days=form.cleaned_data["days"]),
            now=screen_for(request).now,
        )
    except TooManyTokens as error:
        form.add_error(None, str(error))
        return _page(request, form, status=422)
    return _page(request, TokenForm(), made=token, text=text)


@signed_in
@require_POST
def revoke(request: SignedInRequest, token_id: UUID) -> HttpResponse:
    """End a token at once."""
    if not revoke_token(user=request.user, token_id=token_id, now=screen_for(request).now):
        raise Http404("There is no such token.")
    messages.success(request, "Revoked: it opens nothing any more.")
    return redirect("trading:tokens")


def _page(
    request: SignedInRequest,
    form: TokenForm,
    *,
    status: int = 200,
    made: ApiToken | None = None,
    text: str = "",
) -> HttpResponse:
    own = request.user.auth_token_set.all()
    screen = screen_for(request)
    context = {"form": form, "tokens": own, "made": made, "text": text}
    return render_page(request, "tokens.html", screen, status=status, **context)
