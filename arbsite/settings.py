"""All settings. What differs between machines comes from the environment (`.env` is read too).

Without any variable this is one machine on loopback: SQLite and a key under `var/`, rehearsal
venues. `DATABASE_URL` makes it a server: then secrets and host names must be given, cookies are
secure and the site expects TLS in front of it.
"""

from __future__ import annotations

import base64
import tomllib
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.templatetags.static import static

from arbsite.logging import logging_settings
from arbsite.secret_key import read_or_create_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
env = environ.Env()
environ.Env.read_env(str(BASE_DIR / ".env"))

# --- This machine -------------------------------------------------------------------------------

VAR_DIR = Path(env.str("CARRY_VAR", default=str(BASE_DIR / "var"))).resolve()
DATABASE_URL = env.str("DATABASE_URL", default="")
# True: plain http on loopback for one person. False: a server behind TLS.
LOCAL = env.bool("CARRY_LOCAL", default=not DATABASE_URL)
DEBUG = env.bool("DEBUG", default=False)

SECRET_KEY = env.str("SECRET_KEY", default="") or (
    read_or_create_secret_key(VAR_DIR / "secret.key") if LOCAL else env.str("SECRET_KEY")
)
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if LOCAL else []
)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- Venues and their keys ----------------------------------------------------------------------

# Where rehearsal venues answer, as http://127.0.0.1:PORT; empty where rehearsal is not offered.
CARRY_SIMULATOR_URL = env.str("CARRY_SIMULATOR_URL", default="")
# What stands for the real venues in modes paper and testnet: a simulator; empty: they themselves.
CARRY_VENUES_URL = env.str("CARRY_VENUES_URL", default="")
CARRY_SIMULATOR_CONTROL_URL = env.str("CARRY_SIMULATOR_CONTROL_URL", default="")
# What `up` adds to the simulator's command line, as `--replay ../shared/data`.
CARRY_SIMULATOR_OPTIONS = env.str("CARRY_SIMULATOR_OPTIONS", default="")
# A process that `up` started and that holds more is ended and started again.
CARRY_PROCESS_MEMORY_MB = env.int("CARRY_PROCESS_MEMORY_MB", default=2_000)
CARRY_KEY_FILE = Path(env.str("CARRY_KEY_FILE", default=str(VAR_DIR / "carry.key")))
# The field library insists on this at import; our strict field owns its cipher and ignores it.
FIELD_ENCRYPTION_KEY = base64.urlsafe_b64encode(bytes(32)).decode()

# --- Alerts -------------------------------------------------------------------------------------

# Files of mode 0600, read when they are needed: what is in them is in no environment.
CARRY_TELEGRAM_TOKEN_FILE = Path(
    env.str("CARRY_TELEGRAM_TOKEN_FILE", default=str(VAR_DIR / "telegram.token"))
)
CARRY_TELEGRAM_URL = env.str("CARRY_TELEGRAM_URL", default="https://api.telegram.org")
# Networks, as 10.0.0.0/8, whose addresses webhooks may name and reach without TLS; as a rule none.
CARRY_WEBHOOK_NETWORKS: list[str] = env.list("CARRY_WEBHOOK_NETWORKS", default=[])
# Called once a minute while all is well: whoever watches it tells when it falls silent.
CARRY_HEARTBEAT_URL = env.str("CARRY_HEARTBEAT_URL", default="")
# Without a host no mail is sent and no mailbox is offered.
EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 5
CARRY_EMAIL_PASSWORD_FILE = Path(
    env.str("CARRY_EMAIL_PASSWORD_FILE", default=str(VAR_DIR / "email.password"))
)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="carry@localhost")

# --- Applications -------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "arbsite.admin_config.CarryAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "channels",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "arbsite",
    "arbsite.accounts",
    "exchanges",
    "trading",
    "alerts",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "arbsite.accounts.middleware.TimeZoneMiddleware",
]

ROOT_URLCONF = "arbsite.urls"
ASGI_APPLICATION = "arbsite.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- Database -----------------------------------------------------------------------------------

if DATABASE_URL:
    DATABASES: dict[str, dict[str, Any]] = {"default": env.db("DATABASE_URL")}
    DATABASES["default"].update(CONN_HEALTH_CHECKS=True)
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(VAR_DIR / "carry.sqlite3"),
            # Write-ahead log plus IMMEDIATE: a deferred read that becomes a write fails at once
            # under WAL, whatever the timeout.
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA busy_timeout=20000;"
                    "PRAGMA temp_store=MEMORY;PRAGMA cache_size=-20000;PRAGMA foreign_keys=ON"
                ),
            },
        }
    }
# Threads that live on keep their connection: opening one costs more than most questions do.
DATABASES["default"]["CONN_MAX_AGE"] = 60
# Its own table of tokens is swapped for ours; its migrations would make it all the same.
MIGRATION_MODULES = {"knox": None}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: message broker, channel layer, market board -----------------------------------------

REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
# Venues count requests by address. Machines with public addresses of their own get a name each;
# until then all count as one.
CARRY_ADDRESS = env.str("CARRY_ADDRESS", default="all")
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "carry"},
    }
}
# Counts failed sign-ins; one process can do that in memory, several need to share.
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    if LOCAL
    else {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL)

# --- People -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105  (the name of a model)
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "arbsite.accounts.adapter.NoSignUpAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key"}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not LOCAL
SECURE_SSL_REDIRECT = not LOCAL
SECURE_REDIRECT_EXEMPT = [r"^api/(v1/)?health$"]
SECURE_PROXY_SSL_HEADER = None if LOCAL else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 0 if LOCAL else 365 * 86400
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not LOCAL
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Pages --------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
UNFOLD = {
    "SITE_TITLE": "Carry",
    "SITE_HEADER": "Carry",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _: static("favicon-sim.svg")}
    ],
}

# --- REST ---------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "URL_FORMAT_OVERRIDE": None,
}
# Requests of one user a minute: reading, and everything that changes something.
CARRY_API_RATES = {"read": 600, "write": 120}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Carry",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": (
        "What a user may see and do, over REST. Decimals are texts, times are UTC, fractions are "
        "fractions: 0.01 is one per cent. Money with a plus sign is mine. A positive rate means "
        "that longs pay shorts."
    ),
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["trading.views.api.schema.versioned_only"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "trading.views.api.links.with_links",
        "trading.views.api.examples.with_examples",
    ],
    "COMPONENT_SPLIT_REQUEST": True,
}

LOGGING = logging_settings(
    json=env.bool("LOG_JSON", default=not LOCAL), level=env.str("LOG_LEVEL", default="INFO")
)
