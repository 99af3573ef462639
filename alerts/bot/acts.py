"""Commands that do something, each by the desk that pages and programs use too.

What stops is done at once; what closes, or lets trading go on, asks for one press of a button.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from alerts.bot.confirm import button
from alerts.bot.said import Answer
from alerts.bot.speaker import Speaker, told
from alerts.services.acknowledge import acknowledge
from alerts.services.wishes import mute as mute_until
from trading import desk
from trading.selectors.positions import PositionLine, get_position_for_user, open_count
from trading.selectors.screen import Screen
from trading.services import kill_switch

KILL_REASON = "pressed in Telegram"
WORKERS_AWAY = (
    "The queue or the workers do not answer: this bot does it by itself, keep it running."
)
ALL = "all"
SPAN = re.compile(r"(?P<number>\d{1,4})(?P<unit>[mhd])")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST_MUTE = timedelta(days=7)


def pause(speaker: Speaker) -> Answer:
    desk.pause(speaker.user, actor=speaker.actor, now=speaker.now)
    return told("Paused: no new entries. Open positions are cared for. /resume goes on.")


def resume(speaker: Speaker) -> Answer:
    if kill_switch.active_for(speaker.user) is not None:
        return told("The kill switch is pressed: re-arm it on the page, with your password.")
    return _asking(speaker, "Let automation enter positions again?", "Resume", "resume")


def scan(speaker: Speaker) -> Answer:
    return told(desk.scan(speaker.user))


def close(speaker: Speaker) -> Answer:
    wanted = speaker.argument
    if not wanted:
        return told("Say which: /close BTC, /close with the id from /positions, or /close all.")
    lines = Screen(speaker.user, now=speaker.now).positions
    if wanted.lower() == ALL:
        if not lines:
            return told("No open positions.")
        question = f"Close all {len(lines)} positions at market?"
        return _asking(speaker, question, f"Close all {len(lines)}", f"close:{ALL}")
    named = [line for line in lines if _is_named(line, wanted)]
    if len(named) != 1:
        known = ", ".join(f"{line.position.base} {line.position.short_id}" for line in lines)
        return told(f"No open position is called {wanted[:40]}. Open: {known or 'none'}.")
    line = named[0]
    cost = "" if line.exit_cost is None else f" It costs about ${line.exit_cost:,.2f}."
    question = f"Close {line.position.base}, ${line.position.size_usd:,.0f} a leg?{cost}"
    label = f"Close {line.position.base}"
    return _asking(speaker, question, label, f"close:{line.position.pk}")


def _is_named(line: PositionLine, wanted: str) -> bool:
    return wanted.upper() == line.position.base or wanted.lower() in (
        line.position.short_id,
        str(line.position.pk),
    )


def kill(speaker: Speaker) -> Answer:
    """Stop entries and cancel orders at once, then ask whether everything is to be closed."""
    pressed = _press(speaker, closes_positions=False)
    count = open_count(speaker.user)
    stopped = "Kill switch pressed: entries are stopped, their orders are being cancelled."
    lines = (stopped, WORKERS_AWAY) if pressed.is_ours else (stopped,)
    if not count:
        return told(*lines, "Nothing is open. Re-arm it on the page, with your password.")
    question = f"Close all {count} positions at market too?"
    label = f"KILL {count}"
    return Answer(lines=(*lines, question), buttons=(button(speaker, label, "flatten"),))


def ack(speaker: Speaker) -> Answer:
    wanted = speaker.argument.lstrip("#")
    if wanted and not (wanted.isascii() and wanted.isdecimal() and len(wanted) < 18):
        return told("Say /ack for all, or /ack with the number of the alert.")
    ended = acknowledge(
        speaker.user,
        actor=speaker.actor,
        now=speaker.now,
        alert_id=int(wanted) if wanted else None,
    )
    if not ended:
        return told("Nothing waits to be acknowledged.")
    return told("Acknowledged:", *(f"#{alert.pk} {alert.title}" for alert in ended))


def mute(speaker: Speaker) -> Answer:
    wanted = speaker.argument.lower()
    if wanted == "off":
        mute_until(speaker.user, until=None)
        return told("Everything is told again.")
    match = SPAN.fullmatch(wanted)
    if match is None:
        return told("Say for how long: /mute 30m, /mute 2h, /mute 1d, or /mute off.")
    until = speaker.now + min(int(match["number"]) * UNITS[match["unit"]], LONGEST_MUTE)
    mute_until(speaker.user, until=until)
    return told(f"Only CRITICAL is told until {until:%Y-%m-%d %H:%M} UTC.")


def carry_on(speaker: Speaker, act: str) -> Answer:
    """Do what a pressed button stood for."""
    name, _, subject = act.partition(":")
    return CONFIRMED[name](speaker, subject)


def _resume(speaker: Speaker, _: str) -> Answer:
    return told(desk.resume(speaker.user, actor=speaker.actor, now=speaker.now))


def _close(speaker: Speaker, subject: str) -> Answer:
    if subject == ALL:
        wanted = [line.position for line in Screen(speaker.user, now=speaker.now).positions]
    else:
        wanted = [get_position_for_user(speaker.user, UUID(subject))]
    said = [desk.close(one, actor=speaker.actor, now=speaker.now) for one in wanted]
    return told(*(said or ["Nothing is open any more."]))


def _flatten(speaker: Speaker, _: str) -> Answer:
    pressed = _press(speaker, closes_positions=True)
    count = open_count(speaker.user)
    closing = f"Closing {count} position{'' if count == 1 else 's'} at market. /positions tells."
    return told(closing, WORKERS_AWAY) if pressed.is_ours else told(closing)


CONFIRMED: dict[str, Callable[[Speaker, str], Answer]] = {
    "resume": _resume,
    "close": _close,
    "flatten": _flatten,
}


def _press(speaker: Speaker, *, closes_positions: bool) -> desk.Press:
    return desk.press_kill(
        scope=speaker.user,
        by=speaker.user,
        actor=speaker.user.get_username(),
        reason=KILL_REASON,
        closes_positions=closes_positions,
        now=speaker.now,
    )


def _asking(speaker: Speaker, question: str, label: str, act: str) -> Answer:
    return Answer(
        lines=(question, "The button is good for 60 s."),
        buttons=(button(speaker, label, act),),
    )
