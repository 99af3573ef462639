"""The Django project: wires everything, decides nothing."""

from __future__ import annotations

from arbsite.celery import app as celery_app

__all__ = ["celery_app"]
