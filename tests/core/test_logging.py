from __future__ import annotations

import json
import logging
import logging.config
from typing import Any

import pytest

from arbsite.logging import logging_settings, redact

pytestmark = pytest.mark.core


def rendered(
    caught: pytest.CaptureFixture[str],
    message: str,
    error: Exception | None = None,
    **extra: object,
) -> dict[str, Any]:
    """Log once through the JSON formatter and return the line."""
    formatter_settings = logging_settings(json=True, level="INFO")["formatters"]["structured"]
    handler = logging.StreamHandler()
    handler.setFormatter(formatter_settings.pop("()")(**formatter_settings))
    logger = logging.Logger("trading.services.submit")
    logger.addHandler(handler)
    logger.warning(message, exc_info=error, extra=extra)
    line: dict[str, Any] = json.loads(caught.readouterr().err)
    return line


def test_a_line_carries_time_level_logger_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    line = rendered(capsys, "leg submitted", client_order_id="c1a2", position="p9")

    assert line["event"] == "leg submitted"
    assert line["level"] == "warning"
    assert line["logger"] == "trading.services.submit"
    assert line["client_order_id"] == "c1a2"
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("message", "secret"),
    [
        ("GET /api/v3/order?symbol=BTCUSDT&signature=ab12cd&timestamp=1", "ab12cd"),
        ("headers {'X-MBX-APIKEY': 'vmPUZE6mv9', 'Accept': '*/*'}", "vmPUZE6mv9"),
        ("X-BAPI-SIGN-TYPE: 2, X-BAPI-API-KEY: k9k9k9", "k9k9k9"),
        ('{"apiKey": "k1k1", "secret": "s1s1"}', "s1s1"),
        ("authorization: Bearer t0t0t0", "t0t0t0"),
        ("wss://stream/ws/" + "a1B2" * 16, "a1B2" * 16),
        ("password=hunter2; retry", "hunter2"),
    ],
)
def test_no_secret_in_a_message_reaches_the_line(
    capsys: pytest.CaptureFixture[str], message: str, secret: str
) -> None:
    assert secret not in rendered(capsys, message)["event"]


def test_fields_named_like_secrets_are_blanked_at_any_depth() -> None:
    event = {"request": {"api_key": "k", "params": [{"listenKey": "l"}]}, "symbol": "BTC/USDT:USDT"}

    assert redact(event) == {
        "request": {"api_key": "[redacted]", "params": [{"listenKey": "[redacted]"}]},
        "symbol": "BTC/USDT:USDT",
    }


def test_secrets_in_a_stack_trace_are_blanked(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError("refused: signature=ab12cd")
    except ValueError as error:
        line = rendered(capsys, "call failed", error)

    assert "ab12cd" not in json.dumps(line)


def test_what_a_venue_says_stays_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    said = 'refused\n{"event": "position closed", "level": "info"}\r\x1b[2J*_[a](b)'

    line = rendered(capsys, f"order refused: {said}", reason=said)

    assert line["level"] == "warning"
    assert line["reason"] == said
