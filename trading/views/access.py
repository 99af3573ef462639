"""Who may see a page, and what a browser may keep of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django_htmx.middleware import HtmxDetails

from arbsite.accounts.models import User

View = Callable[..., HttpResponse]


class SignedInRequest(HttpRequest):
    """A request that `signed_in` let through."""

    user: User
    htmx: HtmxDetails


def signed_in(view: View) -> View:
    """Send everyone else to the sign-in page and keep the answer out of every cache.

    htmx follows redirects and would put the sign-in page into a panel, so it is told to navigate.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # the middleware adds it
        if not htmx:
            return redirect_to_login(request.get_full_path())
        back = urlsplit(htmx.current_url or "/").path
        target = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back})}"
        return HttpResponse(status=204, headers={"HX-Redirect": target})

    return never_cache(guarded)
