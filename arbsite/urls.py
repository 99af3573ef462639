from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from arbsite.health import health

handler400 = "trading.views.api.errors.bad_request"
handler500 = "trading.views.api.errors.server_error"
urlpatterns = [
    path("admin/", admin.site.urls),
    path("account/", include("allauth.account.urls")),
    path("api/health", health, name="health"),
    path("alerts/", include("alerts.urls")),
    path("api/v1/health", health),
    path("api/", include("trading.views.api.urls")),
    path("", include("trading.urls")),
]
