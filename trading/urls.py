from __future__ import annotations

from django.urls import path

from trading.views import (
    actions,
    calculators,
    configuration,
    fragments,
    kill,
    pages,
    preferences,
    profit,
    reconciliation,
    ticket,
)

app_name = "trading"
urlpatterns = [
    path("", pages.dashboard, name="dashboard"),
    path("positions/", pages.positions, name="positions"),
    path("positions/<uuid:position_id>/", pages.position, name="position"),
    path("positions/<uuid:position_id>/close/", actions.close, name="close"),
    path("positions/<uuid:position_id>/release/", actions.release, name="release"),
    path("positions/<uuid:position_id>/one-sided/", actions.one_sided, name="one_sided"),
    path("reconciliation/", reconciliation.reconciliation, name="reconciliation"),
    path("reconciliation/<uuid:account_id>/compare/", reconciliation.compare, name="compare"),
    path(
        "reconciliation/differences/<uuid:discrepancy_id>/<str:choice>/",
        reconciliation.decide,
        name="decide",
    ),
    path("opportunities/", pages.opportunities, name="opportunities"),
    path("rates/<str:base>/", pages.rates_history, name="rates_history"),
    path("calculators/", calculators.calculators, name="calculators"),
    path("calculators/<slug:key>/", calculators.calculators, name="calculator"),
    path("pnl/", profit.profit, name="profit"),
    path("calendar/", pages.calendar, name="calendar"),
    path("configuration/", configuration.configuration, name="configuration"),
    path("configuration/preset/", configuration.load_preset, name="load_preset"),
    path("configuration/presets/", configuration.keep_preset, name="keep_preset"),
    path("configuration/import/", configuration.import_file, name="import_file"),
    path(
        "configuration/versions/<int:number>/",
        configuration.version,
        name="configuration_version",
    ),
    path("preferences/", preferences.preferences, name="preferences"),
    path("help/", pages.help_page, name="help"),
    path("ticket/", ticket.open_position, name="open"),
    path("ticket/quote/", ticket.quote, name="quote"),
    path("engine/pause/", actions.pause, name="pause"),
    path("engine/resume/", actions.resume, name="resume"),
    path("engine/daily-stop/lift/", actions.lift_stop, name="lift_stop"),
    path("engine/scan/", actions.scan, name="scan"),
    path("engine/refresh/", actions.refresh, name="refresh"),
    path("kill/", kill.kill, name="kill"),
    path("kill/stop/", kill.stop, name="stop"),
    path("kill/flatten/", kill.flatten, name="flatten"),
    path("kill/rearm/", kill.rearm, name="rearm"),
    path("fragments/positions/", fragments.positions_panel, name="positions_panel"),
    path("fragments/symbol/<str:base>/", fragments.symbol, name="symbol"),
]
