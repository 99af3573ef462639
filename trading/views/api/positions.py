"""Positions: live, ended, one of them; opened, closed, released."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading import desk
from trading.core.states import LIVE_POSITION_STATES, PositionState
from trading.models import Position
from trading.selectors.legs import liquidation_prices
from trading.selectors.positions import (
    PositionLine,
    ended_positions,
    get_position_for_user,
    position_line,
    with_parts,
)
from trading.selectors.screen import Screen
from trading.views.api.base import Api
from trading.views.api.commands import Done, answer_once, checked, done
from trading.views.api.errors import Refused
from trading.views.api.fields import Answer, Exact, Strict, Utc
from trading.views.api.pagination import PageQuery, asked, page
from trading.views.api.schema import KEY_REQUIRED, paged


class LegOut(Answer):
    side = serializers.CharField(source="leg.side", help_text="LONG or SHORT.")
    venue = serializers.CharField(source="leg.instrument.exchange.code")
    symbol = serializers.CharField(source="leg.instrument.symbol")
    base_quantity = Exact(help_text="Signed: > 0 long.")
    entry_price = Exact(allow_null=True)
    mark_price = Exact(source="mark", allow_null=True)
    notional_usd = Exact(source="notional", allow_null=True)
    apr = Exact(allow_null=True, help_text="Annualised funding rate; null without an interval.")
    liquidation_price = Exact(allow_null=True)
    liquidation_distance = Exact(
        source="distance", allow_null=True, help_text="Fraction of the mark price."
    )


class PnlOut(Answer):
    """USD; > 0 is mine. The parts add up to the total."""

    total = Exact()
    funding = Exact()
    price = Exact(source="price_pnl")
    fees = Exact(help_text="> 0 was paid.")
    borrow = Exact(help_text="> 0 was paid.")


class PositionOut(Answer):
    id = serializers.UUIDField(source="position.id")
    base = serializers.CharField(source="position.base")
    strategy = serializers.CharField(source="position.strategy")
    mode = serializers.CharField(source="position.mode")
    state = serializers.ChoiceField(source="position.state", choices=sorted(PositionState))
    goal = serializers.CharField(source="position.goal", help_text="hedged or flat.")
    size_usd = Exact(source="position.size_usd", help_text="Planned notional of one leg.")
    opened_by = serializers.CharField(source="position.opened_by")
    created_at = Utc(source="position.created_at")
    entered_at = Utc(source="position.entry_timestamp", allow_null=True)
    closed_at = Utc(source="position.close_timestamp", allow_null=True)
    close_reason = serializers.CharField(source="position.close_reason")
    close_sentence = serializers.CharField(source="position.close_sentence")
    held_reason = serializers.CharField(source="position.held_reason")
    legs = LegOut(many=True)
    pnl = PnlOut()
    gross_usd = Exact(source="gross")
    delta_usd = Exact(source="delta", help_text="The unhedged value at mark, signed.")
    apr = Exact(allow_null=True, help_text="Funding spread of the legs, annualised.")
    next_funding_at = Utc(allow_null=True)
    next_funding_usd = Exact(source="expected_cash", allow_null=True)
    exit_cost_usd = Exact(source="exit_cost", allow_null=True)
    realised_apr = Exact(allow_null=True, help_text="Net P&L on one leg over the time held.")


class PositionQuery(PageQuery):
    base = serializers.CharField(required=False, max_length=32)
    strategy = serializers.CharField(required=False, max_length=32)


class LiveQuery(PositionQuery):
    state = serializers.ChoiceField(required=False, choices=sorted(LIVE_POSITION_STATES))


class Positions(Api):
    @extend_schema(
        tags=["Positions"],
        summary="Live positions",
        parameters=[LiveQuery],
        responses=paged(PositionOut),
    )
    def get(self, request: Request) -> Response:
        query = asked(self, LiveQuery)
        rows = Position.objects.for_user(self.user).live()
        rows = rows.filter(**{key: query[key] for key in LIVE_COLUMNS if key in query})
        return page(
            self, with_parts(rows), query, PositionOut, by="created_at", lines=lines_of(self)
        )


class History(Api):
    @extend_schema(
        tags=["Positions"],
        summary="Positions that ended with a trade, of the mode in use",
        parameters=[PositionQuery],
        responses=paged(PositionOut),
    )
    def get(self, request: Request) -> Response:
        query = asked(self, PositionQuery)
        rows = ended_positions(self.user)
        rows = rows.filter(**{key: query[key] for key in LIVE_COLUMNS if key in query})
        return page(
            self, with_parts(rows), query, PositionOut, by="close_timestamp", lines=lines_of(self)
        )


class OnePosition(Api):
    @extend_schema(tags=["Positions"], summary="One position", responses=PositionOut)
    def get(self, request: Request, position_id: UUID) -> Response:
        asked(self, Strict)
        found = get_position_for_user(self.user, position_id)
        return Response(PositionOut(lines_of(self)([found])[0]).data)


class Close(Api):
    @extend_schema(
        tags=["Positions"],
        summary="Ask for the end of a position",
        parameters=[KEY_REQUIRED],
        request=Strict,
        responses={202: Done},
    )
    def post(self, request: Request, position_id: UUID) -> Response:
        """Both legs are closed and read back; asking twice is asking once."""
        checked(self, Strict)
        position = get_position_for_user(self.user, position_id)
        return answer_once(self, lambda: done(desk.close(position, actor=self.actor, now=self.now)))


class Release(Api):
    @extend_schema(
        tags=["Positions"],
        summary="Let the engine act on a held position again",
        parameters=[KEY_REQUIRED],
        request=Strict,
        responses={202: Done},
    )
    def post(self, request: Request, position_id: UUID) -> Response:
        """Of an unhedged position the larger leg is cut to the smaller at market."""
        checked(self, Strict)
        position = get_position_for_user(self.user, position_id)

        def act() -> tuple[int, Any]:
            refusal = desk.release(position, actor=self.actor, now=self.now)
            if refusal is not None:
                raise Refused([refusal])
            return done(f"{position.base} is released; the engine acts on it now.")

        return answer_once(self, act)


LIVE_COLUMNS = ("base", "strategy", "state")


def lines_of(view: Api) -> Callable[[Sequence[Any]], Sequence[PositionLine]]:
    """Return what gives positions the market facts of now, read once."""
    screen = Screen(view.user, now=view.now)
    liquidations = liquidation_prices(view.user)

    def lines(rows: Sequence[Any]) -> Sequence[PositionLine]:
        return [position_line(row, liquidations, screen.board, screen.now) for row in rows]

    return lines
