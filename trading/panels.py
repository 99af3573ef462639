"""The panels that a page is pushed: the fragments it includes itself, swapped out of band."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404
from django.template.loader import render_to_string

from arbsite.accounts.models import User
from trading.selectors.legs import liquidation_prices
from trading.selectors.opportunities import pair_cells
from trading.selectors.position_page import position_records
from trading.selectors.positions import get_position_for_user, position_line
from trading.selectors.rates import Cells
from trading.selectors.screen import Screen, tabs

TEMPLATES = {
    "state": "trading/_state.html",
    "banners": "trading/_banners.html",
    "kpis": "trading/_kpis.html",
    "engine": "trading/_engine.html",
    "positions": "trading/_positions.html",
    "alerts": "trading/_alerts.html",
    "position": "trading/_position.html",
    "reconciliation": "trading/_reconciliation.html",
}
# The browser counts these down by itself: that they moved on is no reason to send a panel again.
COUNTDOWN_TEXT = re.compile(r"(<time[^>]* data-until[^>]*>)[^<]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one open page looks at; names of panels that do not exist are dropped."""

    panels: tuple[str, ...]
    tab: str = "open"
    position_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Fragments by panel, and the live cells that are this user's own."""

    fragments: dict[str, str]
    cells: Cells


def render_panels(user: User, view: View, now: datetime) -> Rendered:
    """Render every panel of a page at one instant from one reading of the database."""
    screen = Screen(user, now=now, tab=view.tab)
    context: dict[str, Any] = {"screen": screen, "tabs": tabs(screen), "oob": True}
    names = [name for name in view.panels if name in TEMPLATES]
    if "position" in names:
        try:
            context |= _position_context(screen, view.position_id)
        except Http404:
            names.remove("position")
    fragments = {name: str(render_to_string(TEMPLATES[name], context)) for name in names}
    return Rendered(fragments=fragments, cells=pair_cells(screen.sheet.bases, screen.best_pairs))


def without_countdowns(fragment: str) -> str:
    """Return a fragment as it is compared with the one sent before."""
    return COUNTDOWN_TEXT.sub(r"\1", fragment)


def _position_context(screen: Screen, position_id: UUID | None) -> dict[str, Any]:
    if position_id is None:
        raise Http404("The page names no position.")
    position = get_position_for_user(screen.user, position_id)
    liquidations = liquidation_prices(screen.user)
    return {
        "line": position_line(position, liquidations, screen.board, screen.now),
        "records": position_records(position),
    }
