"""A kill from a chat while the queue is down: real positions end flat, by the bot's own process.

The Bot API is a stand-in on loopback, its updates are written after Telegram's documentation.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.alerts.bot_api import TOKEN, BotApi, running_bot_api
from tests.alerts.updates import pressed, written
from tests.machine import wait_until
from tests.scenarios.conftest import QUICK
from tests.scenarios.desk import ENDS, FIRST_LEG, PATIENCE, Desk, running_desk
from tests.scenarios.processes import Processes

pytestmark = pytest.mark.scenario

PRESSES = "SELECT pressed_at, closes_positions, pressed_by FROM trading_killswitch"
PRESSES += " WHERE rearmed_at IS NULL"
AWAY = "The queue or the workers do not answer: this bot does it by itself"
# Within this a kill is flat, or each leftover is told.
FLAT_WITHIN = 60.0


@dataclass
class Chat:
    """The person's chat as the Bot API sees it."""

    api: BotApi

    def says(self, text: str) -> dict[str, str]:
        """Write to the bot and return its answer."""
        return self._answered(written(text))

    def presses(self, message: dict[str, str]) -> dict[str, str]:
        """Press the only button of a message and return the answer."""
        [[button]] = json.loads(message["reply_markup"])["inline_keyboard"]
        return self._answered(pressed(button["callback_data"]))

    def _answered(self, update: dict[str, object]) -> dict[str, str]:
        # Alerts arrive in the chat too while workers live; answers have no bold first line.
        def answers() -> list[dict[str, str]]:
            return [one for one in self.api.sent if not one["text"].startswith("<b>")]

        before = len(answers())
        self.api.gives(update)
        assert self.api.wait_for(lambda: len(answers()) > before, PATIENCE), "the bot is silent"
        return answers()[before]


@pytest.fixture(scope="module")
def bot_api() -> Generator[BotApi]:
    with running_bot_api() as api:
        yield api


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, bot_api: BotApi) -> Generator[Desk]:
    """A Carry with a bot, whose processes no other story depends on."""
    folder: Path = tmp_path_factory.mktemp("chat")
    token = folder / "telegram.token"
    token.touch(mode=0o600)
    token.write_text(TOKEN)
    with running_desk(
        folder / "var",
        simulator_options=QUICK,
        calm=True,
        CARRY_TELEGRAM_TOKEN_FILE=str(token),
        CARRY_TELEGRAM_URL=bot_api.url,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def chat(desk: Desk, bot_api: BotApi) -> Chat:
    """The person's own chat, linked with a code of the page."""
    linked = Chat(bot_api)
    assert "is linked to" in linked.says(f"/start {desk.person.link_code()}")["text"]
    return linked


@pytest.mark.parametrize(
    ("away", "held", "resting"),
    [
        pytest.param(("redis", "beat", "close", "entry", "work"), "ETH", "AVAX", id="all-away"),
        pytest.param(("redis",), "SOL", "LINK", id="redis-away"),
    ],
)
def test_a_kill_from_the_chat_flattens_both_legs_while_the_queue_is_down(
    desk: Desk, chat: Chat, away: tuple[str, ...], held: str, resting: str
) -> None:
    position = desk.open(held)
    assert desk.entered(position).state == "open"
    assert set(desk.venues.held(held)) == {"binanceusdm", "bybit"}
    entering = desk.open(resting)
    assert desk.order(entering, FIRST_LEG).is_open

    with Processes(desk).gone(*away):
        asked = chat.says("/kill")
        pressed_at = datetime.now(UTC)
        assert "entries are stopped" in asked["text"]
        # An order was to be cancelled, and no worker could be told of it.
        assert AWAY in asked["text"]
        [row] = desk.books.rows(PRESSES)
        assert (row["closes_positions"], row["pressed_by"]) == (0, "demo")
        assert set(desk.venues.held(held)) == {"binanceusdm", "bybit"}

        answered = chat.presses(asked)

        assert answered["text"].startswith("Closing ")
        assert AWAY in answered["text"]
        wait_until(
            lambda: not desk.venues.held(held), timeout=FLAT_WITHIN, what="both legs are flat"
        )
        assert desk.wait_for(position, *ENDS).close_reason == "kill"
        # Its worker may have died with the lease; then its market may come to it before we do.
        desk.wait_for(entering, *ENDS)
        assert desk.venues.held(resting) == {}
        assert chat.says("/positions")["text"] == "No open positions."
        assert "not good any more" in chat.presses(asked)["text"]

    assert "re-arm" in " ".join(desk.person.refused_ticket(held, long="binanceusdm", short="bybit"))
    assert_nothing_else_was_sent(desk, pressed_at, held, resting)
    desk.person.rearm()


def assert_nothing_else_was_sent(desk: Desk, pressed_at: datetime, *bases: str) -> None:
    """Hold both books to each other after the workers are back: one order per intent, no opens."""
    opening = [intent for intent in desk.books.intents() if intent.purpose != "reduce"]
    assert not any(intent.sent_at and intent.sent_at > pressed_at for intent in opening)
    for base in bases:
        assert desk.venues.held(base) == {}
        assert not any(order.is_open for order in desk.venues.orders(base))
    desk.assert_one_order_per_intent()
    desk.assert_books_agree()
