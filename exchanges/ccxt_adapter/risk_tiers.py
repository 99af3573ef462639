"""Risk tiers of contracts: rows of one call, of one contract or of all, become checked ladders."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from operator import itemgetter

from exchanges.ccxt_adapter.bad_rows import made_of
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.listed_rows import list_name
from exchanges.ccxt_adapter.listing import Listing
from exchanges.ccxt_adapter.numbers import exact
from exchanges.ccxt_adapter.parse import Columns, optional
from exchanges.ccxt_adapter.rows import Row, fetch_rows, naming
from exchanges.ccxt_adapter.sockets import HANDLER_FAILURES
from exchanges.domain import Symbol
from exchanges.errors import InvalidOrder, UnexpectedPayload
from exchanges.matching import ZERO, LeverageTier
from exchanges.risk_tiers import NO_CAP, TierLadder, ladder_of
from exchanges.venues.rows import Rows


async def read_ladders(
    client: VenueClient, rows: Rows | None, symbols: Collection[Symbol]
) -> dict[Symbol, TierLadder]:
    """Return the ladders that a venue tells of contracts; what it does not tell is not in it.

    Nor is what makes no ladder. Raise UnexpectedPayload where none does; since nothing is opened or
    closed by them, that is no failure of the venue.
    """
    if rows is None or not symbols:
        return {}
    columns = rows.columns
    answers = await client.reading(_answers(client, rows, await _listed(client, symbols)))

    def ladder(told: tuple[Listing, list[Row]]) -> tuple[Symbol, TierLadder]:
        listing, answer = told
        return listing.symbol, _ladder(answer, columns, listing)

    try:
        return dict(
            made_of(filter(itemgetter(1), answers), ladder, list_name(client.profile, rows))
        )
    except HANDLER_FAILURES:
        words = "risk tiers that make no ladder"
        raise UnexpectedPayload(words, venue=client.profile.name) from None


async def _listed(client: VenueClient, symbols: Collection[Symbol]) -> list[Listing]:
    """Return what is listed of these: one that left the list costs no other its ladder."""
    found = []
    for symbol in symbols:
        with contextlib.suppress(InvalidOrder):
            found.append(await client.listing(symbol))
    return found


async def _answers(
    client: VenueClient, rows: Rows, listings: Iterable[Listing]
) -> list[tuple[Listing, list[Row]]]:
    """Return each contract's own rows."""
    if not rows.lists_all:
        return [
            (one, await fetch_rows(client.exchange, rows, **naming(rows, client.profile, one)))
            for one in listings
        ]
    symbol, by_name = rows.columns["symbol"], dict[str, list[Row]]()
    for row in await fetch_rows(client.exchange, rows):
        by_name.setdefault(row[symbol], []).append(row)
    return [(one, by_name.get(one.instrument.venue_symbol, [])) for one in listings]


def _ladder(answer: Iterable[Row], columns: Columns, listing: Listing) -> TierLadder:
    """Return the ladder of one contract; raise ValueError where its rows make none."""
    name, symbol = listing.instrument.venue_symbol, columns.get("symbol")
    tiers = []
    for row in answer:
        if symbol is not None and row[symbol] != name:
            raise ValueError("risk tiers of another contract")
        tiers.append(_tier(row, columns, listing))
    return ladder_of(tiers, in_base="contracts" in columns)


def _tier(row: Mapping[str, object], columns: Columns, listing: Listing) -> LeverageTier:
    """Return one tier, a cap in contracts in base units; only rows of our own make tell of none."""
    told = row[columns.get("contracts") or columns["notional"]]
    cap = NO_CAP if told is NO_CAP else exact(told)
    return LeverageTier(
        notional_cap=listing.base_quantity(cap) if "contracts" in columns else cap,
        max_leverage=exact(row[columns["leverage"]]),
        maintenance_rate=exact(row[columns["maintenance"]]),
        maintenance_amount=optional(row, columns.get("deduction")) or ZERO,
    )
