"""What a venue tells of funding that has passed: its settlements, and what any span owed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from exchanges.ccxt_adapter import parse
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.numbers import exact
from exchanges.ccxt_adapter.rows import fetch_one, fetch_since, naming, span_of
from exchanges.domain import SettledFunding, Symbol


async def read_settled(
    client: VenueClient, symbol: Symbol, *, since: datetime
) -> Sequence[SettledFunding]:
    """Return the settlements of a contract after `since`, oldest first."""
    listing, rows = await client.listing(symbol), client.profile.settled_funding
    if rows is None:
        return []

    async def read() -> list[SettledFunding]:
        named = naming(rows, client.profile, listing)
        answer = await fetch_since(client.exchange, rows, since=since, now=client.now(), **named)
        return [parse.settled_funding(row, rows.columns, listing) for row in answer]

    return await client.reading(read())


async def read_accrued(
    client: VenueClient, symbol: Symbol, *, since: datetime, until: datetime
) -> Decimal | None:
    """Return what a contract owed in a span, as a fraction of the index; None where not told."""
    rows = client.profile.accrued_rate
    if rows is None:
        return None
    listing = await client.listing(symbol)
    asked = {**naming(rows, client.profile, listing), **span_of(rows, since, until)}

    async def read() -> Decimal:
        row = await fetch_one(client.exchange, rows, **asked)
        return exact(row[rows.columns["funding_rate"]])

    return await client.reading(read())
