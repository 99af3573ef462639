"""The admin: signed in to like every other page, with the two freedoms its widgets need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from unfold.sites import UnfoldAdminSite

# Its menus are Alpine expressions and its widgets carry styles; staff only, and still no inline
# script.
RELAXED = {"script-src": [UNSAFE_EVAL], "style-src": [UNSAFE_INLINE]}


class CarryAdminSite(UnfoldAdminSite):  # type: ignore[misc]  # the package has no types
    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        guarded: Callable[..., Any] = csp_update(RELAXED)(super().admin_view(view, cacheable))
        return guarded

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the one sign-in page, which counts wrong passwords."""
        if request.user.is_authenticated:
            raise PermissionDenied("Only staff may use the admin.")
        return redirect_to_login(request.GET.get("next", request.get_full_path()))
