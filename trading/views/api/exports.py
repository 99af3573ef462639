"""The ledger and positions as files."""

from __future__ import annotations

from http import HTTPStatus

from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from trading.exports import FORMATS
from trading.selectors.exports import TABLES, Span, TooManyRows, export
from trading.views.api.base import Api
from trading.views.api.errors import refuse
from trading.views.api.fields import Strict, Utc
from trading.views.api.pagination import asked
from trading.views.api.schema import ErrorOut

PARQUET = "application/vnd.apache.parquet"


class ExportQuery(Strict):
    since = Utc(required=False, help_text="The first moment of it.")
    until = Utc(required=False, help_text="The moment before which it ends.")


class Export(Api):
    @extend_schema(
        tags=["Exports"],
        summary="A table as a file",
        parameters=[
            OpenApiParameter("name", str, OpenApiParameter.PATH, enum=list(TABLES)),
            OpenApiParameter("ending", str, OpenApiParameter.PATH, enum=list(FORMATS)),
            ExportQuery,
        ],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, PARQUET): OpenApiTypes.BINARY,
            422: ErrorOut,
        },
    )
    def get(self, request: Request, name: str, ending: str) -> HttpResponse:
        """Oldest first. In CSV a text that a spreadsheet would run has an apostrophe before it."""
        if name not in TABLES or ending not in FORMATS:
            raise Http404(name)
        query = asked(self, ExportQuery)
        span = Span(since=query.get("since"), until=query.get("until"))
        try:
            table = export(name, self.user, span)
        except TooManyRows as error:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            raise refuse("too_many_rows", str(error), status=status) from None
        kind, write = FORMATS[ending]
        answer = HttpResponse(write(table), content_type=kind)
        answer["Content-Disposition"] = f'attachment; filename="carry-{name}.{ending}"'
        return answer
