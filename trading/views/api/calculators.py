"""The calculators of the page, for programs."""

from __future__ import annotations

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.calculator_fields import CALCULATORS
from trading.selectors.calculators import Asked, figures
from trading.services import configure
from trading.views.api.base import Api
from trading.views.api.fields import Answer, Strict
from trading.views.api.pagination import asked


class CalculatorFieldOut(Answer):
    key = serializers.CharField()
    label = serializers.CharField(source="field.label")  # type: ignore[assignment]
    unit = serializers.CharField(source="field.unit")
    help = serializers.CharField(source="field.help")
    start = serializers.CharField(help_text="What counts when nothing is sent.")
    leg = serializers.CharField(help_text="long or short; empty: of neither.")


class CalculatorOut(Answer):
    key = serializers.CharField()
    title = serializers.CharField()
    lead = serializers.CharField()
    fields = CalculatorFieldOut(many=True)  # type: ignore[assignment]  # the wire calls it so


class CalculatorsOut(Answer):
    results = CalculatorOut(many=True)


class FigureOut(Answer):
    label = serializers.CharField()  # type: ignore[assignment]  # not the label of the field
    text = serializers.CharField(help_text="As the page shows it.")
    note = serializers.CharField()


class CountedOut(Answer):
    values = serializers.DictField(
        child=serializers.CharField(), help_text="What was counted with."
    )
    figures = FigureOut(many=True)


class Calculators(Api):
    @extend_schema(
        tags=["Calculators"], summary="Calculators and their fields", responses=CalculatorsOut
    )
    def get(self, request: Request) -> Response:
        asked(self, Strict)
        return Response(CalculatorsOut({"results": CALCULATORS.values()}).data)


class Calculator(Api):
    @extend_schema(
        tags=["Calculators"],
        summary="Count",
        parameters=[
            OpenApiParameter("key", str, OpenApiParameter.PATH, enum=list(CALCULATORS)),
            OpenApiParameter(
                "values",
                {"type": "object", "additionalProperties": {"type": "string"}},
                OpenApiParameter.QUERY,
                explode=True,
                style="form",
                description="The fields of the calculator, each a part of the query.",
            ),
        ],
        responses=CountedOut,
    )
    def get(self, request: Request, key: str) -> Response:
        form = CALCULATORS.get(key)
        if form is None:
            raise Http404(key)
        given = request.query_params.dict()
        known = {each.key for each in form.fields}
        wrong = {
            name[:60]: [f"There is no such field; known: {', '.join(sorted(known))}."]
            for name in given
            if name not in known
        }
        typed = form.typed(given)
        values, errors = form.parse(typed)
        wrong |= {name: [sentence] for name, sentence in errors.items()}
        if wrong:
            raise serializers.ValidationError(wrong)
        parameters = configure.current(self.user).parameters
        found = figures(key, Asked(values=values, parameters=parameters, now=self.now))
        return Response(CountedOut({"values": typed, "figures": found}).data)
