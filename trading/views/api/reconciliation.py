"""Both sides of every account, and what a person decides where they differ."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from arbsite.accounts.models import ApiToken
from trading import desk
from trading.models import Discrepancy
from trading.selectors.reconciliation import (
    DiscrepancyLine,
    accounts_of,
    discrepancy_line,
    get_account_for_user,
    get_discrepancy_for_user,
)
from trading.selectors.screen import Screen
from trading.views.api.base import Api
from trading.views.api.commands import Done, answer_once, checked, done
from trading.views.api.errors import Refused, refuse
from trading.views.api.fields import Answer, Exact, Seconds, Strict, Utc, Word
from trading.views.api.pagination import asked
from trading.views.api.schema import KEY_OPTIONAL, KEY_REQUIRED

Resolution = Discrepancy.Resolution


class QuantityOut(Answer):
    symbol = serializers.CharField()
    ours = Exact(help_text="Base quantity by our own fills, signed.")
    theirs = Exact(allow_null=True, help_text="What the venue says; null: not read yet.")
    ignored = Exact()
    difference = Exact(allow_null=True)
    value_usd = Exact(allow_null=True)
    verdict = serializers.CharField()


class BooksOut(Answer):
    id = serializers.UUIDField(source="account.id")
    venue = serializers.CharField(source="account.exchange.code")
    halted = serializers.CharField(source="account.halted_reason")
    is_equal = serializers.BooleanField()
    compared_at = Utc(allow_null=True)
    age = Seconds(allow_null=True)
    lines = QuantityOut(many=True)


class DifferenceOut(Answer):
    id = serializers.UUIDField(source="row.id")
    account = serializers.UUIDField(source="row.account_id")
    symbol = serializers.CharField(source="row.symbol")
    kind = serializers.CharField(source="row.kind")
    sentence = serializers.CharField(source="row.sentence")
    ours = Exact(source="row.ours")
    theirs = Exact(source="row.theirs")
    value_usd = Exact(allow_null=True)
    seen = serializers.CharField(help_text="Sent back with a decision: both figures as seen.")
    choices = serializers.SerializerMethodField(help_text="What may be decided, the safest first.")

    def get_choices(self, line: DiscrepancyLine) -> list[str]:
        return [choice.key for choice in line.choices]


class ReconciliationOut(Answer):
    accounts = BooksOut(source="books", many=True)
    differences = DifferenceOut(source="discrepancies", many=True)


class CompareIn(Strict):
    account = serializers.UUIDField(required=False, help_text="One account; else all of yours.")


class DecideIn(Strict):
    choice = serializers.ChoiceField(choices=Resolution.values)
    seen = Word(max_length=120, help_text="`seen` of the difference: 409 when it has changed.")
    phrase = Word(
        required=False, max_length=60, help_text="To write off: the words WRITE OFF and the base."
    )


class Reconciliation(Api):
    @extend_schema(
        tags=["Reconciliation"], summary="Our books and the venues'", responses=ReconciliationOut
    )
    def get(self, request: Request) -> Response:
        asked(self, Strict)
        return Response(ReconciliationOut(Screen(self.user, now=self.now)).data)

    @extend_schema(
        tags=["Reconciliation"],
        summary="Compare accounts with their venues now",
        parameters=[KEY_OPTIONAL],
        request=CompareIn,
        responses={202: Done},
    )
    def post(self, request: Request) -> Response:
        """The engine compares within seconds; nothing is traded by it."""
        account = checked(self, CompareIn).get("account")
        accounts = [get_account_for_user(self.user, account)] if account else accounts_of(self.user)

        def act() -> tuple[int, Any]:
            said = [desk.compare(one, actor=self.actor, now=self.now) for one in accounts]
            return done(" ".join(said) or "You have no account in use.")

        return answer_once(self, act, is_required=False)


class Decide(Api):
    scope = ApiToken.Scope.ADMIN

    @extend_schema(
        tags=["Reconciliation"],
        summary="Decide a difference",
        parameters=[KEY_REQUIRED],
        request=DecideIn,
        responses={202: Done},
    )
    def post(self, request: Request, discrepancy_id: UUID) -> Response:
        """Carried out once, and only if both figures are still what was seen."""
        values = checked(self, DecideIn)
        row = get_discrepancy_for_user(self.user, discrepancy_id)
        return answer_once(self, lambda: self._decide(row, values))

    def _decide(self, row: Discrepancy, values: dict[str, Any]) -> tuple[int, Any]:
        line = discrepancy_line(row, Screen(self.user, now=self.now).board)
        if row.resolved_at is None and values["seen"] != line.seen:
            sentence = f"The figures have changed: ours and theirs are {line.seen} now."
            raise refuse("changed", sentence, status=HTTPStatus.CONFLICT)
        wanted = Resolution(values["choice"])
        if wanted is Resolution.WRITTEN_OFF and values.get("phrase") != line.words_to_write_off:
            sentence = f"To write it off, send the phrase {line.words_to_write_off}."
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            raise refuse("not_confirmed", sentence, status=status, phrase=[sentence])
        refusal = desk.decide(row, wanted, actor=self.actor, now=self.now)
        if refusal is not None:
            raise Refused([refusal])
        return done(f"{row.account}, {row.symbol}: {row.get_resolution_display()}.")
