"""Every number and choice a user can configure, section by section; `docs/DOMAIN.md` section 7."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from trading.core.parameter_field import METADATA_KEY, ParameterField
from trading.core.parameter_sections.closing import Closing
from trading.core.parameter_sections.expected_funding import ExpectedFunding
from trading.core.parameter_sections.funding_regime import FundingRegime
from trading.core.parameter_sections.moment import Moment
from trading.core.parameter_sections.opportunity import Opportunity
from trading.core.parameter_sections.sending import Sending
from trading.core.parameter_sections.size import Size
from trading.core.parameter_sections.traded import Traded
from trading.core.parameter_sections.trust import Trust
from trading.core.parameter_sections.upkeep import Upkeep


# Without slots: several slotted bases cannot share one layout.
@dataclass(frozen=True, kw_only=True)
class ParameterTable(
    Traded,
    Opportunity,
    ExpectedFunding,
    FundingRegime,
    Moment,
    Size,
    Sending,
    Closing,
    Upkeep,
    Trust,
):
    """All sections in one, so that a rule names a parameter and not where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSection:
    """A group of fields as a form shows it."""

    title: str
    fields: tuple[ParameterField, ...]


def _section(title: str, table: type) -> ParameterSection:
    described = tuple(
        replace(declared.metadata[METADATA_KEY], name=declared.name) for declared in fields(table)
    )
    return ParameterSection(title=title, fields=described)


PARAMETER_SECTIONS: tuple[ParameterSection, ...] = (
    _section("What is traded", Traded),
    _section("What makes an opportunity", Opportunity),
    _section("Expected funding", ExpectedFunding),
    _section("Thresholds by funding", FundingRegime),
    _section("When it is opened", Moment),
    _section("Size, leverage and limits", Size),
    _section("How orders are sent", Sending),
    _section("When it is closed", Closing),
    _section("Care of an open position", Upkeep),
    _section("Data and costs believed", Trust),
)
PARAMETER_FIELDS: tuple[ParameterField, ...] = tuple(
    described for section in PARAMETER_SECTIONS for described in section.fields
)
"""Every field in the order in which a form shows them."""
