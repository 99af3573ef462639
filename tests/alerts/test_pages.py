"""The pages of alerts: acknowledging, channels, what one hears; each person their own."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from alerts.bot.gate import answer
from alerts.bot.said import Said
from alerts.models import Alert, Channel, Preferences
from alerts.services.deliver import deliver
from alerts.services.hear import hear
from alerts.services.mailboxes import LASTS, mail_code
from alerts.urls import urlpatterns
from arbsite.accounts.models import AuditEntry, User
from arbsite.launcher.ports import free_port
from exchanges.sealing import Sealed
from tests.alerts.conftest import CHAT, NOW
from tests.alerts.test_hear import say

pytestmark = [pytest.mark.db, pytest.mark.django_db]


@pytest.fixture
def browser(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def alert(owner: User) -> Alert:
    say(owner, "Owner's <b>trouble</b>")
    hear(now=NOW)
    return Alert.objects.get()


def shown(answered: object) -> str:
    return unescape(answered.content.decode())  # type: ignore[attr-defined]


def addresses(alert: Alert, channel: Channel) -> list[tuple[str, str]]:
    known = {"alert_id": alert.pk, "channel_id": channel.pk}
    return [
        (
            str(pattern.name),
            reverse(
                f"alerts:{pattern.name}",
                kwargs={name: known[name] for name in pattern.pattern.converters},
            ),
        )
        for pattern in urlpatterns
    ]


@pytest.mark.parametrize("method", ["get", "post"])
def test_visitors_and_disabled_users_are_sent_to_sign_in(
    browser: Client, owner: User, alert: Alert, chat: Channel, method: str
) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)

    for client in (Client(), browser):
        for _, address in addresses(alert, chat):
            answered = getattr(client, method)(address)
            assert answered.status_code == 302, address
            assert answered["Location"].startswith("/account/login/"), address


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_sees_and_ends_nothing_of_the_owner(
    stranger: User, alert: Alert, chat: Channel, method: str
) -> None:
    client = Client()
    client.force_login(stranger)

    for name, address in addresses(alert, chat):
        answered = getattr(client, method)(address)
        assert answered.status_code < 500, address
        if name in ("acknowledge", "remove", "mail_code", "confirm"):
            assert answered.status_code == (404 if method == "post" else 405), address
        assert "trouble" not in shown(answered), address
        assert f">{CHAT}<" not in shown(answered), address

    alert.refresh_from_db()
    chat.refresh_from_db()
    assert alert.acknowledged_at is None
    assert chat.is_active


def test_forms_without_a_token_do_nothing(owner: User, alert: Alert) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)

    assert client.post(f"/alerts/{alert.pk}/acknowledge/").status_code == 403
    assert Alert.objects.waiting().exists()


def test_what_waits_is_shown_as_text_and_acknowledged_by_a_press(
    browser: Client, alert: Alert
) -> None:
    page = browser.get("/alerts/").content.decode()
    assert "Owner&#x27;s &lt;b&gt;trouble&lt;/b&gt;" in page
    assert f"/alerts/{alert.pk}/acknowledge/" in page

    fragment = browser.post(
        f"/alerts/{alert.pk}/acknowledge/", headers={"HX-Request": "true"}
    ).content.decode()

    assert fragment.startswith('<section class="p al" id="waiting"')
    assert "Nothing waits for you." in fragment
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.repeat_at) == ("owner", None)


def test_all_are_acknowledged_at_once_and_without_scripts(
    browser: Client, owner: User, alert: Alert
) -> None:
    say(owner, "another")
    hear(now=NOW)

    answered = browser.post("/alerts/acknowledge/")

    assert answered["Location"] == "/alerts/"
    assert not Alert.objects.waiting().exists()


def test_reading_does_not_acknowledge(browser: Client, owner: User, alert: Alert) -> None:
    browser.post("/alerts/read/")

    assert not owner.events.filter(read_at=None).exists()
    assert Alert.objects.waiting().exists()


def test_a_chat_is_linked_with_the_code_of_the_page(
    browser: Client, owner: User, settings: Settings
) -> None:
    settings.CARRY_TELEGRAM_TOKEN_FILE.touch(mode=0o600)
    page = shown(browser.post("/alerts/channels/link/"))
    settings.CARRY_TELEGRAM_TOKEN_FILE.unlink()
    found = re.search(r"/start ([A-Z2-9]{12})", page)
    assert found is not None
    now = datetime.now(tz=NOW.tzinfo)

    said = Said(update_id=1, chat_id=CHAT, sender_id=CHAT, is_private=True, text=found[0], at=now)
    answer(said, now=now)

    assert Channel.objects.get().user == owner
    assert f">{CHAT}<" in shown(browser.get("/alerts/channels/"))
    assert found[1] not in shown(browser.get("/alerts/channels/"))


def test_a_chat_that_is_removed_commands_nothing(
    browser: Client, owner: User, chat: Channel
) -> None:
    browser.post(f"/alerts/channels/{chat.pk}/remove/")

    said = Said(update_id=1, chat_id=CHAT, sender_id=CHAT, is_private=True, text="/status", at=NOW)
    assert answer(said, now=NOW) is None
    assert AuditEntry.objects.filter(action="alert channel removed").count() == 1


def test_a_mailbox_is_added_tested_and_written_to(
    browser: Client, owner: User, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    body = {"address": "owner@example.com"}
    assert browser.post("/alerts/channels/mailbox/", body).status_code == 302
    again = browser.post("/alerts/channels/mailbox/", body)
    assert again.status_code == 422
    assert "is a channel of yours already" in shown(again)

    none = browser.post("/alerts/channels/test/", follow=True)
    assert "No test was sent: no channel of yours is in use." in shown(none)
    Channel.objects.update(confirmed_at=NOW)
    browser.post("/alerts/channels/test/")
    now = datetime.now(tz=NOW.tzinfo)
    hear(now=now)
    deliver(Channel.Kind.EMAIL, clock=lambda: now + timedelta(seconds=1))

    subjects = [message.subject for message in mail.outbox]
    assert subjects == ["Carry: confirm this mailbox", "🟢 INFO | Test"]


@pytest.mark.parametrize("address", ["nobody", "a@b\nBcc: c@d.example", "", "a@" + "b" * 300])
def test_a_mailbox_that_is_none_is_refused(
    browser: Client, settings: Settings, address: str
) -> None:
    settings.EMAIL_HOST = "mail.example.com"

    assert browser.post("/alerts/channels/mailbox/", {"address": address}).status_code == 422
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "https://a:b@example.com/",
        "",
    ],
)
def test_a_webhook_that_leads_inside_is_refused_with_a_sentence(
    browser: Client, address: str
) -> None:
    answered = browser.post("/alerts/channels/webhook/", {"address": address})

    assert answered.status_code == 422
    assert 'class="why"' in shown(answered)
    assert not Channel.objects.exists()


def test_the_secret_of_a_webhook_is_shown_once_and_kept_shut(browser: Client) -> None:
    body = {"address": "https://hooks.example.com/x", "is_second": "on"}
    found = re.search(
        r"shown this once: <b>([\w-]{40,})</b>",
        shown(browser.post("/alerts/channels/webhook/", body)),
    )

    assert found is not None
    channel = Channel.objects.get()
    assert channel.is_second
    assert isinstance(channel.secret, Sealed)
    assert found[1] not in shown(browser.get("/alerts/channels/"))


def test_what_one_hears_is_kept_and_thresholds_are_percent(browser: Client, owner: User) -> None:
    body = {
        "least": "warning",
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "repeat_minutes": "10",
        "report_hour": "",
        "adverse_percent": "0.5",
        "limit_percent": "90",
    }
    page = shown(browser.get("/alerts/channels/"))
    assert 'value="0.25"' in page and 'value="80"' in page

    assert browser.post("/alerts/channels/", body).status_code == 302

    own = Preferences.objects.get(user=owner)
    assert (own.adverse_basis, own.limit_share) == (Decimal("0.005"), Decimal("0.9"))
    assert (own.least, own.report_hour, own.repeat_minutes) == ("warning", None, 10)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("quiet_until", ""),
        ("quiet_from", "25:00"),
        ("repeat_minutes", "0"),
        ("report_hour", "24"),
        ("adverse_percent", "NaN"),
        ("adverse_percent", "-1"),
        ("limit_percent", "101"),
        ("least", "loud"),
    ],
)
def test_wishes_that_make_no_sense_are_refused_and_nothing_is_kept(
    browser: Client, owner: User, field: str, value: str
) -> None:
    body = {
        "least": "info",
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "repeat_minutes": "5",
        "report_hour": "8",
        "adverse_percent": "0.25",
        "limit_percent": "80",
    }

    answered = browser.post("/alerts/channels/", body | {field: value})

    assert answered.status_code == 422
    assert 'class="why"' in shown(answered)
    assert Preferences.objects.get(user=owner).quiet_from is None


def test_every_page_tells_of_a_channel_that_does_not_deliver(
    browser: Client, chat: Channel
) -> None:
    assert "has not delivered" not in shown(browser.get("/"))
    Channel.objects.update(
        failures=3, failing_since=NOW, last_error="Telegram does not answer in time"
    )

    page = shown(browser.get("/"))

    assert "Telegram has not delivered your alerts since" in page
    assert "Telegram does not answer in time" in page


def test_staff_sees_what_was_told_and_no_address_or_secret(
    owner: User, alert: Alert, chat: Channel
) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="root-password"))

    for model, row in (("channel", chat), ("alert", alert)):
        for address in (f"/admin/alerts/{model}/", f"/admin/alerts/{model}/{row.pk}/change/"):
            answered = client.get(address)
            assert answered.status_code == 200, address
            assert f"{CHAT}" not in shown(answered), address
            assert chat.authority not in shown(answered), address


def test_a_mailbox_is_confirmed_on_the_page_with_the_code_that_was_mailed(
    browser: Client, owner: User, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    added = browser.post("/alerts/channels/mailbox/", {"address": "o@mail.example"})
    channel = Channel.objects.get()
    assert added["Location"] == "/alerts/channels/"
    page = shown(browser.get("/alerts/channels/"))
    assert "<b>not confirmed</b>: nothing is sent there" in page
    assert "None of your channels works" in page
    [code] = re.findall(r"(?:[A-Z2-9]{4} ?){3}", str(mail.outbox[0].body))

    wrong = browser.post(f"/alerts/channels/{channel.pk}/confirm/", {"code": "ABCD EFGH JKLM"})
    assert wrong.status_code == 422
    assert "This code is not good" in shown(wrong)
    assert 'aria-invalid="true"' in shown(wrong)
    again = browser.post(f"/alerts/channels/{channel.pk}/code/")
    assert again.status_code == 422
    assert "A code was mailed just now" in shown(again)

    right = browser.post(f"/alerts/channels/{channel.pk}/confirm/", {"code": code}, follow=True)
    assert "Confirmed: alerts are sent there from now on." in shown(right)
    assert "not confirmed" not in shown(right)
    assert "No second channel works: when E-mail fails" in shown(right)
    gone = browser.post(f"/alerts/channels/{channel.pk}/confirm/", {"code": code})
    assert gone.status_code == 404


@pytest.mark.parametrize("code", ["ABCD EFGH JKLM", "", "\0", "x" * 101, "ß٣"])
def test_wrong_and_expired_codes_are_answered_alike(
    browser: Client, owner: User, settings: Settings, code: str
) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    channel = Channel.objects.create(
        user=owner, kind="email", address="o@mail.example", created_at=NOW
    )
    now = datetime.now(tz=NOW.tzinfo)
    mail_code(channel, actor="owner", now=now - LASTS)
    address = f"/alerts/channels/{channel.pk}/confirm/"
    [expired] = re.findall(r"(?:[A-Z2-9]{4} ?){3}", str(mail.outbox[0].body))

    late, wrong = (browser.post(address, {"code": one}) for one in (expired, code))

    assert (late.status_code, wrong.status_code) == (422, 422)
    why = re.compile(r'<p class="why"[^>]*>(.*?)</p>')
    assert why.findall(shown(late)) == why.findall(shown(wrong))


def test_a_mail_server_that_is_away_is_told_beside_the_mailbox(
    browser: Client, settings: Settings
) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

    answered = browser.post("/alerts/channels/mailbox/", {"address": "o@mail.example"})

    assert answered.status_code == 422
    assert "No code was mailed, the mail server fails (ConnectionRefusedError)" in shown(answered)
    assert Channel.objects.unconfirmed().count() == 1
