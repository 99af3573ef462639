"""Which package of ours may import which, and where foreign packages belong."""

from __future__ import annotations

# Who may import what of ours; the longest matching key rules. `arbsite` may import everything.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "exchanges": ("exchanges", "arbsite.accounts"),
    "exchanges.access": (),
    "exchanges.activity": ("exchanges.domain",),
    "exchanges.domain": (),
    "exchanges.errors": (),
    "exchanges.ports": (
        "exchanges.access",
        "exchanges.activity",
        "exchanges.domain",
        "exchanges.errors",
        "exchanges.risk_tiers",
    ),
    "exchanges.loans": ("exchanges.matching",),
    "exchanges.matching": ("exchanges.domain", "exchanges.errors"),
    "exchanges.risk_tiers": ("exchanges.domain", "exchanges.matching"),
    "exchanges.ccxt_adapter": (
        "exchanges.ccxt_adapter",
        "exchanges.access",
        "exchanges.activity",
        "exchanges.domain",
        "exchanges.errors",
        "exchanges.ports",
        "exchanges.venues",
        "exchanges.limits",
        "exchanges.funding_intervals",
        "exchanges.quotes",
        "exchanges.intervals",
        "exchanges.order_form",
        "exchanges.keccak",
        "exchanges.matching",
        "exchanges.risk_tiers",
        # Whether a call is about orders, which the breaker counts apart.
        "exchanges.outcomes",
    ),
    "exchanges.limits": ("exchanges.limits", "exchanges.errors"),
    "trading": ("trading", "exchanges", "arbsite.accounts"),
    "trading.tasks": (
        "trading",
        "exchanges",
        "arbsite.accounts",
        "arbsite.celery",
        "arbsite.schedules",
    ),
    # The demo writes venues and accounts as staff would in the admin.
    "trading.services.demo": ("trading", "exchanges", "arbsite.accounts"),
    "trading.management": ("trading", "exchanges", "arbsite.schedules", "arbsite.accounts"),
    "trading.doorbell": ("trading", "arbsite.celery"),
    # Margin is counted by one arithmetic, here and at the venues of rows and of the rehearsal.
    "trading.core": ("trading.core", "exchanges.domain", "exchanges.matching"),
    "trading.strategies": (
        "trading.strategies",
        "trading.core",
        "exchanges.domain",
        "exchanges.risk_tiers",
    ),
    # Nothing of the engine: research decides as production does and touches nothing of it.
    "trading.research": (
        "trading.research",
        "trading.strategies",
        "trading.core",
        "exchanges.domain",
    ),
    "trading.services": (
        "trading.services",
        "trading.models",
        "trading.core",
        "trading.strategies",
        "trading.events",
        "trading.selectors",
        "trading.doorbell",
        "exchanges.ports",
        "exchanges.access",
        "exchanges.errors",
        "exchanges.domain",
        "exchanges.registry",
        "exchanges.selectors",
        "exchanges.board",
        "exchanges.loop",
        # What paper accounts assume of loans whose rate no venue tells.
        "exchanges.assumed_loans",
        # In which lane an order or a poll is sent.
        "exchanges.limits.lanes",
        # The rows that our own rows point at, and what names and opens an account.
        "exchanges.models",
        "exchanges.models.notices",
        "exchanges.modes",
        "exchanges.outcomes",
        "exchanges.client_order_ids",
        "exchanges.depths",
        "exchanges.account_keys",
        "exchanges.sealing",
        # What a venue lists is read anew when it refused the form of an order.
        "exchanges.services",
        "exchanges.matching",
        "exchanges.risk_tiers",
        "exchanges.tier_rows",
        "arbsite.accounts",
    ),
    "alerts": (
        "alerts",
        "trading.events",
        "trading.selectors",
        # One of many that breaks keeps none of the others waiting.
        "trading.services.apart",
        # How figures look is the same on a page and in a message.
        "trading.templatetags.carry_format",
        "exchanges.board",
        # Exact columns, and what keeps a secret shut.
        "exchanges.decimals",
        "exchanges.fields",
        "exchanges.sealing",
        "arbsite.accounts",
    ),
    "alerts.rules": (),
    "alerts.wording": ("alerts.rules",),
    "alerts.tasks": ("alerts", "trading.services.sweep", "arbsite.celery"),
    # It ends the venues' connections of a kill that was driven there.
    "alerts.management": ("alerts", "exchanges.loop", "exchanges.registry"),
    # Its pages stand in the frame of the site.
    "alerts.views": (
        "alerts",
        "trading.events",
        "trading.selectors",
        "trading.views.access",
        "trading.views.layout",
        "arbsite.accounts",
    ),
    # What a person may do on a page may be done in a chat, by the same services.
    "alerts.bot": (
        "alerts",
        "trading.selectors",
        "trading.services",
        "trading.desk",
        "trading.templatetags.carry_format",
        "exchanges.board",
        "arbsite.accounts",
    ),
}

# Foreign packages that belong to few places.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "ccxt": ("exchanges.ccxt_adapter",),
    "celery": (
        "alerts.tasks",
        "exchanges.tasks",
        "trading.tasks",
        "trading.doorbell",
        "arbsite.celery",
        "arbsite.tasks",
    ),
    "telegram": ("alerts.transports.telegram", "alerts.bot"),
    "channels": (
        "trading.consumers",
        "trading.event_consumer",
        "trading.routing",
        "trading.broadcast",
        "arbsite.asgi",
    ),
    "polars": ("trading.research", "trading.exports", "exchanges.simulator"),
    "numpy": ("trading.core.scan", "trading.research", "exchanges.board", "exchanges.simulator"),
}
