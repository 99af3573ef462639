"""Who calls and what the caller may: a session of a browser, or a token with a scope and an end."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from arbsite.accounts.models import ApiToken, User
from arbsite.accounts.tokens import owner_of

SAFE = ("GET", "HEAD")
REFUSED = "This token is unknown, revoked or expired."


class TokenOfUser(BaseAuthentication):
    """`Authorization: Bearer …`; why a token does not count is told to nobody."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        kind, _, token = get_authorization_header(request).partition(b" ")
        if kind.lower() != b"bearer":
            return None
        found = owner_of(token.strip().decode("ascii", errors="replace"), now=timezone.now())
        if found is None:
            raise AuthenticationFailed(REFUSED)
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ScopeOfToken(BasePermission):
    """Let a token do what its scope includes; a session is the person, who may everything own."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        wanted = ApiToken.Scope.READ if request.method in SAFE else view.scope
        token = request.auth
        if isinstance(token, ApiToken) and not token.may(wanted):
            self.message = f"The scope of this token is {token.scope}; this takes {wanted}."
            return False
        return True
