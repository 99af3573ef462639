"""How everything stands: engine, switch and venues; apart from it, the money."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.selectors.screen import Screen
from trading.views.api.base import Api
from trading.views.api.fields import Answer, Exact, Seconds, Strict, Utc
from trading.views.api.pagination import asked


class EngineOut(Answer):
    state = serializers.CharField(help_text="Running, Paused, Killed, Error or Reconciling.")
    since = Utc(allow_null=True)
    by = serializers.CharField()
    sentence = serializers.CharField(help_text="Why, for people; may be empty.")
    automatic = serializers.BooleanField(help_text="Whether the scheduler may open positions.")
    daily_stop = serializers.CharField(help_text="Why automation halts today; else empty.")
    last_scan_at = Utc(allow_null=True)
    next_scan_at = Utc(allow_null=True)


class KillOut(Answer):
    """A pressed kill switch; re-arming names its epoch."""

    epoch = serializers.IntegerField()
    for_everyone = serializers.SerializerMethodField()
    closes_positions = serializers.BooleanField()
    pressed_at = Utc()
    pressed_by = serializers.CharField()
    reason = serializers.CharField()

    def get_for_everyone(self, pressed: Any) -> bool:
        return pressed.user_id is None


class MoneyOut(Answer):
    """USD; null is unknown. Of the mode in use alone."""

    equity_usd = Exact(source="equity", allow_null=True)
    free_usd = Exact(source="free", allow_null=True)
    today_usd = Exact(source="today", allow_null=True)
    funding_24h_usd = Exact(source="funding_24h")
    fees_24h_usd = Exact(source="fees_24h")
    net_apr_30d = Exact(allow_null=True)
    gross_usd = Exact(source="gross")
    delta_usd = Exact(source="delta")
    next_funding_at = Utc(allow_null=True)
    next_funding_usd = Exact(source="next_cash", allow_null=True)


class VenueOut(Answer):
    code = serializers.CharField()
    name = serializers.CharField()
    health = serializers.CharField(source="feed.health")
    data_age = Seconds(source="feed.age", allow_null=True)
    margin_used = Exact(allow_null=True, help_text="Fraction of the equity there.")
    halted = serializers.CharField(help_text="Why the account is halted; else empty.")
    breaker = serializers.CharField(help_text="Why no entry is sent there; else empty.")


class StatusOut(Answer):
    mode = serializers.CharField(source="engine.identity", help_text="Whose money moves.")
    engine = EngineOut()
    kill = KillOut(source="engine.kill", allow_null=True)
    open_positions = serializers.IntegerField(source="engine.open_positions")
    max_open_positions = serializers.IntegerField(source="engine.max_positions")
    pending_orders = serializers.IntegerField(source="engine.pending_orders")
    unread_alerts = serializers.IntegerField(source="unread")
    venues = VenueOut(many=True)


class VenuesOut(Answer):
    results = VenueOut(many=True)


class Status(Api):
    @extend_schema(tags=["Engine"], summary="How everything stands", responses=StatusOut)
    def get(self, request: Request) -> Response:
        asked(self, Strict)
        return Response(StatusOut(Screen(self.user, now=self.now)).data)


class Money(Api):
    """Apart from the status, which is asked often and costs a third of it."""

    @extend_schema(tags=["Engine"], summary="Equity, results and exposure", responses=MoneyOut)
    def get(self, request: Request) -> Response:
        asked(self, Strict)
        return Response(MoneyOut(Screen(self.user, now=self.now).summary).data)


class Venues(Api):
    @extend_schema(tags=["Market"], summary="Venues and their health", responses=VenuesOut)
    def get(self, request: Request) -> Response:
        asked(self, Strict)
        return Response(VenuesOut({"results": Screen(self.user, now=self.now).venues}).data)
