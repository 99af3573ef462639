"""The engine of one user: started, stopped, killed, re-armed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arbsite.accounts.models import ApiToken, User
from trading import desk
from trading.services import kill_switch
from trading.views.api.base import Api
from trading.views.api.commands import Done, answer_once, checked, done
from trading.views.api.errors import refuse
from trading.views.api.fields import Strict, Word
from trading.views.api.schema import KEY_OPTIONAL, KEY_REQUIRED, ErrorOut
from trading.views.password import refuse_password

MINE, EVERYONE = "mine", "everyone"
SCOPES = (MINE, EVERYONE)


class KillIn(Strict):
    closes_positions = serializers.BooleanField(
        default=True, help_text="False: only entries are stopped and orders cancelled."
    )
    reason = Word(required=False, max_length=200, help_text="Everyone it stops reads this.")
    scope = serializers.ChoiceField(
        choices=SCOPES, default=MINE, help_text="everyone: staff only, with the scope admin."
    )


class RearmIn(Strict):
    password = Word(max_length=200, trim_whitespace=False, write_only=True)
    epoch = serializers.IntegerField(
        min_value=1,
        max_value=2**62,
        help_text="Of the press that was seen; a later one stays pressed.",
    )
    scope = serializers.ChoiceField(choices=SCOPES, default=MINE)


class Start(Api):
    @extend_schema(
        tags=["Engine"],
        summary="Let automation enter",
        parameters=[KEY_REQUIRED],
        request=Strict,
        responses={202: Done},
    )
    def post(self, request: Request) -> Response:
        checked(self, Strict)
        return answer_once(
            self, lambda: done(desk.resume(self.user, actor=self.actor, now=self.now))
        )


class Stop(Api):
    @extend_schema(
        tags=["Engine"],
        summary="Pause: no new entries",
        parameters=[KEY_OPTIONAL],
        request=Strict,
        responses={202: Done},
    )
    def post(self, request: Request) -> Response:
        """Open positions are cared for as before. A stop needs no key."""
        checked(self, Strict)
        return answer_once(
            self,
            lambda: done(desk.pause(self.user, actor=self.actor, now=self.now)),
            is_required=False,
        )


class Scan(Api):
    @extend_schema(
        tags=["Engine"],
        summary="Scan all markets now",
        parameters=[KEY_OPTIONAL],
        request=Strict,
        responses={202: Done},
    )
    def post(self, request: Request) -> Response:
        checked(self, Strict)
        return answer_once(self, lambda: done(desk.scan(self.user)), is_required=False)


class Kill(Api):
    """Never throttled, and never refused for want of a key: pressing twice is pressing once."""

    throttle_classes = ()

    @extend_schema(
        tags=["Engine"],
        summary="Press the kill switch",
        parameters=[KEY_OPTIONAL],
        request=KillIn,
        responses={202: Done},
    )
    def post(self, request: Request) -> Response:
        """Entries stop with the answer; orders are cancelled and positions closed at market."""
        values = checked(self, KillIn)
        scope = whose(self, values["scope"])
        return answer_once(self, lambda: self._press(scope, values), is_required=False)

    def _press(self, scope: User | None, values: dict[str, Any]) -> tuple[int, Any]:
        pressed = desk.press_kill(
            scope=scope,
            by=self.user,
            actor=self.actor,
            reason=values.get("reason") or "pressed by REST",
            closes_positions=values["closes_positions"],
            now=self.now,
        ).switch
        words = "positions are being closed" if pressed.closes_positions else "positions stay"
        return done(f"Pressed, epoch {pressed.epoch}: entries are stopped, {words}.")


class Rearm(Api):
    scope = ApiToken.Scope.ADMIN

    @extend_schema(
        tags=["Engine"],
        summary="Re-arm after a kill",
        request=RearmIn,
        responses={202: Done, 503: ErrorOut},
    )
    def post(self, request: Request) -> Response:
        """Takes the password, as the page does; tries at it are limited."""
        values = checked(self, RearmIn)
        scope = whose(self, values["scope"])
        refusal, status = refuse_password(request._request, values["password"])
        if refusal:
            raise refuse("password", refusal, status=status, password=[refusal])
        ended = kill_switch.rearm(
            user=scope, actor=self.actor, now=self.now, through_epoch=values["epoch"]
        )
        later = None if ended else kill_switch.pressed_in_scope(scope)
        if later is not None:
            sentence = f"Pressed again by {later.pressed_by}: {later.reason} (epoch {later.epoch})."
            raise refuse("pressed_again", sentence, status=HTTPStatus.CONFLICT)
        words = "Re-armed: entries are possible again." if ended else "No switch is pressed."
        return Response({"detail": words}, HTTPStatus.ACCEPTED)


def whose(view: Api, scope: str) -> User | None:
    """Return whose book is meant: the caller's own, or everyone's with None."""
    if scope == MINE:
        return view.user
    token = view.request.auth
    is_admin = not isinstance(token, ApiToken) or token.may(ApiToken.Scope.ADMIN)
    if not (view.user.is_staff and is_admin):
        raise PermissionDenied("Only staff presses the switch for everyone, with the scope admin.")
    return None
