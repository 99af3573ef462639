"""The configuration as rows of a form: in force, typed, usual, wrong, asked about, in conflict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.http import QueryDict

from trading.core.money import plain
from trading.core.parameter_field import LISTS, ParameterField, Unit
from trading.core.parameter_table import PARAMETER_FIELDS, PARAMETER_SECTIONS
from trading.core.parameters import Parameters
from trading.core.staff_range import StaffRange
from trading.services.suggestions import Suggestion
from trading.views.parameter_words import UNIT_WORDS, word_for

DEFAULTS = Parameters()
THEIRS = "theirs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    value: str
    words: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """One parameter as a row of the form. `theirs` is set where two people changed it."""

    field: ParameterField
    saved: str
    typed: str
    default: str
    offered: Mapping[str, str]
    error: str = ""
    question: str = ""
    theirs: str | None = None
    staff: StaffRange | None = None
    suggestion: Suggestion | None = None
    warning: str = ""

    @property
    def is_changed(self) -> bool:
        return self.saved != self.typed

    @property
    def is_own(self) -> bool:
        """Tell whether what is in force is not the default."""
        return self.saved != self.default

    @property
    def unit(self) -> str:
        return UNIT_WORDS.get(self.field.unit, "")

    @property
    def is_switch(self) -> bool:
        return self.field.unit is Unit.BOOL

    @property
    def is_choice(self) -> bool:
        return self.field.choices is not None

    @property
    def is_several(self) -> bool:
        return self.field.unit is Unit.WORDS

    @property
    def is_list(self) -> bool:
        return self.field.unit in LISTS and not self.is_several

    @property
    def options(self) -> list[Option]:
        chosen = split(self.typed)
        words = {**self.offered, **{value: self.offered.get(value, value) for value in chosen}}
        return [
            Option(value=value, words=said, is_chosen=value in chosen)
            for value, said in words.items()
        ]

    @property
    def saved_words(self) -> str:
        return self._words(self.saved)

    @property
    def typed_words(self) -> str:
        return self._words(self.typed)

    @property
    def default_words(self) -> str:
        return self._words(self.default)

    @property
    def theirs_words(self) -> str:
        return self._words(self.theirs or "")

    @property
    def confirms(self) -> str:
        """Return the outer value that a yes is a yes to."""
        return str(self.field.dump(self.field.parse(self.typed)))

    @property
    def range(self) -> str:
        low, high = self.field.minimum, self.field.maximum
        if low is None and high is None:
            return ""
        return f"{'…' if low is None else plain(low)} to {'…' if high is None else plain(high)}"

    @property
    def staff_range(self) -> str:
        if self.staff is None:
            return ""
        ends = (("at least", self.staff.least), ("at most", self.staff.most))
        said = (f"{words} {plain(bound)}" for words, bound in ends if bound is not None)
        return f"staff: {', '.join(said)}"

    def _words(self, text: str) -> str:
        if self.is_switch:
            return "on" if text == "true" else "off"
        if self.is_choice:
            return self.offered.get(text, text)
        if self.is_several:
            return ", ".join(self.offered.get(word, word) for word in split(text)) or "all"
        if self.is_list:
            return text or "none"
        unit = "" if self.field.unit is Unit.FRACTION else self.unit
        return f"{text} {unit}".strip() if text else "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSection:
    """A titled group of rows."""

    title: str
    lines: list[FieldLine]

    @property
    def changed(self) -> int:
        return sum(1 for line in self.lines if line.is_changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found against what was typed, by outer key."""

    errors: Mapping[str, str]
    questions: Mapping[str, str]
    theirs: Mapping[str, str]


NOTHING = Findings(errors={}, questions={}, theirs={})


def sections(
    *,
    saved: Parameters,
    typed: Mapping[str, str],
    findings: Findings,
    ranges: Mapping[str, StaffRange],
    venues: Mapping[str, str],
    suggestions: Mapping[str, Suggestion],
    warnings: Mapping[str, str],
) -> list[FormSection]:
    """Return the form; a field that was not typed shows what is in force.

    `venues` are the names of those in use, by code; `warnings` are told in red, by key.
    """
    in_force, defaults = texts(saved), texts(DEFAULTS)
    return [
        FormSection(
            title=section.title,
            lines=[
                FieldLine(
                    field=described,
                    saved=in_force[described.key],
                    typed=_normal(described.key, typed.get(described.key, in_force[described.key])),
                    default=defaults[described.key],
                    offered=venues if described.key == "venues" else _offered(described),
                    error=findings.errors.get(described.key, ""),
                    question=findings.questions.get(described.key, ""),
                    theirs=findings.theirs.get(described.key),
                    staff=ranges.get(described.key),
                    suggestion=suggestions.get(described.key),
                    warning=warnings.get(described.key, ""),
                )
                for described in section.fields
            ],
        )
        for section in PARAMETER_SECTIONS
    ]


def typed_values(posted: QueryDict) -> dict[str, str]:
    """Return what was typed for every known parameter; a box that is not ticked is not sent.

    A field of two changes for which theirs was chosen counts as not typed.
    """
    values: dict[str, str] = {}
    for described in PARAMETER_FIELDS:
        key = described.key
        if posted.get(f"choose-{key}") == THEIRS:
            continue
        if described.unit is Unit.BOOL:
            values[key] = "true" if key in posted else "false"
        elif described.unit is Unit.WORDS and key in posted:
            values[key] = ", ".join(word for word in posted.getlist(key) if word)
        elif key in posted:
            values[key] = str(posted[key]).strip()
    return values


def confirmed_values(posted: QueryDict) -> dict[str, str]:
    """Return the unusual values that were said yes to, by outer key."""
    return {
        described.key: str(posted[f"confirm-{described.key}"])
        for described in PARAMETER_FIELDS
        if f"confirm-{described.key}" in posted
    }


def merged(
    *, base: Parameters, theirs: Parameters, typed: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what to show after a save in between, and theirs of the fields both changed.

    What only they changed is taken over: saving mine must not undo it unseen.
    """
    was, now = texts(base), texts(theirs)
    mine = {key: text for key, text in typed.items() if _normal(key, text) != was[key]}
    both = {
        key: now[key]
        for key, text in mine.items()
        if now[key] != was[key] and _normal(key, text) != now[key]
    }
    return mine, both


def texts(parameters: Parameters) -> dict[str, str]:
    """Return every field as the form types it."""
    return {key: text_of(value) for key, value in parameters.to_values().items()}


def text_of(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, list) else str(value)


def split(text: str) -> list[str]:
    return [word.strip() for word in text.replace("\n", ",").split(",") if word.strip()]


_FIELDS = {described.key: described for described in PARAMETER_FIELDS}


def _normal(key: str, text: str) -> str:
    """Return the text as `texts` writes it; what cannot be read stays as it is."""
    try:
        return text_of(_FIELDS[key].dump(_FIELDS[key].parse(text)))
    except ValueError:
        return text


def _offered(described: ParameterField) -> dict[str, str]:
    values: Iterable[str] = described.choices or described.among
    return {str(value): word_for(str(value)) for value in values}
