from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class CarryAdminConfig(AdminConfig):
    default_site = "arbsite.admin_site.CarryAdminSite"
