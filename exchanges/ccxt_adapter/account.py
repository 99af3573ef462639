"""Private reads of one account. A read that fails raises; it is never an empty list."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from exchanges.access import KeyFacts
from exchanges.ccxt_adapter import parse_account
from exchanges.ccxt_adapter.client import VenueClient
from exchanges.ccxt_adapter.listing import STABLE_QUOTES, Listing
from exchanges.ccxt_adapter.numbers import text
from exchanges.ccxt_adapter.parse import Columns, optional
from exchanges.ccxt_adapter.risk_tiers import read_ladders
from exchanges.ccxt_adapter.rows import Row, fetch_one, fetch_rows, fetch_since, naming, of_one
from exchanges.domain import (
    AccountTransfer,
    Balance,
    BorrowInterest,
    ClientOrderId,
    FeeTier,
    Fill,
    FundingPayment,
    Symbol,
    VenuePosition,
)
from exchanges.errors import CredentialRefused, RateLimited, UnexpectedPayload, VenueUnavailable
from exchanges.risk_tiers import TierLadder
from exchanges.venues.profile import KeyRights, KeyRule

T = TypeVar("T")


class CcxtAccount:
    """`exchanges.ports.Account` of one account."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self._profile = client.profile

    async def balances(self) -> Sequence[Balance]:
        rows = self._profile.balances

        async def read() -> list[Balance]:
            answer, sent_at = await self._client.dated(fetch_rows(self._client.exchange, rows))
            columns, debts = rows.columns, _debts(answer, rows.columns)
            name = self._profile.name
            found = [parse_account.balance(row, columns, name, sent_at) for row in answer]
            return [_less_debts(balance, debts) for balance in found]

        return await self._read(read())

    async def positions(self) -> Sequence[VenuePosition]:
        """Return what is held, of contracts too that the venue lists no more.

        Raise UnexpectedPayload where one is held that nobody knows: how much it is, is not told.
        """
        rows, ever = self._profile.positions, await self._client.all_ever_listed()
        # A venue may name a spot market alike.
        contracts = ever.of(is_spot=False)
        if rows is None:
            return []

        async def read() -> tuple[list[VenuePosition], dict[str, Row]]:
            answer, sent_at = await self._client.dated(fetch_rows(self._client.exchange, rows))
            found, strange = [], {}
            for row in answer:
                name = row[rows.columns["symbol"]]
                if (listing := contracts.get(name)) is not None:
                    found.append(parse_account.position(row, rows.columns, listing, sent_at))
                elif optional(row, rows.columns["amount"]):
                    strange[name] = row
            return found, strange

        found, strange = await self._read(read())
        # Not as an answer of the venue that is no good: it concerns this account alone.
        for name, row in strange.items():
            if await self._client.is_unknown(name):
                raise UnexpectedPayload(
                    f"it holds {row[rows.columns['amount']]} {name}, which is not listed",
                    venue=self._profile.name,
                )
        held = [position for position in _once(found) if position.base_quantity]
        return [_ranked(position, self._profile.adl_rank_offset) for position in held]

    async def fills(self, symbol: Symbol, *, since: datetime) -> Sequence[Fill]:
        listing = await self._client.ever_listed(symbol)
        part = self._profile.part(listing.instrument.kind)
        rows, kind = part.fills, part.fills.columns.get("kind")

        async def read() -> list[Fill]:
            answer = await fetch_since(
                self._client.exchange,
                rows,
                since=since,
                now=self._client.now(),
                **naming(rows, part, listing),
            )
            return [
                parse_account.fill(row, rows.columns, listing, self._profile)
                for row in of_one(rows, listing, answer)
                if kind is None or row[kind] not in self._profile.not_fills
            ]

        return await self._read(read())

    async def trace(self, fill: Fill) -> Fill:
        """Return the fill with the own id of its order and its cause, where the row had neither."""
        rows = self._profile.order_of_fill
        if rows is None or fill.client_order_id or fill.cause.is_venue:
            return fill
        listing = await self._client.ever_listed(fill.symbol)
        order = {rows.columns["order_id"]: fill.venue_order_id}
        named = naming(rows, self._profile, listing)

        async def read() -> ClientOrderId:
            answer = await fetch_rows(self._client.exchange, rows, **named, **order)
            return ClientOrderId(text(answer[0][rows.columns["client_order_id"]]))

        own_id = await self._read(read())
        return replace(fill, client_order_id=own_id, cause=self._profile.cause(own_id=own_id))

    async def funding_payments(
        self, contracts: Mapping[str, Symbol], *, since: datetime
    ) -> Sequence[FundingPayment]:
        rows = self._profile.funding_payments
        if rows is None:
            return []

        async def read() -> list[FundingPayment]:
            asked = {rows.names_param: list(contracts)} if rows.names_param else {}
            answer = await fetch_since(
                self._client.exchange, rows, since=since, now=self._client.now(), **asked
            )
            # Kraken Futures writes PF_AAPLxUSD in small letters here.
            known = {name.upper(): symbol for name, symbol in contracts.items()}
            named = ((row, known.get(str(row[rows.columns["symbol"]]).upper())) for row in answer)
            return [
                parse_account.funding_payment(row, rows.columns, symbol, self._profile)
                for row, symbol in named
                if symbol is not None
            ]

        return await self._read(read())

    async def borrow_interest(self, *, since: datetime) -> Sequence[BorrowInterest]:
        rows = self._profile.borrow_interest
        if rows is None:
            return []

        async def read() -> list[BorrowInterest]:
            answer = await fetch_since(
                self._client.exchange, rows, since=since, now=self._client.now()
            )
            name = self._profile.name
            return [parse_account.borrow_interest(row, rows.columns, name) for row in answer]

        return await self._read(read())

    async def isolated_margin(self, symbol: Symbol) -> Decimal | None:
        listing = await self._client.ever_listed(symbol)
        part = self._profile.part(listing.instrument.kind)
        calls = part.isolated_margin
        if calls is None:
            return None

        async def read() -> Decimal | None:
            if calls.mode_is_the_accounts and not await self._is_isolated():
                return None
            rows = calls.position
            answer = await fetch_rows(self._client.exchange, rows, **naming(rows, part, listing))
            # A cross position may have its margin left empty.
            held = [optional(row, rows.columns["margin"]) or Decimal(0) for row in answer]
            return sum(held, Decimal(0)) or None

        return await self._read(read())

    async def _is_isolated(self) -> bool:
        settings = self._profile.settings
        if settings is None or settings.margin_mode is None:
            return False
        rows = settings.margin_mode
        answer = await fetch_rows(self._client.exchange, rows)
        return any(row[rows.columns["mode"]] == settings.isolated_name for row in answer)

    async def transfers(self, *, since: datetime) -> Sequence[AccountTransfer]:
        rows = self._profile.transfers
        if rows is None:
            return []

        async def read() -> list[AccountTransfer]:
            answer = await fetch_since(
                self._client.exchange, rows, since=since, now=self._client.now()
            )
            return [parse_account.transfer(row, rows.columns, self._profile) for row in answer]

        return await self._read(read())

    async def fee_tier(self, symbol: Symbol) -> FeeTier:
        """Return the account's own fees, the venue's list price marked as such where it is mute."""
        listing = await self._client.listing(symbol)
        try:
            return await self._read(self._own_fees(listing))
        except RateLimited:
            raise
        except (VenueUnavailable, UnexpectedPayload):
            part = self._profile.part(listing.instrument.kind)
            return FeeTier(
                venue=part.name,
                symbol=symbol,
                maker=part.fallback_maker,
                taker=part.fallback_taker,
                is_fallback=True,
            )

    async def risk_tiers(self, symbols: Collection[Symbol]) -> Mapping[Symbol, TierLadder]:
        return await read_ladders(self._client, self._profile.own_risk_tiers, symbols)

    async def check_key(self) -> KeyFacts:
        practice = self._client.practice
        if practice is not None and not practice.tells_rights:
            # It moves no money, so it is enough that the key works.
            await self.balances()
            return KeyFacts()
        rights = self._profile.key_rights

        async def read() -> tuple[Row, list[KeyRule]]:
            answer = await fetch_one(self._client.exchange, rights.call)
            # A right that the answer leaves out is not one that the key lacks: it is unreadable.
            broken = [
                rule
                for rule in rights.rules
                if _holds(_stated_at(answer, rule.path), rule.refused) is not rule.is_needed
            ]
            return answer, broken

        answer, broken = await self._read(read())
        for rule in broken:
            raise CredentialRefused(rule.advice, venue=self._profile.name)
        await self._refuse_hedge_mode(rights)

        async def facts() -> KeyFacts:
            told = answer
            if rights.uid_call is not None:
                told = await fetch_one(self._client.exchange, rights.uid_call)
            return parse_account.key_facts(answer, told, rights)

        return await self._read(facts())

    async def _refuse_hedge_mode(self, rights: KeyRights) -> None:
        rows, settings = rights.position_mode, self._profile.settings
        if rows is None or settings is None:
            return

        async def read() -> bool:
            answer = await fetch_rows(self._client.exchange, rows)
            return any(parse_account.is_hedge_mode(row, rows.columns) for row in answer)

        if await self._read(read()):
            raise CredentialRefused(settings.hedge_mode_advice, venue=self._profile.name)

    async def _own_fees(self, listing: Listing) -> FeeTier:
        part = self._profile.part(listing.instrument.kind)
        rows, group = part.fee_tier, listing.instrument.venue_symbol
        if part.fee_group:
            group = listing.market["info"][part.fee_group]
        answer = await fetch_rows(self._client.exchange, rows, **naming(rows, part, listing))
        by_group = {row[rows.columns["symbol"]]: row for row in answer}
        return parse_account.fee_tier(by_group[group], rows.columns, listing, part)

    async def _read(self, call: Awaitable[T]) -> T:
        return await self._client.reading(call)


def _debts(answer: Sequence[Row], columns: Columns) -> Decimal:
    """Return what the borrowed coins of an account are worth, in dollars."""
    if "value" not in columns:
        return Decimal(0)
    values = (optional(row, columns["value"]) or Decimal(0) for row in answer)
    return -sum((value for value in values if value < 0), Decimal(0))


def _less_debts(balance: Balance, debts: Decimal) -> Balance:
    """Return a balance whose dollars are not free as far as they came from selling a loan."""
    if not debts or balance.asset not in STABLE_QUOTES:
        return balance
    return replace(balance, free=max(balance.free - debts, Decimal(0)))


def _ranked(position: VenuePosition, offset: int) -> VenuePosition:
    rank = position.adl_rank
    return position if rank is None else replace(position, adl_rank=rank + offset)


def _once(found: list[VenuePosition]) -> list[VenuePosition]:
    """Return one position a symbol: parts of the list may overlap."""
    return list({(each.symbol, each.is_hedge_mode): each for each in found}.values())


def _stated_at(answer: Row, path: Sequence[str]) -> Any:
    """Return what stands at a path; raise LookupError or TypeError where nothing does."""
    found: Any = answer
    for key in path:
        found = found[key]
    return found


def _holds(stated: Any, refused: object) -> bool:
    if isinstance(stated, str):
        stated = stated.split(",")
    return refused in stated if isinstance(stated, list) else bool(stated == refused)
