"""What a configuration asks of venues and no enabled venue can give."""

from __future__ import annotations

from exchanges import selectors
from exchanges.domain import InstrumentKind
from exchanges.modes import Mode
from trading.core.leverage import ANY
from trading.core.money import plain
from trading.core.parameters import Parameters
from trading.core.symbols import shown_pair


def refuse_unlisted(before: Parameters, after: Parameters, mode: Mode) -> dict[str, str]:
    """Return a sentence per outer key; only what the change asks for anew is looked at.

    `mode` is that of the user's money. A venue that delists a pair must not make every later save
    impossible.
    """
    enabled = {exchange.code for exchange in selectors.enabled_exchanges()}
    return {
        **_venues(before, after, enabled, mode),
        **_symbols(before, after),
        **_leverage(before, after, mode),
    }


def _venues(before: Parameters, after: Parameters, enabled: set[str], mode: Mode) -> dict[str, str]:
    errors: dict[str, str] = {}
    named = {override.venue for override in after.leverage_overrides} - {ANY}
    known = {override.venue for override in before.leverage_overrides}
    for key, new in (
        ("venues", set(after.venues) - set(before.venues)),
        ("leverage_overrides", named - known),
    ):
        read_only = [why for venue in sorted(new) if (why := selectors.read_only(venue, mode))]
        if read_only:
            errors[key] = " ".join(read_only)
        unknown = sorted(new - enabled)
        if unknown:
            errors[key] = (
                f"{', '.join(unknown)}: no enabled venue has this code; enabled are "
                f"{', '.join(sorted(enabled)) or 'none'}."
            )
    return errors


def _symbols(before: Parameters, after: Parameters) -> dict[str, str]:
    asked = set(after.symbols) - set(before.symbols)
    rows = selectors.active_instruments().values_list("base", "quote").distinct()
    listed = {f"{base}/{quote}" for base, quote in rows}
    # Before the first refresh nothing is known of any venue.
    missing = [shown_pair(pair) for pair in after.symbols if pair in asked - listed]
    if not listed or not missing:
        return {}
    return {"symbols": f"{', '.join(missing)}: no enabled venue lists this."}


def _leverage(before: Parameters, after: Parameters, mode: Mode) -> dict[str, str]:
    keys = ("leverage", "spot_perp_leverage", "leverage_overrides")
    changed = [key for key in keys if getattr(before, key) != getattr(after, key)]
    if not changed:
        return {}
    errors: dict[str, str] = {}
    rows = (
        selectors.active_instruments()
        .filter(base__in=after.bases)
        .exclude(kind=InstrumentKind.SPOT)
        .order_by("max_leverage")
    )
    for row in rows:
        venue, pair = row.exchange.code, f"{row.base}/{row.quote}"
        if pair not in after.symbols or not after.uses_venue(venue):
            continue
        if selectors.read_only(venue, mode):
            continue
        overridden = any(line.covers(venue, pair) for line in after.leverage_overrides)
        for key in changed:
            if overridden != (key == "leverage_overrides"):
                continue
            asked = after.leverage_at(
                venue=venue, pair=pair, against_spot=key == "spot_perp_leverage"
            )
            if asked > row.max_leverage:
                errors.setdefault(
                    key,
                    f"{plain(asked)}x is above what {row.exchange.name} allows on "
                    f"{shown_pair(pair)}, {plain(row.max_leverage)}x.",
                )
    return errors
