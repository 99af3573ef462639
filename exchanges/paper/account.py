"""Private reads of one paper account; each brings it to now first, or raises."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from exchanges.access import KeyFacts
from exchanges.domain import (
    AccountTransfer,
    Balance,
    BorrowInterest,
    FeeTier,
    Fill,
    FundingPayment,
    Symbol,
    VenuePosition,
)
from exchanges.loans import owed
from exchanges.paper.facts import Facts
from exchanges.paper.ledger import Ledger, as_holding
from exchanges.paper.margin import (
    alone,
    liquidation_price,
    locked,
    margin_state,
    mark_of,
    state_behind,
    unrealised_pnl,
    wallets,
)
from exchanges.paper.margin_rows import PaperInterest
from exchanges.paper.reports import charge_of, fill_of, payment_of
from exchanges.paper.rows import PaperFill, PaperFunding, PaperHolding
from exchanges.paper.terms import Terms
from exchanges.paper.venue import PaperVenue
from exchanges.risk_tiers import TierLadder

ZERO = Decimal(0)


class PaperReads:
    """`exchanges.ports.Account` of one account."""

    def __init__(self, venue: PaperVenue) -> None:
        self._venue = venue

    @property
    def _name(self) -> str:
        return self._venue.profile.name

    async def balances(self) -> Sequence[Balance]:
        return await self._venue.read(await self._venue.advance(), self._balances)

    async def positions(self) -> Sequence[VenuePosition]:
        return await self._venue.read(await self._venue.advance(), self._positions)

    async def fills(self, symbol: Symbol, *, since: datetime) -> Sequence[Fill]:
        def look(ledger: Ledger, facts: Facts, terms: Terms) -> list[Fill]:
            rows = PaperFill.objects.filter(
                paper=ledger.paper, symbol=symbol, filled_at__gte=since
            ).order_by("filled_at", "pk")
            return [fill_of(row, self._name) for row in rows.select_related("order")]

        return await self._venue.read(await self._venue.advance(symbol), look)

    async def trace(self, fill: Fill) -> Fill:
        return fill

    async def funding_payments(
        self, contracts: Mapping[str, Symbol], *, since: datetime
    ) -> Sequence[FundingPayment]:
        def look(ledger: Ledger, facts: Facts, terms: Terms) -> list[FundingPayment]:
            rows = PaperFunding.objects.filter(
                paper=ledger.paper, symbol__in=list(contracts.values()), settled_at__gte=since
            )
            return [payment_of(row, self._name) for row in rows.order_by("settled_at", "pk")]

        return await self._venue.read(await self._venue.advance(), look)

    async def borrow_interest(self, *, since: datetime) -> Sequence[BorrowInterest]:
        def look(ledger: Ledger, facts: Facts, terms: Terms) -> list[BorrowInterest]:
            rows = PaperInterest.objects.filter(paper=ledger.paper, charged_at__gte=since)
            return [charge_of(row, self._name) for row in rows.order_by("charged_at", "pk")]

        return await self._venue.read(await self._venue.advance(), look)

    async def isolated_margin(self, symbol: Symbol) -> Decimal | None:
        def look(ledger: Ledger, facts: Facts, terms: Terms) -> Decimal | None:
            row = ledger.holding(symbol)
            return alone(row) if row and row.base_quantity and row.is_isolated else None

        return await self._venue.read(await self._venue.advance(), look)

    async def transfers(self, *, since: datetime) -> Sequence[AccountTransfer]:
        """Return nothing: what a paper account has it began with."""
        return []

    async def fee_tier(self, symbol: Symbol) -> FeeTier:
        instrument = await self._venue.public.instrument(symbol)
        facts = Facts(now=self._venue.now(), instruments={symbol: instrument})
        return await self._venue.read(facts, lambda ledger, facts, terms: terms.fees(instrument))

    async def risk_tiers(self, symbols: Collection[Symbol]) -> Mapping[Symbol, TierLadder]:
        """Return nothing: a venue that tells an account alone knows none of this one."""
        return {}

    async def check_key(self) -> KeyFacts:
        """Find the account's rows; there is no key that could do harm."""
        facts = Facts(now=self._venue.now(), instruments={})
        await self._venue.read(facts, lambda ledger, facts, terms: None)
        return KeyFacts()

    def _balances(self, ledger: Ledger, facts: Facts, terms: Terms) -> list[Balance]:
        working, found = ledger.orders(), []
        totals = {row.asset: row.total for row in ledger.balances()}
        margined = wallets(ledger) | {ledger.paper.asset}
        for asset, total in sorted(totals.items()):
            free, equity = max(ZERO, total - locked(working, asset, terms)), total
            if asset in margined:
                free = margin_state(ledger, asset, facts, terms).available
                equity += unrealised_pnl(ledger, asset, facts)
            found.append(
                Balance(
                    venue=self._name,
                    asset=asset,
                    free=free,
                    total=total,
                    equity=equity,
                    observed_at=facts.now,
                    borrowed=owed(total),
                )
            )
        return found

    def _positions(self, ledger: Ledger, facts: Facts, terms: Terms) -> list[VenuePosition]:
        held = ledger.held()

        def position(row: PaperHolding) -> VenuePosition:
            holding, mark = as_holding(row), mark_of(row, facts)
            state = state_behind(ledger, row, facts, terms)
            return VenuePosition(
                venue=self._name,
                symbol=Symbol(row.symbol),
                base_quantity=holding.base_quantity,
                entry_price=holding.entry_price,
                mark_price=mark,
                liquidation_price=liquidation_price(row, state, facts, terms),
                leverage=row.leverage,
                unrealised_pnl=holding.unrealised_pnl(mark),
                observed_at=facts.now,
            )

        return [position(row) for row in held]
