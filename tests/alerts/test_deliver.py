"""From alerts to people: over Telegram, by mail, to a webhook, and what happens when one fails."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Generator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from django.core import mail
from pytest_django.fixtures import Settings

from alerts.models import Alert, Channel, Delivery, Preferences
from alerts.services.acknowledge import acknowledge
from alerts.services.channels import add_webhook, remove
from alerts.services.deliver import deliver
from alerts.services.hear import hear
from alerts.services.wishes import preferences_of
from alerts.transports.port import Target
from alerts.wording import Message
from arbsite.accounts.models import User
from arbsite.logging import logging_settings, redact_text
from tests.alerts.bot_api import TOKEN, BotApi
from tests.alerts.conftest import CHAT, NOW
from tests.alerts.test_hear import say

pytestmark = [pytest.mark.db, pytest.mark.django_db]

TELEGRAM, EMAIL, WEBHOOK = Channel.Kind.TELEGRAM, Channel.Kind.EMAIL, Channel.Kind.WEBHOOK
SECOND = timedelta(seconds=1)


def deliver_at(kind: Channel.Kind, at: datetime = NOW) -> int:
    return deliver(kind, clock=lambda: at)


def raise_alert(user: User, sentence: str = "2 orders are unknown", **how: str) -> Alert:
    say(user, sentence, **how)  # type: ignore[arg-type]
    hear(now=NOW)
    return Alert.objects.latest("pk")


def test_a_critical_sounds_and_small_news_do_not(
    owner: User, chat: Channel, bot_api: BotApi
) -> None:
    for severity in ("warning", "critical"):
        raise_alert(owner, severity, kind="funding.late", severity=severity)
    raise_alert(owner, "Account released", kind="account.released", severity="info")

    assert deliver_at(TELEGRAM) == 3

    by_severity = {message["text"].split()[1]: message for message in bot_api.sent}
    critical = by_severity["CRITICAL"]
    assert critical["text"].startswith("<b>🔴 CRITICAL | Funding Differs</b>\ncritical\n")
    assert critical["chat_id"] == str(CHAT)
    assert critical["parse_mode"] == "HTML"
    silent = {severity: one["disable_notification"] for severity, one in by_severity.items()}
    assert silent == {"CRITICAL": "false", "WARNING": "false", "INFO": "true"}


def test_quiet_hours_take_the_sound_from_warnings_only(
    owner: User, chat: Channel, bot_api: BotApi
) -> None:
    preferences_of(owner)
    Preferences.objects.update(quiet_from="11:00", quiet_until="13:00")
    raise_alert(owner, severity="warning")
    raise_alert(owner)

    deliver_at(TELEGRAM)

    silent = {one["text"].split()[1]: one["disable_notification"] for one in bot_api.sent}
    assert silent == {"CRITICAL": "false", "WARNING": "true"}


def test_what_was_sent_is_not_sent_again(owner: User, chat: Channel, bot_api: BotApi) -> None:
    raise_alert(owner)

    assert deliver_at(TELEGRAM) == 1
    assert deliver_at(TELEGRAM, NOW + timedelta(hours=1)) == 0
    assert len(bot_api.sent) == 1


def test_another_process_takes_nothing_that_is_being_sent(
    owner: User, chat: Channel, bot_api: BotApi
) -> None:
    raise_alert(owner)
    Delivery.objects.update(attempts=1, due_at=NOW + timedelta(seconds=30))

    assert deliver_at(TELEGRAM, NOW + timedelta(seconds=29)) == 0
    # Whoever took it has died: a message may come twice and never not at all.
    assert deliver_at(TELEGRAM, NOW + timedelta(seconds=30)) == 1


def test_a_channel_that_fails_is_tried_again_and_a_critical_goes_by_the_second_at_once(
    owner: User, chat: Channel, second: Channel, bot_api: BotApi, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    raise_alert(owner)
    bot_api.fails(502, times=2)

    assert deliver_at(TELEGRAM) == 0
    chat.refresh_from_db()
    assert (chat.failures, chat.failing_since) == (1, NOW)
    assert chat.last_error == "Telegram cannot be reached or fails (5xx)"
    assert deliver_at(EMAIL) == 1
    assert mail.outbox[0].subject == "🔴 CRITICAL | Order Unclear"

    assert deliver_at(TELEGRAM, NOW + SECOND) == 0
    assert deliver_at(TELEGRAM, NOW + 2 * SECOND) == 0
    assert deliver_at(TELEGRAM, NOW + 5 * SECOND) == 0
    assert deliver_at(TELEGRAM, NOW + 6 * SECOND) == 1
    chat.refresh_from_db()
    assert (chat.failures, chat.failing_since, chat.last_error) == (0, None, "")
    assert deliver_at(EMAIL, NOW + 60 * SECOND) == 0


def test_a_warning_goes_by_the_second_channel_at_the_third_failure(
    owner: User, chat: Channel, second: Channel, bot_api: BotApi
) -> None:
    raise_alert(owner, severity="warning")
    bot_api.fails(500, times=3)

    for at, handed_over in ((0, False), (2, False), (6, True)):
        deliver_at(TELEGRAM, NOW + at * SECOND)
        assert second.deliveries.exists() is handed_over


def test_telegram_is_given_the_time_it_asks_for(
    owner: User, chat: Channel, bot_api: BotApi
) -> None:
    raise_alert(owner)
    bot_api.fails(429, retry_after=37)

    assert deliver_at(TELEGRAM) == 0
    assert chat.deliveries.get().due_at == NOW + timedelta(seconds=37)
    assert deliver_at(TELEGRAM, NOW + timedelta(seconds=37)) == 1


def test_a_chat_that_blocked_the_bot_is_not_tried_again(
    owner: User, chat: Channel, second: Channel, bot_api: BotApi
) -> None:
    raise_alert(owner, severity="warning")
    bot_api.fails(403)

    deliver_at(TELEGRAM)

    assert chat.deliveries.get().state == "dropped"
    assert second.deliveries.exists()


def test_a_telegram_that_is_away_is_no_end(
    owner: User, chat: Channel, bot_api: BotApi, settings: Settings
) -> None:
    settings.CARRY_TELEGRAM_URL = "http://127.0.0.1:1"
    raise_alert(owner)
    assert deliver_at(TELEGRAM) == 0

    settings.CARRY_TELEGRAM_URL = bot_api.url
    assert deliver_at(TELEGRAM, NOW + 2 * SECOND) == 1


def test_small_news_are_dropped_after_an_hour_of_failures(
    owner: User, chat: Channel, bot_api: BotApi
) -> None:
    raise_alert(owner, kind="account.released", severity="info")
    bot_api.fails(500)

    deliver_at(TELEGRAM, NOW + timedelta(minutes=61))

    assert chat.deliveries.get().state == "dropped"


def test_a_failure_nobody_has_foreseen_keeps_no_other_message_back(
    owner: User, chat: Channel
) -> None:
    arrived = []

    async def send(target: Target, message: Message) -> None:
        if message.severity == "critical":
            raise ValueError("a secret of the library")
        arrived.append(message.severity)

    raise_alert(owner)
    raise_alert(owner, severity="warning")

    assert deliver(TELEGRAM, clock=lambda: NOW, send=send) == 1
    assert arrived == ["warning"]
    failed = Delivery.objects.get(alert__severity="critical")
    assert (failed.state, failed.last_error) == ("pending", "it failed (ValueError)")


def test_what_an_outage_has_piled_up_hides_no_critical(
    owner: User, chat: Channel, bot_api: BotApi
) -> None:
    for number in range(12):
        raise_alert(owner, f"{chr(97 + number)} is slow", severity="warning")
    raise_alert(owner)

    assert deliver_at(TELEGRAM) == 10

    assert [one for one in bot_api.sent if "CRITICAL" in one["text"]]
    assert deliver_at(TELEGRAM) == 3


def test_what_was_read_meanwhile_or_has_no_channel_any_more_is_not_sent(
    owner: User, chat: Channel, bot_api: BotApi
) -> None:
    raise_alert(owner)
    acknowledge(owner, actor="owner", now=NOW)
    raise_alert(owner, "another")
    remove(chat, actor="owner", now=NOW)

    assert deliver_at(TELEGRAM, NOW + timedelta(hours=1)) == 0
    assert bot_api.sent == []


@pytest.mark.parametrize("status", [401, 404, 500, 429, 403, 400])
def test_the_bots_token_is_in_no_log_row_or_exception(
    owner: User,
    chat: Channel,
    bot_api: BotApi,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    loggers = logging_settings(json=True, level="INFO")["loggers"]
    for name in ("httpx", "httpcore", "telegram"):
        caplog.set_level(loggers[name]["level"], logger=name)
    caplog.set_level(logging.DEBUG)
    raise_alert(owner)
    bot_api.fails(status, retry_after=1)

    deliver_at(TELEGRAM)

    said = [record.getMessage() + str(record.exc_info) for record in caplog.records]
    kept = [delivery.last_error for delivery in Delivery.objects.all()]
    kept += [channel.last_error for channel in Channel.objects.all()]
    assert kept[0]
    assert not [text for text in [*said, *kept] if TOKEN.partition(":")[2] in text]


def test_a_token_that_reaches_the_log_all_the_same_is_blanked() -> None:
    for text in (f"POST https://api.telegram.org/bot{TOKEN}/x", f"The token `{TOKEN}` is bad"):
        assert "canary" not in redact_text(text)


def test_a_token_that_others_can_read_is_not_used(
    owner: User, chat: Channel, bot_api: BotApi, settings: Settings
) -> None:
    Path(settings.CARRY_TELEGRAM_TOKEN_FILE).chmod(0o644)
    raise_alert(owner)

    assert deliver_at(TELEGRAM) == 0
    assert "chmod 600" in chat.deliveries.get().last_error
    assert bot_api.sent == []


class Hook(BaseHTTPRequestHandler):
    """A webhook's other side: keeps what comes and answers as it is told."""

    came: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []
    status: ClassVar[int] = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.came.append((self.path, dict(self.headers), body))
        self.send_response(self.status)
        self.send_header("Location", f"http://{self.headers['Host']}/inside")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Generator[str]:
    Hook.came.clear()
    Hook.status = 204
    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}/carry?key=1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def loopback_is_allowed(settings: Settings) -> None:
    settings.CARRY_WEBHOOK_NETWORKS = ["127.0.0.0/8", "::1/128"]


@pytest.mark.usefixtures("loopback_is_allowed")
def test_a_webhook_gets_a_body_signed_with_its_own_secret(owner: User, hook: str) -> None:
    _, secret = add_webhook(owner, hook, is_second=False, now=NOW)
    alert = raise_alert(owner)

    assert deliver_at(WEBHOOK) == 1

    [(path, headers, body)] = Hook.came
    assert path == "/carry?key=1"
    assert headers["Host"].startswith("localhost:")
    stamp, given = (part.partition("=")[2] for part in headers["Carry-Signature"].split(","))
    signed = f"{stamp}.".encode() + body
    assert hmac.compare_digest(given, hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest())
    content = json.loads(body)
    assert (content["alert"], content["severity"]) == (alert.pk, "critical")
    assert content["lines"] == ["2 orders are unknown"]


def test_a_webhook_that_leads_inside_is_never_called(owner: User, hook: str) -> None:
    channel, _ = add_webhook(owner, hook, is_second=False, now=NOW)
    raise_alert(owner)

    assert deliver_at(WEBHOOK) == 0

    assert Hook.came == []
    assert "no public address" in channel.deliveries.get().last_error


@pytest.mark.usefixtures("loopback_is_allowed")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(owner: User, hook: str, status: int) -> None:
    channel, _ = add_webhook(owner, hook, is_second=False, now=NOW)
    raise_alert(owner)
    Hook.status = status

    assert deliver_at(WEBHOOK) == 0

    assert [path for path, _, _ in Hook.came] == ["/carry?key=1"]
    assert "redirects are not followed" in channel.deliveries.get().last_error


@pytest.mark.usefixtures("loopback_is_allowed")
def test_the_secret_of_a_webhook_is_sealed_for_its_owner(
    owner: User, stranger: User, hook: str
) -> None:
    channel, secret = add_webhook(owner, hook, is_second=False, now=NOW)
    Channel.objects.filter(pk=channel.pk).update(user=stranger)
    raise_alert(stranger)

    assert deliver_at(WEBHOOK) == 0

    channel.refresh_from_db()
    assert secret not in repr(channel.__dict__)
    assert channel.deliveries.get().state == "dropped"
    assert Hook.came == []


def test_mail_without_a_server_says_so(owner: User, second: Channel) -> None:
    raise_alert(owner)

    assert deliver_at(EMAIL) == 0
    assert second.deliveries.get().last_error == "no mail server is configured"
