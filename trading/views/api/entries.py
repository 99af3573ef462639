"""Opening by hand: quoted, then opened, as the ticket of the page does."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arbsite.accounts.models import ApiToken
from trading import desk
from trading.forms import SIMPLE, TicketForm
from trading.models import Position
from trading.selectors.venues import own_exchanges
from trading.services.idempotency import stored_name
from trading.views.api.base import Api
from trading.views.api.commands import HEADER, answer_once, checked
from trading.views.api.errors import Refused, refuse
from trading.views.api.fields import Answer, Exact, Strict, Word
from trading.views.api.positions import PositionOut, lines_of
from trading.views.api.schema import KEY_REQUIRED

FORM_NAMES = {"size": "size_usd", "__all__": "body"}


class EntryIn(Strict):
    """Two venues and a symbol, or the `opportunity` whose legs are wanted."""

    symbol = Word(required=False, max_length=40, help_text="BTC, BTC-USDT or BTCUSDT.")
    long = Word(required=False, max_length=32, help_text="Code of the venue that is bought at.")
    short = Word(required=False, max_length=32, help_text="Code of the venue that is sold at.")
    opportunity = serializers.UUIDField(required=False)
    strategy = serializers.ChoiceField(required=False, choices=SIMPLE)
    size_usd = Exact(positive=True, help_text="Notional of one leg.")

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Resolve the words as the ticket does; `entry` is what they name."""
        typed = {key: str(value) for key, value in values.items()}
        typed["size"] = format(values["size_usd"], "f")
        user = self.context["user"]
        form = TicketForm(typed, exchanges=own_exchanges(user), user=user)
        if not form.is_valid():
            raise serializers.ValidationError(
                {
                    FORM_NAMES.get(name, name): [str(sentence) for sentence in why]
                    for name, why in form.errors.items()
                }
            )
        return {**values, "entry": form.entry()}


class OpenIn(EntryIn):
    quoted_net_apr = Exact(
        required=False,
        help_text="The net APR that was quoted: refused with 409 when it moved by a tenth.",
    )


class RefusalOut(Answer):
    code = serializers.CharField()
    sentence = serializers.CharField()


class QuoteOut(Answer):
    """Fractions are of one leg's notional; null where the data cannot be trusted."""

    size_usd = Exact()
    base_quantity = Exact(allow_null=True)
    spread_8h = Exact(allow_null=True)
    income_per_day_usd = Exact(allow_null=True)
    cost = Exact(allow_null=True)
    cost_usd = Exact(allow_null=True)
    break_even_hours = Exact(allow_null=True)
    net_return = Exact(allow_null=True)
    net_apr = Exact(allow_null=True)
    hold_hours = Exact()
    depth_usd = Exact(allow_null=True)
    refusals = RefusalOut(many=True, help_text="Why it would not be opened; empty: it would.")
    notes = serializers.ListField(child=serializers.CharField())


class Quote(Api):
    scope = ApiToken.Scope.READ

    @extend_schema(
        tags=["Positions"],
        summary="Quote an entry",
        request=EntryIn,
        responses=QuoteOut,
    )
    def post(self, request: Request) -> Response:
        """Every figure is of this moment; nothing is reserved and nothing is sent."""
        entry = checked(self, EntryIn, user=self.user)["entry"]
        quote = desk.quote(user=self.user, entry=entry, now=self.now)
        return Response(QuoteOut(quote).data)


class Open(Api):
    @extend_schema(
        tags=["Positions"],
        summary="Open a position",
        parameters=[KEY_REQUIRED],
        request=OpenIn,
        responses={201: PositionOut},
    )
    def post(self, request: Request) -> Response:
        """Every gate is asked; the position is planned and driven at once, or refused (422)."""
        values = checked(self, OpenIn, user=self.user)
        return answer_once(self, lambda: self._open(values))

    def _open(self, values: dict[str, Any]) -> tuple[int, Any]:
        entry, seen = values["entry"], values.get("quoted_net_apr")
        if seen is not None:
            quote = desk.quote(user=self.user, entry=entry, now=self.now)
            if desk.has_moved(seen, quote.net_apr):
                sentence = f"The net APR is {quote.net_apr} now, not {seen}: quote it again."
                raise refuse("moved", sentence, status=HTTPStatus.CONFLICT)
        key = stored_name("open", self.request.headers[HEADER])
        outcome = desk.open_position(
            user=self.user, entry=entry, actor=self.actor, key=key, now=self.now
        )
        if not isinstance(outcome, Position):
            raise Refused(outcome.refusals)
        return HTTPStatus.CREATED, PositionOut(lines_of(self)([outcome])[0]).data
