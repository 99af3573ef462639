"""One address of the REST interface: who calls, how it is read, how it answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from rest_framework.authentication import SessionAuthentication
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from arbsite.accounts.models import ApiToken, User
from trading.views.api.access import ScopeOfToken, TokenOfUser
from trading.views.api.body import AlwaysFirst, BoundedJson
from trading.views.api.errors import answer_error
from trading.views.api.schema import Documented
from trading.views.api.throttles import PerUser

LONGEST_ACTOR = 150


@method_decorator(cache_control(private=True, no_cache=True), name="dispatch")
@method_decorator(conditional_page, name="dispatch")
class Api(APIView):
    """`scope` is what a POST takes; reading takes `read`.

    Answers carry an `ETag` and stay out of shared caches.
    """

    scope: ClassVar[ApiToken.Scope] = ApiToken.Scope.TRADE
    authentication_classes = (TokenOfUser, SessionAuthentication)
    permission_classes = (ScopeOfToken,)
    parser_classes = (BoundedJson,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AlwaysFirst
    throttle_classes: tuple[type[PerUser], ...] = (PerUser,)
    metadata_class = None
    schema = Documented()

    @property
    def user(self) -> User:
        """Return who calls: the permission let nobody else through."""
        return cast(User, self.request.user)

    @property
    def actor(self) -> str:
        """Return the name for journals: the person, and the token if it was one."""
        name, token = self.user.get_username(), self.request.auth
        named = f"{name} (token {token.name})" if isinstance(token, ApiToken) else name
        return named[:LONGEST_ACTOR]

    @property
    def now(self) -> datetime:
        return timezone.now()

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Any]:
        return answer_error
