"""The admin: the same sign-in as all other pages, and a content policy its theme can live with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import secure_admin_login
from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from unfold.sites import UnfoldAdminSite

# The theme's Alpine expressions are evaluated from attributes, its progress bars carry styles.
THEME_NEEDS = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}

View = Callable[..., HttpResponseBase]


class CarryAdminSite(UnfoldAdminSite):  # type: ignore[misc]  # the theme ships no types
    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Relax the content policy for pages of staff only."""
        return csp_update(THEME_NEEDS)(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Send a visitor to the sign-in page with its rate limits."""
        return secure_admin_login(super().login)(request, extra_context=extra_context)
