"""A mailbox is told nothing before its owner has typed the code that was mailed there."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django.fixtures import Settings

from alerts.bot.readings import health
from alerts.bot.speaker import Speaker
from alerts.models import Alert, Channel, MailedCode
from alerts.services.channels import ChannelRefused, add_mailbox, remove
from alerts.services.deliver import deliver
from alerts.services.hear import hear
from alerts.services.mailboxes import LASTS, MOST_TRIES, CodeRefused, confirm, mail_code
from alerts.services.second_way import missing_second_way
from alerts.templatetags.alerting import kinds_that_work, silent_channels
from alerts.transports.port import Undelivered
from arbsite.accounts.models import AuditEntry, User
from arbsite.launcher.ports import free_port
from tests.alerts.bot_api import BotApi
from tests.alerts.conftest import NOW
from tests.alerts.test_hear import say

pytestmark = [pytest.mark.db, pytest.mark.django_db]

ADDRESS = "owner@mail.example"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture(autouse=True)
def mail_server(settings: Settings) -> None:
    settings.EMAIL_HOST = "127.0.0.1"


@pytest.fixture
def mailbox(owner: User) -> Channel:
    """A mailbox of the owner that waits for its code."""
    return add_mailbox(owner, ADDRESS, is_second=False, now=NOW)


def mailed(channel: Channel, *, after: timedelta = timedelta(0)) -> str:
    """Have a code mailed and return it as it stands in the mail."""
    mail_code(channel, actor=channel.user.get_username(), now=NOW + after)
    return code_in(str(mail.outbox[-1].body))


def code_in(text: str) -> str:
    found = re.search(r"^    ([A-Z2-9]{4}(?: [A-Z2-9]{4}){2})$", text, re.MULTILINE)
    assert found is not None, text
    return found[1]


def typed(channel: Channel, code: str, *, after: timedelta = timedelta(0)) -> bool:
    return confirm(channel, code, actor=channel.user.get_username(), now=NOW + after)


def other_than(code: str) -> str:
    return ("A" if code[0] != "A" else "B") + code[1:]


def test_nothing_but_the_code_is_mailed_before_it_was_typed(owner: User, mailbox: Channel) -> None:
    code = mailed(mailbox)
    say(owner)
    hear(now=NOW)
    deliver(Channel.Kind.EMAIL, clock=lambda: NOW)
    assert [message.subject for message in mail.outbox] == ["Carry: confirm this mailbox"]
    assert mail.outbox[0].to == [ADDRESS]
    assert owner.get_username() not in mail.outbox[0].body

    assert typed(mailbox, f" {code.lower()} ")

    # Nobody has acknowledged: it is said again, there too.
    hear(now=NOW + 5 * MINUTE)
    deliver(Channel.Kind.EMAIL, clock=lambda: NOW + 5 * MINUTE)
    assert mail.outbox[-1].subject == "🔴 CRITICAL | Order Unclear"
    mailbox.refresh_from_db()
    assert mailbox.confirmed_at == NOW


def test_what_was_written_for_a_mailbox_that_is_not_confirmed_stays(
    owner: User, mailbox: Channel
) -> None:
    say(owner)
    hear(now=NOW)
    alert = Alert.objects.get()
    alert.deliveries.create(channel=mailbox, created_at=NOW, due_at=NOW)

    assert deliver(Channel.Kind.EMAIL, clock=lambda: NOW) == 0
    assert mail.outbox == []


def test_a_critical_skips_a_second_channel_that_is_not_confirmed(
    owner: User, chat: Channel, bot_api: BotApi
) -> None:
    second = add_mailbox(owner, ADDRESS, is_second=True, now=NOW)
    say(owner)
    hear(now=NOW)
    bot_api.fails(502)

    deliver(Channel.Kind.TELEGRAM, clock=lambda: NOW)

    assert not second.deliveries.exists()
    assert typed(second, mailed(second))
    bot_api.fails(502)
    deliver(Channel.Kind.TELEGRAM, clock=lambda: NOW + 2 * SECOND)
    assert deliver(Channel.Kind.EMAIL, clock=lambda: NOW + 2 * SECOND) == 1


def test_a_code_is_good_once(mailbox: Channel) -> None:
    code = mailed(mailbox)

    assert typed(mailbox, code)
    Channel.objects.update(confirmed_at=None)
    assert not typed(mailbox, code)


def test_a_code_ends_after_half_an_hour(mailbox: Channel) -> None:
    code = mailed(mailbox)

    assert not typed(mailbox, code, after=LASTS)
    assert typed(mailbox, code, after=LASTS - SECOND)


def test_a_new_code_ends_the_one_before(mailbox: Channel) -> None:
    first, second = mailed(mailbox), mailed(mailbox, after=MINUTE)

    assert not typed(mailbox, first, after=MINUTE)
    assert typed(mailbox, second, after=MINUTE)


def test_a_code_cannot_be_tried_out(mailbox: Channel) -> None:
    code = mailed(mailbox)

    tries = [typed(mailbox, other_than(code)) for _ in range(MOST_TRIES)]

    assert not any(tries)
    assert not typed(mailbox, code)
    again = mailed(mailbox, after=MINUTE)
    assert typed(mailbox, again, after=MINUTE)
    refused = AuditEntry.objects.filter(action="mailbox code refused")
    assert refused.count() == MOST_TRIES


def test_a_code_of_another_persons_mailbox_is_useless(
    mailbox: Channel, stranger: User, owner: User
) -> None:
    theirs = add_mailbox(stranger, ADDRESS, is_second=False, now=NOW)
    own_code, their_code = mailed(mailbox), mailed(theirs)

    assert not typed(mailbox, their_code)
    assert not typed(theirs, own_code)
    assert Channel.objects.unconfirmed().count() == 2


def test_a_code_of_a_removed_mailbox_is_useless_for_the_one_added_again(
    owner: User, mailbox: Channel
) -> None:
    code = mailed(mailbox)
    remove(mailbox, actor="owner", now=NOW)
    again = add_mailbox(owner, ADDRESS, is_second=False, now=NOW)

    assert not typed(mailbox, code)
    assert not typed(again, code)


def test_codes_are_mailed_a_minute_apart_also_where_the_mailbox_was_added_again(
    owner: User, mailbox: Channel
) -> None:
    mailed(mailbox)
    with pytest.raises(CodeRefused, match=r"ask for another in 41 s\."):
        mailed(mailbox, after=20 * SECOND)

    remove(mailbox, actor="owner", now=NOW)
    again = add_mailbox(owner, ADDRESS.upper(), is_second=False, now=NOW)
    with pytest.raises(CodeRefused, match="was mailed just now"):
        mailed(again, after=59 * SECOND)
    assert mailed(again, after=MINUTE)
    assert len(mail.outbox) == 2


def test_ten_codes_a_day_are_mailed_for_one_person_and_others_are_not_kept_from_theirs(
    owner: User, stranger: User
) -> None:
    for number in range(5):
        channel = add_mailbox(owner, f"{number}@mail.example", is_second=False, now=NOW)
        mailed(channel)
        mailed(channel, after=MINUTE)
    with pytest.raises(CodeRefused, match="10 codes were mailed for you within a day"):
        mailed(channel, after=2 * MINUTE)
    assert len(mail.outbox) == 10

    assert mailed(add_mailbox(stranger, "0@mail.example", is_second=False, now=NOW))
    assert mailed(channel, after=DAY + MINUTE)


def test_a_mailbox_that_is_confirmed_waits_for_no_code(mailbox: Channel) -> None:
    assert typed(mailbox, mailed(mailbox))

    with pytest.raises(CodeRefused, match="waits for no code"):
        mailed(mailbox, after=MINUTE)


def test_a_mail_server_that_fails_is_told_and_nothing_is_confirmed(
    mailbox: Channel, settings: Settings
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = SMTP, free_port()

    with pytest.raises(Undelivered, match=r"the mail server fails \(ConnectionRefusedError\)"):
        mail_code(mailbox, actor="owner", now=NOW)

    assert Channel.objects.unconfirmed().exists()


def test_neither_code_nor_address_is_in_a_log_or_the_audit_and_of_a_code_a_digest_is_kept(
    mailbox: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = mailed(mailbox)
    typed(mailbox, other_than(code))
    typed(mailbox, code)

    entries = AuditEntry.objects.order_by("pk")
    assert [entry.action for entry in entries] == [
        "alert channel added",
        "mailbox code mailed",
        "mailbox code refused",
        "mailbox confirmed",
    ]
    kept = str([entry.details for entry in entries]) + str(list(MailedCode.objects.values()))
    said = caplog.text + kept
    for secret in (code, code.replace(" ", ""), ADDRESS):
        assert secret not in said


def test_no_second_channel_that_works_is_told_with_what_to_do(
    owner: User, chat: Channel, mailbox: Channel
) -> None:
    assert missing_second_way(owner) == (
        "No second channel works: when Telegram fails, a CRITICAL reaches you on these pages "
        "only. Confirm your mailbox below."
    )
    assert kinds_that_work(owner) == "Telegram"

    typed(mailbox, mailed(mailbox))
    assert missing_second_way(owner) == ""
    assert kinds_that_work(owner) == "E-mail, Telegram"

    Channel.objects.filter(pk=mailbox.pk).update(failures=3, failing_since=NOW)
    assert missing_second_way(owner).endswith("Add one of another kind below.")
    Channel.objects.update(failures=3, failing_since=NOW)
    assert missing_second_way(owner).startswith("None of your channels works")
    assert len(silent_channels(owner)) == 2


def test_another_mailbox_is_no_second_way_beside_a_mailbox(owner: User, mailbox: Channel) -> None:
    typed(mailbox, mailed(mailbox))
    add_mailbox(owner, "second@mail.example", is_second=True, now=NOW)

    assert missing_second_way(owner) == (
        "No second channel works: when E-mail fails, a CRITICAL reaches you on these pages only. "
        "Add one of another kind below."
    )


def test_two_chats_fail_together_and_who_has_no_channel_is_told_elsewhere(
    owner: User, stranger: User, chat: Channel
) -> None:
    Channel.objects.create(user=owner, kind="telegram", address="1002", created_at=NOW)

    assert missing_second_way(owner).startswith("No second channel works: when Telegram fails")
    assert missing_second_way(stranger) == ""


def test_the_bot_says_that_a_mailbox_is_not_confirmed(owner: User, mailbox: Channel) -> None:
    lines = health(Speaker(user=owner, chat_id="1", now=NOW)).lines

    assert "E-mail: not confirmed, nothing is sent there" in lines


def test_the_same_mailbox_is_added_once(owner: User, mailbox: Channel) -> None:
    with pytest.raises(ChannelRefused, match="is a channel of yours already"):
        add_mailbox(owner, ADDRESS, is_second=True, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_mail_one_code(owner: User, mailbox: Channel) -> None:
    together = threading.Barrier(2)

    def ask(_: int) -> bool:
        together.wait(10)
        try:
            mail_code(mailbox, actor="owner", now=NOW)
        except CodeRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ask, range(2))) == [False, True]
    assert len(mail.outbox) == 1


@pytest.fixture
def before() -> Generator[MigrationExecutor]:
    """A database of an earlier version; it is brought to the newest afterwards."""
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes()
    executor.migrate([("alerts", "0002_age_indexes")])
    yield MigrationExecutor(connection)
    MigrationExecutor(connection).migrate(newest)


@pytest.mark.django_db(transaction=True)
def test_mailboxes_of_an_earlier_version_are_told_as_before(
    owner: User, before: MigrationExecutor
) -> None:
    old = before.loader.project_state([("alerts", "0002_age_indexes")]).apps
    for kind, address in (("email", ADDRESS), ("telegram", "1001")):
        old.get_model("alerts", "Channel").objects.create(
            user_id=owner.pk, kind=kind, address=address, created_at=NOW
        )

    before.migrate([("alerts", "0003_confirmed_mailboxes")])

    told = Channel.objects.in_use().order_by("kind").values_list("kind", "confirmed_at")
    assert list(told) == [("email", NOW), ("telegram", None)]
