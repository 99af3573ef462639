"""The configuration page: edited, loaded, imported, compared; always saved whole and by version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from exchanges import selectors
from trading.core.importing import ImportErrors
from trading.core.parameter_changes import changes
from trading.core.parameters import EntryPolicy, ParameterErrors, Parameters
from trading.models import ConfigurationPreset, ConfigurationVersion
from trading.services import configure, presets
from trading.services.bare_threshold import bare_threshold_sentence
from trading.services.configure import (
    CurrentConfiguration,
    UnitDoubts,
    VersionConflict,
    VersionUnknown,
)
from trading.services.import_configuration import MOST_CHARACTERS, read_file
from trading.services.presets import PresetRefused
from trading.services.staff_limits import ranges_for
from trading.services.suggestions import suggestions_for
from trading.views.access import SignedInRequest, signed_in
from trading.views.configuration_form import (
    NOTHING,
    Findings,
    confirmed_values,
    merged,
    sections,
    text_of,
    typed_values,
)
from trading.views.layout import render_page, screen_for

LONGEST_NOTE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the page shows besides what is in force."""

    typed: Mapping[str, str] = field(default_factory=dict)
    findings: Findings = NOTHING
    note: str = ""
    conflict: str = ""
    import_text: str = ""
    import_errors: Mapping[str, str] = field(default_factory=dict)
    history: str = ""
    """The base whose history suggests values; empty: none was asked for."""
    status: int = 200


@signed_in
@require_http_methods(["GET", "POST"])
def configuration(request: SignedInRequest) -> HttpResponse:
    """Show the parameters in force; on POST save what was typed over the version it was read at."""
    current = configure.current(request.user)
    if request.method == "GET":
        history = str(request.GET.get("history", ""))
        known = history if history in current.saved.bases else ""
        return _page(request, current, Draft(history=known))
    typed, note = typed_values(request.POST), str(request.POST.get("note", ""))[:LONGEST_NOTE]
    draft = Draft(typed=typed, note=note)
    if "review" in request.POST:
        return _page(request, current, _checked(request, current, draft))
    try:
        saved = configure.save(
            user=request.user,
            values=typed,
            expected_version=_version(request),
            actor=request.user.get_username(),
            now=screen_for(request).now,
            confirmed=confirmed_values(request.POST),
            note=note,
        )
    except (ParameterErrors, UnitDoubts):
        return _page(request, current, _checked(request, current, draft))
    except VersionConflict as conflict:
        return _conflict(request, conflict, draft)
    messages.success(request, f"Saved as version {saved.version}; in force from now on.")
    return redirect("trading:configuration")


@signed_in
@require_GET
def load_preset(request: SignedInRequest) -> HttpResponse:
    """Show the form with a preset filled in; nothing is saved."""
    name = str(request.GET.get("name", ""))
    try:
        values = presets.preset_values(request.user, name)
    except PresetRefused as refused:
        messages.error(request, str(refused))
        return redirect("trading:configuration")
    return _filled(request, values, f"preset {name}")


@signed_in
@require_POST
def keep_preset(request: SignedInRequest) -> HttpResponse:
    """Keep what is in force under a name, or forget an own preset."""
    name = str(request.POST.get("name", ""))
    try:
        if "drop" in request.POST:
            presets.drop_preset(user=request.user, name=name)
            messages.success(request, f"Preset {name} is gone.")
        else:
            presets.keep_preset(
                user=request.user,
                name=name,
                parameters=configure.current(request.user).saved,
                now=screen_for(request).now,
            )
            messages.success(request, f"Kept as preset {name}.")
    except PresetRefused as refused:
        messages.error(request, str(refused))
    return redirect("trading:configuration")


@signed_in
@require_POST
def import_file(request: SignedInRequest) -> HttpResponse:
    """Show the form with a file's values filled in; nothing is saved."""
    upload = request.FILES.get("file")
    text = str(request.POST.get("text", ""))
    if upload is not None:
        text = upload.read(MOST_CHARACTERS * 4).decode("utf-8", errors="replace")
    try:
        imported = read_file(text)
    except ImportErrors as error:
        draft = Draft(import_text=text, import_errors=error.errors, status=422)
        return _page(request, configure.current(request.user), draft)
    return _filled(request, imported.values, f"import of a {imported.source}")


@signed_in
@require_http_methods(["GET", "POST"])
def version(request: SignedInRequest, number: int) -> HttpResponse:
    """Show what going back to a version would change; on POST save it as the next one."""
    current, screen = configure.current(request.user), screen_for(request)
    try:
        row = configure.version_of(request.user, number)
    except VersionUnknown as error:
        raise Http404(str(error)) from None
    errors: list[str] = []
    conflict = ""
    if request.method == "POST":
        try:
            saved = configure.revert(
                user=request.user,
                version=number,
                expected_version=_version(request),
                actor=request.user.get_username(),
                now=screen.now,
            )
        except ParameterErrors as error:
            errors = list(error.errors.values())
        except VersionConflict as error:
            current, conflict = error.current, str(error)
        else:
            messages.success(request, f"Saved as version {saved.version}, as version {number} was.")
            return redirect("trading:configuration")
    return render_page(
        request,
        "configuration_version.html",
        screen,
        status=409 if conflict else 422 if errors else 200,
        row=row,
        current=current,
        changes=changes(current.saved, Parameters.from_stored(row.values)),
        errors=errors,
        conflict=conflict,
    )


def _filled(request: SignedInRequest, values: Mapping[str, object], note: str) -> HttpResponse:
    current = configure.current(request.user)
    typed = {key: text_of(value) for key, value in values.items()}
    return _page(request, current, _checked(request, current, Draft(typed=typed, note=note)))


def _checked(request: SignedInRequest, current: CurrentConfiguration, draft: Draft) -> Draft:
    """Return the draft with everything that is wrong or asked about."""
    try:
        configure.check(
            user=request.user,
            before=current.saved,
            values=draft.typed,
            confirmed=confirmed_values(request.POST),
        )
    except ParameterErrors as error:
        found = Findings(errors=error.errors, questions={}, theirs={})
        return replace(draft, findings=found, status=422)
    except UnitDoubts as doubts:
        found = Findings(errors={}, questions=doubts.questions, theirs={})
        return replace(draft, findings=found, status=422)
    return draft


def _conflict(request: SignedInRequest, conflict: VersionConflict, draft: Draft) -> HttpResponse:
    edited = ConfigurationVersion.objects.for_user(request.user).filter(version=_version(request))
    row = edited.first()
    base = Parameters() if row is None else Parameters.from_stored(row.values)
    mine, theirs = merged(base=base, theirs=conflict.current.saved, typed=draft.typed)
    found = Findings(errors={}, questions={}, theirs=theirs)
    shown = replace(draft, typed=mine, findings=found, conflict=str(conflict), status=409)
    return _page(request, conflict.current, shown)


def _page(request: SignedInRequest, current: CurrentConfiguration, draft: Draft) -> HttpResponse:
    ranges, screen = ranges_for(request.user), screen_for(request)
    suggestions = {}
    if draft.history:
        suggestions = suggestions_for(draft.history, parameters=current.parameters, now=screen.now)
    venues = selectors.trading_exchanges(screen.mode)
    form = sections(
        saved=current.saved,
        typed=draft.typed,
        findings=draft.findings,
        ranges=ranges,
        venues={one.code: f"{one.name} ({one.code})" for one in venues},
        suggestions=suggestions,
        warnings=_warnings(request, current, draft, screen.now),
    )
    lines = [line for section in form for line in section.lines]
    return render_page(
        request,
        "configuration.html",
        screen,
        status=draft.status,
        draft=draft,
        sections=form,
        bases=sorted(current.saved.bases),
        suggested=len(suggestions),
        version=current.version,
        changed=[line for line in lines if line.is_changed],
        held=changes(current.saved, current.parameters),
        in_doubt=[line for line in lines if line.question],
        wrong=[line for line in lines if line.error],
        both_changed=[line for line in lines if line.theirs is not None],
        preset_names=presets.preset_names(request.user),
        own_presets=ConfigurationPreset.objects.for_user(request.user),
        history=ConfigurationVersion.objects.for_user(request.user)[: configure.REVERTIBLE],
    )


def _warnings(
    request: SignedInRequest, current: CurrentConfiguration, draft: Draft, now: datetime
) -> dict[str, str]:
    """Return what a choice that gives protection up did in the past, by key."""
    chosen = draft.typed.get("entry_policy", current.saved.entry_policy)
    if chosen != EntryPolicy.SPREAD_ONLY:
        return {}
    return {"entry_policy": bare_threshold_sentence(request.user, current.parameters, now)}


def _version(request: SignedInRequest) -> int:
    text = str(request.POST.get("version", ""))
    return int(text) if text.isascii() and text.isdecimal() else -1
