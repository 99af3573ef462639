"""One formatter for every process: lines for people on one machine, JSON for servers.

Code logs through `logging.getLogger(__name__)` with an event-style message and `extra` fields;
structlog only renders. No key, signature, token or password leaves through here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import structlog

REDACTED = "[redacted]"
_SENSITIVE = (
    r"[\w-]*(?:secret|signature|token|passw|passphrase|api[_-]?key|listen_?key|authorization|cookie"
    r"|authent(?![a-z])|challenge)"
    r"[\w-]*"
)
_SENSITIVE_NAME = re.compile(_SENSITIVE, re.IGNORECASE)
# name=value, name: value and "name": "value", as in query strings, headers and payloads.
_SENSITIVE_PAIR = re.compile(
    rf"""({_SENSITIVE}["']?\s*[=:]\s*(?:Bearer\s+)?)(["']?)[^\s"'&,;}}]+""", re.IGNORECASE
)
# A bot's token is its number, a colon and 35 signs, and stands in the path of every address.
_BOT_TOKEN = re.compile(r"\d{5,}(?::|%3A)[A-Za-z0-9_-]{20,}", re.IGNORECASE)
# Venue keys and HMACs are bare runs of 60 and more letters and digits; our ids are shorter.
_BARE_SECRET = re.compile(r"\b[A-Za-z0-9]{60,}\b")


def redact_text(text: str) -> str:
    """Blank the values of secret-looking pairs and key-like runs in `text`."""
    # A function, not a template: templates are parsed late, and an interpreter that is shutting
    # down and still logging cannot import the parser.
    paired = _SENSITIVE_PAIR.sub(lambda match: f"{match[1]}{match[2]}{REDACTED}", text)
    bare = _BARE_SECRET.sub(lambda _: REDACTED, paired)
    return _BOT_TOKEN.sub(lambda _: REDACTED, bare)


def redact(value: Any) -> Any:
    """Return `value` with secrets blanked, at any depth of mappings and sequences."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {
            key: REDACTED if _SENSITIVE_NAME.fullmatch(str(key)) else redact(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set):
        return [redact(item) for item in value]
    return value


def redact_event(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Blank secrets in one log event, its exception text included (structlog processor)."""
    blanked: structlog.typing.EventDict = redact(event)
    return blanked


def logging_settings(*, json: bool, level: str) -> dict[str, Any]:
    """Return the `dictConfig` of every process; all lines go to standard error."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(default=str)
        if json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.add_logger_name,
                    structlog.stdlib.ExtraAdder(),
                    structlog.processors.TimeStamper(fmt="iso", utc=True),
                ],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    redact_event,
                    renderer,
                ],
            }
        },
        "handlers": {
            "stderr": {"class": "arbsite.log_sink.UnhurriedHandler", "formatter": "structured"}
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            name: {"handlers": [], "propagate": True, "level": floor}
            for name, floor in {
                "django": level,
                "django.server": level,
                "uvicorn": level,
                "uvicorn.access": "WARNING",
                "celery": "WARNING",
                "celery.beat": "WARNING",
                "ccxt": "WARNING",
                # They name addresses at INFO, and a bot's token is in its address.
                "httpx": "WARNING",
                "httpcore": "WARNING",
                "telegram": "WARNING",
            }.items()
        },
    }
