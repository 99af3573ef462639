"""Settings of the tests that run in one process; scenario tests start real ones."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Before the real settings load: no test may touch the state of `make run`.
os.environ["CARRY_VAR"] = tempfile.mkdtemp(prefix="carry-test-")
os.environ.pop("CARRY_KEY_FILE", None)
os.environ["CARRY_LOCAL"] = "true"
os.environ["DATABASE_URL"] = os.environ.get("CARRY_TEST_DATABASE_URL", "")

from arbsite.settings import *  # noqa: F403

VAR_DIR = Path(os.environ["CARRY_VAR"])
atexit.register(shutil.rmtree, VAR_DIR, ignore_errors=True)
STATIC_ROOT = VAR_DIR / "staticfiles"
STATIC_ROOT.mkdir()

if not os.environ["DATABASE_URL"]:
    # A file, so that threads of a test meet the locks they meet in earnest.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}  # noqa: F405

# Nobody listens there; a test that needs Redis starts one. Doorbells ring into memory.
REDIS_URL = "redis://127.0.0.1:1/0"
CELERY_BROKER_URL = "memory://"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
