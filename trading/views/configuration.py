"""The configuration page: a form made from the parameter table, saved whole and by version."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from trading.core.parameter_field import LISTS, ParameterField, Unit
from trading.core.parameters import PARAMETER_FIELDS, ParameterErrors
from trading.models import ConfigurationVersion
from trading.selectors.screen import Screen
from trading.services import configure
from trading.services.configure import CurrentConfiguration, VersionConflict
from trading.views.access import SignedInRequest, signed_in
from trading.views.layout import render_page, screen_for

HISTORY_SHOWN = 10
UNIT_WORDS = {
    Unit.FRACTION: "fraction",
    Unit.PERCENT: "%",
    Unit.USD: "USD",
    Unit.MULTIPLE: "×",
    Unit.COUNT: "",
    Unit.MILLISECONDS: "ms",
    Unit.SECONDS: "s",
    Unit.MINUTES: "min",
    Unit.HOURS: "h",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """One parameter as a row of the form: what is in force, what was typed, what is wrong."""

    field: ParameterField
    saved: str
    typed: str
    error: str

    @property
    def is_changed(self) -> bool:
        return self.saved != self.typed

    @property
    def unit(self) -> str:
        return UNIT_WORDS.get(self.field.unit, "")

    @property
    def is_switch(self) -> bool:
        return self.field.unit is Unit.BOOL

    @property
    def is_list(self) -> bool:
        return self.field.unit in LISTS

    @property
    def options(self) -> list[str]:
        return [choice.value for choice in self.field.choices or ()]

    @property
    def range(self) -> str:
        low, high = self.field.minimum, self.field.maximum
        if low is None and high is None:
            return ""
        return f"{'…' if low is None else low} to {'…' if high is None else high}"


@signed_in
@require_http_methods(["GET", "POST"])
def configuration(request: SignedInRequest) -> HttpResponse:
    """Show the parameters in force; on POST save what was typed over the version it was read at."""
    screen = screen_for(request)
    current = configure.current(request.user)
    if request.method == "GET":
        return _page(request, screen, current)
    typed = _typed(request.POST)
    try:
        saved = configure.save(
            user=request.user,
            values=typed,
            expected_version=_version(request.POST),
            actor=request.user.get_username(),
            now=screen.now,
        )
    except ParameterErrors as error:
        return _page(request, screen, current, typed=typed, errors=error.errors, status=422)
    except VersionConflict as conflict:
        return _page(
            request, screen, conflict.current, typed=typed, conflict=str(conflict), status=409
        )
    messages.success(request, f"Saved as version {saved.version}; in force from now on.")
    return redirect("trading:configuration")


def _page(
    request: SignedInRequest,
    screen: Screen,
    current: CurrentConfiguration,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    conflict: str = "",
    status: int = 200,
) -> HttpResponse:
    saved = current.parameters.to_values()
    lines = [
        FieldLine(
            field=described,
            saved=_text(saved[described.key]),
            typed=(typed or {}).get(described.key, _text(saved[described.key])),
            error=(errors or {}).get(described.key, ""),
        )
        for described in PARAMETER_FIELDS
    ]
    return render_page(
        request,
        "configuration.html",
        screen,
        status=status,
        lines=lines,
        version=current.version,
        conflict=conflict,
        wrong=sum(1 for line in lines if line.error),
        history=ConfigurationVersion.objects.for_user(request.user)[:HISTORY_SHOWN],
    )


def _typed(posted: QueryDict) -> dict[str, str]:
    """Return what was typed for every known parameter; a box that is not ticked is not sent."""
    values: dict[str, str] = {}
    for described in PARAMETER_FIELDS:
        if described.unit is Unit.BOOL:
            values[described.key] = "true" if described.key in posted else "false"
        elif described.key in posted:
            values[described.key] = str(posted[described.key]).strip()
    return values


def _version(posted: QueryDict) -> int:
    text = str(posted.get("version", ""))
    return int(text) if text.isdecimal() else -1


def _text(value: str | bool | list[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list) else value
