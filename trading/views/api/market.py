"""What the market offers: rates of every venue, and what the scans thought of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.models import Opportunity
from trading.selectors.opportunities import opportunity_lines
from trading.selectors.rates import rate_lines
from trading.selectors.screen import Screen
from trading.views.api.base import Api
from trading.views.api.fields import Answer, Exact, Strict, Utc
from trading.views.api.pagination import PageQuery, asked, page
from trading.views.api.schema import paged

MOST_RATES = 2000
USUAL_RATES = 200


class RateOut(Answer):
    venue = serializers.CharField()
    symbol = serializers.CharField()
    base = serializers.CharField()
    funding_rate = Exact(help_text="Of the settlement to come; > 0: longs pay shorts.")
    interval_seconds = serializers.IntegerField(
        allow_null=True, help_text="The venue's own fact; null: not known, not tradable."
    )
    apr = Exact(allow_null=True)
    mark_price = Exact(allow_null=True)
    next_funding_at = Utc(allow_null=True)
    observed_at = Utc()


class RatesOut(Answer):
    results = RateOut(many=True)


class RateQuery(Strict):
    base = serializers.CharField(required=False, max_length=32)
    venue = serializers.CharField(required=False, max_length=32)
    top = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_RATES,
        default=USUAL_RATES,
        help_text="So many, the largest annualised rates of either sign first.",
    )


class OpportunityLegOut(Answer):
    side = serializers.CharField(help_text="L or S.")
    venue = serializers.CharField(help_text="Short code.")
    what = serializers.CharField(help_text="perp, spot, or the expiry of a future.")
    ratio = serializers.CharField(help_text="Its part of the base quantity; empty: all of it.")


class OpportunityOut(Answer):
    """Figures are fractions of one leg's notional; null where the data cannot be trusted."""

    id = serializers.UUIDField(source="found.id")
    base = serializers.CharField(source="found.base")
    strategy = serializers.CharField(source="found.strategy")
    status = serializers.ChoiceField(source="found.status", choices=Opportunity.Status.values)
    reason_code = serializers.CharField(source="found.reason_code")
    reason = serializers.CharField(source="found.reason", help_text="Why it was passed over.")
    legs = OpportunityLegOut(many=True)
    size_usd = Exact(source="found.size_usd")
    capacity_usd = Exact(source="found.capacity_usd", allow_null=True)
    spread_8h = Exact(source="found.spread_8h", allow_null=True)
    cost = Exact(source="found.cost", allow_null=True)
    net_return = Exact(source="found.net_return", allow_null=True)
    net_apr = Exact(source="found.net_apr", allow_null=True)
    hold_hours = serializers.IntegerField(source="found.hold_hours")
    break_even_hours = Exact(source="found.break_even_hours", allow_null=True)
    position = serializers.UUIDField(source="found.position_id", allow_null=True)
    found_at = Utc(source="found.found_at")
    seen_at = Utc(source="found.seen_at")


class OpportunityQuery(PageQuery):
    base = serializers.CharField(required=False, max_length=32)
    strategy = serializers.CharField(required=False, max_length=32)
    status = serializers.ChoiceField(required=False, choices=Opportunity.Status.values)


class Rates(Api):
    @extend_schema(
        tags=["Market"],
        summary="Funding rates of all perpetuals",
        parameters=[RateQuery],
        responses=RatesOut,
    )
    def get(self, request: Request) -> Response:
        query = asked(self, RateQuery)
        screen = Screen(self.user, now=self.now)
        lines = [
            line
            for line in rate_lines(screen.sheet, screen.board)
            if query.get("base", line.base) == line.base
            and query.get("venue", line.venue) == line.venue
        ]
        lines.sort(key=lambda line: -abs(line.apr or Decimal(0)))
        return Response(RatesOut({"results": lines[: query["top"]]}).data)


class Opportunities(Api):
    @extend_schema(
        tags=["Market"],
        summary="What the scans found, with the reason for what was not taken",
        parameters=[OpportunityQuery],
        responses=paged(OpportunityOut),
    )
    def get(self, request: Request) -> Response:
        query = asked(self, OpportunityQuery)
        chosen = {key: query[key] for key in ("base", "strategy", "status") if key in query}
        rows = Opportunity.objects.for_user(self.user).filter(**chosen)

        def lines(found: Sequence[Any]) -> Sequence[Any]:
            return opportunity_lines(found, self.now)

        return page(self, rows, query, OpportunityOut, by="seen_at", lines=lines)
