"""The bot: who is heard, what is done, and what is refused and written down."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from alerts.bot.commands import COMMANDS
from alerts.bot.gate import answer
from alerts.bot.said import Answer, Said
from alerts.models import Alert, Channel, Confirmation
from alerts.services.channels import CODE_LASTS, new_link_code
from alerts.services.hear import hear
from alerts.services.wishes import wishes_of
from arbsite.accounts.models import AuditEntry, User
from tests.alerts.conftest import CHAT
from tests.alerts.conftest import NOW as RAISED
from tests.alerts.test_hear import say
from tests.web.conftest import Desk, own_board, redis_server
from tests.web.conftest import desk as web_desk
from trading.models import Engine, KillSwitch, Position
from trading.services import engine, kill_switch

__all__ = ["own_board", "redis_server", "web_desk"]

pytestmark = [pytest.mark.db, pytest.mark.django_db]

NOW = timezone.now()
_numbers: Iterator[int] = itertools.count(500)


def message(text: str, chat: int = CHAT) -> Said:
    return Said(
        update_id=next(_numbers),
        chat_id=chat,
        sender_id=chat,
        is_private=True,
        text=text,
        at=NOW,
    )


def press(answered: Answer | None, chat: int = CHAT) -> Said:
    assert answered is not None
    [button] = answered.buttons
    token, number = button.token, next(_numbers)
    said = Said(update_id=number, chat_id=chat, sender_id=chat, is_private=True, button=token)
    return replace(said, press_id="p1")


def tell(said: Said, after: timedelta = timedelta(0)) -> str:
    answered = answer(said, now=NOW + after)
    return "" if answered is None else "\n".join(answered.lines)


def refusals() -> list[str]:
    entries = AuditEntry.objects.filter(action="telegram refused").order_by("pk")
    return [entry.details["why"] for entry in entries]


@pytest.fixture
def told(owner: User, chat: Channel) -> Channel:
    """A linked chat of a user who has nothing."""
    return chat


def test_a_code_links_a_chat_once_within_ten_minutes(owner: User, stranger: User) -> None:
    code = new_link_code(owner, now=NOW)

    assert tell(message(f"/start {code.lower()}")).startswith("This chat is linked to owner.")
    assert "not good" in tell(message(f"/start {code}", chat=2002))
    channel = Channel.objects.get()
    assert (channel.user, channel.address, channel.is_active) == (owner, str(CHAT), True)

    late = new_link_code(stranger, now=NOW)
    assert "not good" in tell(message(f"/start {late}", chat=2002), CODE_LASTS)
    assert Channel.objects.count() == 1


def test_a_new_code_ends_the_one_before_and_of_a_code_only_a_digest_is_kept(owner: User) -> None:
    first = new_link_code(owner, now=NOW)
    second = new_link_code(owner, now=NOW)

    assert "not good" in tell(message(f"/start {first}"))
    assert second not in str(list(owner.link_codes.values()))


def test_codes_cannot_be_tried_out(owner: User) -> None:
    code = new_link_code(owner, now=NOW)
    for attempt in range(5):
        assert "not good" in tell(message(f"/start WRONG{attempt}"))

    assert tell(message(f"/start {code}")) == ""
    assert not Channel.objects.exists()


def test_a_chat_that_is_linked_anew_belongs_to_whoever_holds_the_code(
    owner: User, stranger: User, chat: Channel
) -> None:
    tell(message(f"/start {new_link_code(stranger, now=NOW)}"))

    assert Channel.objects.active().get().user == stranger


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"is_private": False}, "not a private chat"),
        ({"sender_id": 7}, "sender is not the chat"),
        ({"is_bot": True}, "sender is not the chat"),
        ({"is_forwarded": True}, "forwarded message"),
        ({"chat_id": 3003, "sender_id": 3003}, "chat is not linked"),
        ({"chat_id": 0}, "no message"),
    ],
)
def test_what_is_not_said_firsthand_in_the_linked_chat_is_ignored_and_written_down(
    owner: User, told: Channel, change: dict[str, int], why: str
) -> None:
    said = replace(message("/kill"), **change)  # type: ignore[arg-type]

    assert tell(said) == ""
    assert refusals() == [why]
    assert not KillSwitch.objects.exists()


def test_an_update_that_comes_again_does_nothing(owner: User, told: Channel) -> None:
    said = message("/pause")
    engine.resume(user=owner, actor="owner", now=NOW)
    assert tell(said).startswith("Paused")
    engine.resume(user=owner, actor="owner", now=NOW)

    assert tell(said) == ""
    assert Engine.objects.get(user=owner).state == "running"
    assert refusals() == ["replayed update"]


def test_what_was_said_while_the_bot_was_away_is_not_done(owner: User, told: Channel) -> None:
    engine.resume(user=owner, actor="owner", now=NOW)

    assert tell(message("/pause"), timedelta(minutes=6)).startswith("I was away")
    assert Engine.objects.get(user=owner).state == "running"


def test_a_disabled_user_and_a_changed_password_end_the_commands(
    owner: User, told: Channel
) -> None:
    owner.set_password("another-password")
    owner.save()
    assert tell(message("/status")).startswith("Your password was changed")

    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert tell(message("/status")) == ""
    assert refusals() == ["password was changed", "user is disabled"]


def test_a_flood_of_the_same_refusal_is_one_entry(told: Channel) -> None:
    for _ in range(20):
        tell(message("/status", chat=3003))

    assert refusals() == ["chat is not linked"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_answers_a_user_who_has_nothing(told: Channel, name: str) -> None:
    assert tell(message(f"/{name}"))


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("argument", ["", "BTC", "all", "-1", "9" * 400, "<b>&", "\x00", "ß٣"])
def test_every_command_answers_a_desk_whatever_follows_it(
    web_desk: Desk, chat: Channel, name: str, argument: str
) -> None:
    assert tell(message(f"/{name} {argument}"))


def test_the_figures_are_those_of_the_pages(web_desk: Desk, chat: Channel) -> None:
    shown = tell(message("/positions"))
    assert shown.startswith(f"BTC {web_desk.position.short_id} Hedged: long BIN / short BYB")
    # Bought at 100.01, sold at 99.99, marks 100: −0.20, funding +3.00, fees 1.00.
    assert "+$1.80 (funding +$3.00)" in shown

    assert "long BIN / short BYB" in tell(message("/rates"))
    assert "Binance: 100,000.00 USDT, 90,000.00 free" in tell(message("/balance"))
    assert tell(message("/status@carry_bot")).startswith("SIMULATION: ")


def test_one_user_sees_nothing_of_another(web_desk: Desk, stranger: User, chat: Channel) -> None:
    tell(message(f"/start {new_link_code(stranger, now=NOW)}", chat=2002))

    assert tell(message("/positions", chat=2002)) == "No open positions."
    assert tell(message(f"/close {web_desk.position.pk}", chat=2002)).startswith("No open position")
    assert tell(message("/close all", chat=2002)) == "No open positions."


def test_closing_asks_for_one_press_and_then_closes(web_desk: Desk, chat: Channel) -> None:
    asked = answer(message("/close btc"), now=NOW)
    assert asked is not None
    assert "Close BTC, $1,000 a leg?" in asked.lines[0]
    web_desk.position.refresh_from_db()
    assert web_desk.position.goal == "hedged"

    pressed = press(asked)
    assert tell(pressed) == "Closing BTC."
    web_desk.position.refresh_from_db()
    assert (web_desk.position.goal, web_desk.position.close_reason) == ("flat", "manual")
    entry = AuditEntry.objects.get(action="telegram act")
    assert (entry.actor, entry.subject) == ("owner", f"close:{web_desk.position.pk}")


@pytest.mark.parametrize("named", ["all", "id", "short"])
def test_positions_are_named_in_three_ways(web_desk: Desk, chat: Channel, named: str) -> None:
    position = web_desk.position
    words = {"all": "all", "id": str(position.pk), "short": position.short_id}

    tell(press(answer(message(f"/close {words[named]}"), now=NOW)))

    assert Position.objects.get().goal == "flat"


def test_a_button_is_good_once_for_a_minute_and_for_one_chat(
    web_desk: Desk, stranger: User, chat: Channel
) -> None:
    tell(message(f"/start {new_link_code(stranger, now=NOW)}", chat=2002))
    asked = answer(message("/close all"), now=NOW)

    assert "not good any more" in tell(press(asked, chat=2002))
    assert "not good any more" in tell(press(asked), timedelta(seconds=60))
    assert "not good any more" in tell(replace(press(asked), button="made-up"))
    assert Position.objects.get().goal == "hedged"

    tell(press(asked), timedelta(seconds=59))
    assert Position.objects.get().goal == "flat"
    assert "not good any more" in tell(press(asked))
    assert refusals() == ["button is old, used or another's"] * 2  # one for each chat
    assert Confirmation.objects.count() == 1


def test_pausing_is_done_at_once_and_resuming_asks(owner: User, told: Channel) -> None:
    asked = answer(message("/resume"), now=NOW)
    assert not Engine.objects.filter(user=owner, state="running").exists()
    assert tell(press(asked)) == "Running."
    assert Engine.objects.get(user=owner).state == "running"

    tell(message("/pause"))
    assert Engine.objects.get(user=owner).state == "paused"
    assert Engine.objects.get(user=owner).changed_by == "owner (Telegram)"


def test_a_kill_stops_at_once_and_closes_after_a_press(web_desk: Desk, chat: Channel) -> None:
    engine.beat(now=timezone.now())
    asked = answer(message("/kill"), now=NOW)

    pressed = KillSwitch.objects.get()
    assert (pressed.user, pressed.closes_positions) == (web_desk.user, False)
    assert Position.objects.get().goal == "hedged"
    assert asked is not None
    assert asked.buttons[0].label == "KILL 1"

    assert tell(press(asked)).startswith("Closing 1 position at market")
    assert KillSwitch.objects.get().closes_positions
    assert Position.objects.get().goal == "flat"


def test_nobody_re_arms_from_a_chat(owner: User, told: Channel) -> None:
    engine.beat(now=timezone.now())
    tell(message("/kill"))

    assert "with your password" in tell(message("/resume"))
    assert kill_switch.active_for(owner) is not None


def test_acknowledging_ends_the_repeats(owner: User, told: Channel) -> None:
    say(owner, "first")
    say(owner, "second")
    hear(now=RAISED)
    alert = Alert.objects.order_by("pk")[0]

    assert f"#{alert.pk}" in tell(message(f"/ack {alert.pk}"))
    assert Alert.objects.waiting().count() == 1
    tell(message("/ack"))
    assert tell(message("/ack")) == "Nothing waits to be acknowledged."


def test_muting_lasts_as_long_as_was_said(owner: User, told: Channel) -> None:
    tell(message("/mute 2h"))
    assert wishes_of(owner).muted_until == NOW + timedelta(hours=2)

    tell(message("/mute 9999d"))
    assert wishes_of(owner).muted_until == NOW + timedelta(days=7)

    tell(message("/mute off"))
    assert wishes_of(owner).muted_until is None
