from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from arbsite.health import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("account/", include("allauth.account.urls")),
    path("api/health", health, name="health"),
    path("alerts/", include("alerts.urls")),
    path("", include("trading.urls")),
]
