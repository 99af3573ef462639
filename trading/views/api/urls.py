"""The addresses below `/api/v1`; those of the first draft answer without the version too."""

from __future__ import annotations

from django.urls import include, path, re_path

from trading.views.api import (
    calculators,
    configuration,
    description,
    engine,
    entries,
    exports,
    ledger,
    market,
    positions,
    reconciliation,
    status,
)
from trading.views.api.errors import not_found

bare = [
    path("status", status.Status.as_view(), name="status"),
    path("positions", positions.Positions.as_view(), name="positions"),
    path("history", positions.History.as_view(), name="history"),
    path("positions/open", entries.Open.as_view(), name="open"),
    path("positions/<uuid:position_id>/close", positions.Close.as_view(), name="close"),
    path("engine/start", engine.Start.as_view(), name="start"),
    path("engine/stop", engine.Stop.as_view(), name="stop"),
    path("engine/kill", engine.Kill.as_view(), name="kill"),
    path("config/update", configuration.Update.as_view(), name="update"),
]
versioned = [
    *bare,
    path("positions/quote", entries.Quote.as_view(), name="quote"),
    path("positions/<uuid:position_id>", positions.OnePosition.as_view(), name="position"),
    path("positions/<uuid:position_id>/release", positions.Release.as_view(), name="release"),
    path("engine/scan", engine.Scan.as_view(), name="scan"),
    path("engine/rearm", engine.Rearm.as_view(), name="rearm"),
    path("money", status.Money.as_view(), name="money"),
    path("venues", status.Venues.as_view(), name="venues"),
    path("rates", market.Rates.as_view(), name="rates"),
    path("opportunities", market.Opportunities.as_view(), name="opportunities"),
    path("orders", ledger.Orders.as_view(), name="orders"),
    path("trades", ledger.Trades.as_view(), name="trades"),
    path("funding", ledger.Funding.as_view(), name="funding"),
    path("calculators", calculators.Calculators.as_view(), name="calculators"),
    path("calculators/<slug:key>", calculators.Calculator.as_view(), name="calculator"),
    path("reconciliation", reconciliation.Reconciliation.as_view(), name="reconciliation"),
    path(
        "reconciliation/differences/<uuid:discrepancy_id>",
        reconciliation.Decide.as_view(),
        name="decide",
    ),
    path("config", configuration.Configuration.as_view(), name="config"),
    path("exports/<slug:name>.<slug:ending>", exports.Export.as_view(), name="export"),
]
urlpatterns = [
    path("v1/", include((versioned, "v1"))),
    path("v1/schema", description.Schema.as_view(), name="schema"),
    path("docs", description.docs, name="api_docs"),
    path("", include((bare, "bare"))),
    re_path(r"", not_found),
]
