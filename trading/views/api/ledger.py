"""What was sent and what really happened: orders, fills, funding payments."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.core.states import OrderState
from trading.models import Trade
from trading.selectors.ledger import Wanted, funding_of, orders_of, trades_of
from trading.selectors.positions import get_position_for_user
from trading.views.api.base import Api
from trading.views.api.fields import Answer, Exact, Utc
from trading.views.api.pagination import PageQuery, asked, page
from trading.views.api.schema import paged


class OfLeg(Answer):
    """Which position and market it belongs to."""

    position = serializers.UUIDField(source="position_id")
    base = serializers.CharField(source="position.base")
    venue = serializers.CharField(source="leg.instrument.exchange.code")
    symbol = serializers.CharField(source="leg.instrument.symbol")
    leg_side = serializers.CharField(source="leg.side", help_text="LONG or SHORT.")


class OrderOut(OfLeg):
    id = serializers.UUIDField()
    purpose = serializers.CharField(help_text="open, hedge or reduce.")
    side = serializers.CharField(help_text="buy or sell.")
    order_type = serializers.CharField()
    time_in_force = serializers.CharField()
    base_quantity = Exact()
    price = Exact(allow_null=True)
    state = serializers.ChoiceField(choices=sorted(OrderState))
    filled_base_quantity = Exact()
    average_price = Exact(allow_null=True)
    client_order_id = serializers.CharField()
    venue_order_id = serializers.CharField()
    refusal = serializers.CharField(help_text="Why the venue refused it; else empty.")
    created_at = Utc()
    sent_at = Utc(allow_null=True)


class TradeOut(OfLeg):
    id = serializers.UUIDField()
    order = serializers.UUIDField(source="order_id", allow_null=True)
    cause = serializers.ChoiceField(choices=Trade.Cause.values)
    action = serializers.CharField(help_text="OPEN or CLOSE.")
    side = serializers.CharField(source="order_side", help_text="buy or sell.")
    price = Exact()
    base_quantity = Exact()
    size = Exact(help_text="Notional in quote currency.")
    fee = Exact(help_text="> 0 paid, < 0 a rebate, in fee_asset.")
    fee_asset = serializers.CharField()
    is_maker = serializers.BooleanField()
    venue_trade_id = serializers.CharField()
    filled_at = Utc()


class FundingOut(OfLeg):
    id = serializers.UUIDField()
    funding_rate = Exact(allow_null=True)
    payment = Exact(help_text="> 0 received, in asset.")
    asset = serializers.CharField()
    payment_usd = Exact()
    paid_at = Utc()


class LedgerQuery(PageQuery):
    position = serializers.UUIDField(required=False, help_text="Of one position.")
    base = serializers.CharField(required=False, max_length=32)


class OrderQuery(LedgerQuery):
    state = serializers.ChoiceField(required=False, choices=sorted(OrderState))


class Orders(Api):
    @extend_schema(
        tags=["Ledger"],
        summary="Orders",
        parameters=[OrderQuery],
        responses=paged(OrderOut),
    )
    def get(self, request: Request) -> Response:
        query = asked(self, OrderQuery)
        rows = orders_of(self.user, wanted(self, query))
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return page(self, rows, query, OrderOut, by="created_at")


class Trades(Api):
    @extend_schema(
        tags=["Ledger"],
        summary="Fills, as they were booked",
        parameters=[LedgerQuery],
        responses=paged(TradeOut),
    )
    def get(self, request: Request) -> Response:
        query = asked(self, LedgerQuery)
        rows = trades_of(self.user, wanted(self, query))
        return page(self, rows, query, TradeOut, by="filled_at")


class Funding(Api):
    @extend_schema(
        tags=["Ledger"],
        summary="Funding payments, as the venues booked them",
        parameters=[LedgerQuery],
        responses=paged(FundingOut),
    )
    def get(self, request: Request) -> Response:
        query = asked(self, LedgerQuery)
        rows = funding_of(self.user, wanted(self, query))
        return page(self, rows, query, FundingOut, by="paid_at")


def wanted(view: Api, query: dict[str, Any]) -> Wanted:
    """Return what a list is narrowed to; 404 for a position that is unknown or another's."""
    position = query.get("position")
    if position is not None:
        get_position_for_user(view.user, position)
    return Wanted(position_id=position, base=query.get("base"))
