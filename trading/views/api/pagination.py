"""Pages of long lists: by cursor, of a bounded size, and strict about what is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.response import Response

from trading.views.api.base import Api
from trading.views.api.fields import Strict

PAGE_SIZE = 50
LARGEST_PAGE = 200
LONGEST_CURSOR = 300


class PageQuery(Strict):
    """What every list may be asked."""

    page_size = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_PAGE, help_text="Rows of one page."
    )
    cursor = serializers.CharField(
        required=False,
        max_length=LONGEST_CURSOR,
        help_text="Where to go on: taken from `next` or `previous` of another page.",
    )


class ByTime(CursorPagination):
    """Newest first, by a column of times; the key decides between equal ones."""

    page_size = PAGE_SIZE
    template = None

    def __init__(self, ordering: tuple[str, str], page_size: int) -> None:
        self.ordering = ordering
        self.page_size = page_size

    def decode_cursor(self, request: Any) -> Cursor | None:
        """Refuse a cursor that none of our pages gave, before it reaches the database."""
        wrong = serializers.ValidationError({"cursor": ["This is no cursor of such a list."]})
        try:
            cursor = super().decode_cursor(request)
        except (NotFound, UnicodeError):
            raise wrong from None
        if cursor is not None and cursor.position is not None:
            try:
                at = parse_datetime(str(cursor.position))
            except (ValueError, ValidationError):
                at = None
            if at is None or at.tzinfo is None:
                raise wrong
        return cursor


def asked(view: Api, form: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return what the query string asks; unknown, repeated and wrong parts are refused by name."""
    given = view.request.query_params
    twice = [name for name in given if len(given.getlist(name)) > 1]
    if twice:
        raise serializers.ValidationError({name: ["It is asked twice."] for name in twice})
    query = form(data=given.dict())
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


def page(
    view: Api,
    rows: QuerySet[Any],
    query: Mapping[str, Any],
    shown: type[serializers.Serializer[Any]],
    *,
    by: str,
    lines: Callable[[Sequence[Any]], Sequence[Any]] = list,
) -> Response:
    """Answer one page of rows, newest first `by` that column, each as `shown`."""
    paginator = ByTime((f"-{by}", "-pk"), query.get("page_size", PAGE_SIZE))
    found = paginator.paginate_queryset(rows, view.request, view)
    data = shown(lines(found or []), many=True).data
    return Response(
        {
            "next": paginator.get_next_link(),
            "previous": paginator.get_previous_link(),
            "results": data,
        }
    )
