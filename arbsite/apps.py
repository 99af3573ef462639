from __future__ import annotations

import importlib

from django.apps import AppConfig


class ArbsiteConfig(AppConfig):
    name = "arbsite"
    verbose_name = "Carry"

    def ready(self) -> None:
        """Register the system checks; they need models, which exist only now."""
        importlib.import_module("arbsite.checks")
