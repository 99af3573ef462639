"""The interface described: OpenAPI for programs, and a page of it for people."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated

from trading.views.access import SignedInRequest, signed_in
from trading.views.api.access import TokenOfUser
from trading.views.api.throttles import PerUser


class Schema(SpectacularJSONAPIView):
    authentication_classes = (TokenOfUser, SessionAuthentication)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (PerUser,)


@signed_in
@require_GET
def docs(request: SignedInRequest) -> HttpResponse:
    """The description as a page, from files of this installation."""
    return render(request, "trading/api_docs.html")
