"""What all pages share: the links between them and the state of the top bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import resolve
from django.utils import timezone

from trading.selectors.screen import TABS, Screen, tabs
from trading.views.access import SignedInRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One link of the page bar. `code` is typed in the command line, `letter` follows G."""

    route: str
    code: str
    name: str
    letter: str
    function_key: str = ""
    on_phone: bool = True

    @property
    def chord(self) -> str:
        return f"G {self.letter}"


PAGES = (
    Page(
        route="trading:help",
        code="HELP",
        name="Help",
        letter="H",
        function_key="F1",
        on_phone=False,
    ),
    Page(route="trading:dashboard", code="DASH", name="Dashboard", letter="D", function_key="F2"),
    Page(route="trading:positions", code="POS", name="Positions", letter="P", function_key="F4"),
    Page(route="trading:opportunities", code="OPP", name="Opportunities", letter="O"),
    Page(
        route="trading:reconciliation",
        code="REC",
        name="Reconciliation",
        letter="E",
        on_phone=False,
    ),
    Page(route="trading:profit", code="PNL", name="P&L", letter="N", on_phone=False),
    Page(route="trading:calculators", code="CALC", name="Calculators", letter="K", on_phone=False),
    Page(route="trading:calendar", code="CAL", name="Calendar", letter="A", on_phone=False),
    Page(route="alerts:alerts", code="LOG", name="Alerts", letter="L"),
    Page(route="trading:configuration", code="CFG", name="Config", letter="C", on_phone=False),
)


def screen_for(request: SignedInRequest) -> Screen:
    """Return the screen of the signed-in user at this moment, with the tab it asks for."""
    tab = request.GET.get("tab", "open")
    return Screen(request.user, now=timezone.now(), tab=tab if tab in TABS else "open")


def render_page(
    request: SignedInRequest, template: str, screen: Screen, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a full page of ours with its bars."""
    context = frame_of(request, screen) | context
    return render(request, f"trading/{template}", context, status=status)


def frame_of(request: SignedInRequest, screen: Screen) -> dict[str, Any]:
    """Return what the bars of every page are drawn from."""
    return {
        "screen": screen,
        "pages": PAGES,
        "current_page": resolve(request.path_info).view_name,
        "tabs": tabs(screen),
    }
