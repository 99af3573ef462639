"""`carry rearm --epoch 7`: end what was seen pressed; whoever has this machine may."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from arbsite.accounts.models import User
from trading.management.person import PersonCommand
from trading.services import kill_switch


class Command(PersonCommand):
    help = "Re-arm after a kill, up to the press that was seen."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--everyone", action="store_true", help="the switch of everyone")
        parser.add_argument("--epoch", type=int, help="of the press that was seen")

    def act(self, user: User, **options: Any) -> None:
        """Without an epoch tell what is pressed; with one end it, unless it was pressed again."""
        scope = None if options["everyone"] else user
        epoch = options["epoch"]
        if epoch is not None and kill_switch.rearm(
            user=scope, actor=self.actor, now=self.now, through_epoch=epoch
        ):
            self.say("Re-armed: entries are possible again.")
            return
        pressed = kill_switch.pressed_in_scope(scope)
        if pressed is None:
            self.say("No switch is pressed.")
            return
        when = f"{pressed.pressed_at:%d %b %H:%M:%S} UTC"
        sentence = f"Pressed by {pressed.pressed_by}, {when}: {pressed.reason}."
        raise self.refuse(f"{sentence} To re-arm: --epoch {pressed.epoch}")
