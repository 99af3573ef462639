"""One paper account and the books, marks and settlements that a test lets its venue publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import transaction

from arbsite.accounts.models import User
from exchanges.client_order_ids import client_order_id
from exchanges.domain import (
    BorrowRate,
    Depth,
    Instrument,
    InstrumentKind,
    Level,
    OrderRequest,
    OrderType,
    Quote,
    SettledFunding,
    Side,
    Symbol,
    TimeInForce,
)
from exchanges.matching import tiers_from
from exchanges.models import Exchange, ExchangeAccount
from exchanges.modes import Mode
from exchanges.paper.accounts import open_paper_account
from exchanges.paper.engine import place
from exchanges.paper.facts import Facts
from exchanges.paper.ledger import Ledger
from exchanges.paper.passing import pass_time
from exchanges.paper.rows import PaperHolding, PaperOrder
from exchanges.paper.terms import Terms, terms_of
from exchanges.risk_tiers import TierLadder
from exchanges.tier_rows import store_ladders
from exchanges.venues import PROFILES

D = Decimal
START = datetime(2026, 1, 5, 12, tzinfo=UTC)
PERPETUAL, COIN = Symbol("BTC/USDT:USDT"), Symbol("BTC/USDT")
_numbers = count(1)


def listed(symbol: Symbol = PERPETUAL, **changes: Any) -> Instrument:
    is_spot = ":" not in symbol
    values: dict[str, Any] = {
        "venue": "bybit",
        "symbol": symbol,
        "venue_symbol": "BTCUSDT",
        "kind": InstrumentKind.SPOT if is_spot else InstrumentKind.PERPETUAL,
        "base": "BTC",
        "quote": "USDT",
        "settle": "USDT",
        "contract_base": D(1),
        "price_tick": D("0.1"),
        "lot": D("0.001"),
        "min_base_quantity": D("0.001"),
        "min_notional": D(5),
        "max_leverage": D(1) if is_spot else D(100),
        "maintenance_margin_rate": D(0) if is_spot else D("0.005"),
    }
    return Instrument(**(values | changes))


def order(
    side: Side, quantity: str, price: str | None = None, *, symbol: Symbol = PERPETUAL, **more: Any
) -> OrderRequest:
    return OrderRequest(
        client_order_id=client_order_id(ExchangeAccount().pk, 0, "open", next(_numbers)),
        symbol=symbol,
        side=side,
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        base_quantity=D(quantity),
        price=None if price is None else D(price),
        **more,
    )


def resting(side: Side, quantity: str, price: str, **more: Any) -> OrderRequest:
    return order(side, quantity, price, time_in_force=TimeInForce.POST_ONLY, **more)


def levels(side: Mapping[str, str]) -> list[Level]:
    return [Level(price=D(price), base_quantity=D(size)) for price, size in side.items()]


class PaperDesk:
    """The engine on an account, stepped by hand as `PaperVenue` steps it."""

    # Whose terms are counted with.
    venue = "bybit"
    # What borrowing BTC costs an hour, None where the venue tells nothing.
    borrow_rate: Decimal | None = None
    # What the venue names no more though a process knows it, and what it tells no mark of.
    unlisted: frozenset[Symbol] = frozenset()
    unmarked: frozenset[Symbol] = frozenset()

    def __init__(self, **assumptions: Any) -> None:
        self.now = START
        self.instruments = {PERPETUAL: listed(), COIN: listed(COIN)}
        self.bids = {"60000": "10", "59990": "10"}
        self.asks = {"60001": "10", "60010": "10"}
        self.mark = D(60_000)
        self.settlements: list[SettledFunding] = []
        self.paper = open_paper_account(
            user=User.objects.create_user("owner"),
            exchange=Exchange.objects.create(code="bybit", name="Bybit", mode=Mode.PAPER),
            label="main",
            starting_balance=assumptions.pop("starting_balance", D(100_000)),
            actor="test",
            now=self.now,
            **assumptions,
        )

    @property
    def account_id(self) -> str:
        return str(self.paper.pk)

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def depth(self, symbol: Symbol) -> Depth:
        return Depth(
            venue="bybit",
            symbol=symbol,
            bids=levels(self.bids),
            asks=levels(self.asks),
            observed_at=self.now,
        )

    def facts(self, *, books: Sequence[Symbol] = (PERPETUAL, COIN)) -> Facts:
        quotes = {
            symbol: Quote(
                venue="bybit",
                symbol=symbol,
                mark_price=self.mark,
                index_price=None,
                observed_at=self.now,
            )
            for symbol in self.instruments.keys() - self.unlisted - self.unmarked
        }
        return Facts(
            now=self.now,
            instruments=self.instruments,
            quotes=quotes,
            depths={symbol: self.depth(symbol) for symbol in books},
            settled={PERPETUAL: self.settlements},
            loans=self.loans(),
            unlisted=self.unlisted,
        )

    def loans(self) -> dict[str, BorrowRate]:
        if self.borrow_rate is None:
            return {}
        told = BorrowRate(
            venue="bybit",
            asset="BTC",
            hourly_rate=self.borrow_rate,
            highest_hourly_rate=self.borrow_rate,
            most=D(10),
            observed_at=self.now,
        )
        return {"BTC": told}

    def place(self, request: OrderRequest) -> PaperOrder:
        with transaction.atomic():
            ledger = Ledger.locked(self.account_id)
            return place(ledger, request, self.facts(), self._terms(ledger))

    def pass_time(self, **span: float) -> None:
        self.wait(**span)
        with transaction.atomic():
            ledger = Ledger.locked(self.account_id)
            pass_time(ledger, self.facts(), self._terms(ledger))

    def settle(self, rate: str, *, price: str | None = None) -> None:
        """Let the venue settle at this moment."""
        self.settlements.append(
            SettledFunding(
                venue="bybit",
                symbol=PERPETUAL,
                funding_rate=D(rate),
                settled_at=self.now,
                settlement_price=None if price is None else D(price),
            )
        )

    def ledger(self) -> Ledger:
        return Ledger.read(self.account_id)

    def terms(self) -> Terms:
        return self._terms(self.ledger())

    def tell_tiers(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Let the venue tell the risk tiers of its perpetual."""
        venue, kept = self.paper.account.exchange, listed()
        names = [one.name for one in fields(kept) if one.name not in ("venue", "is_active")]
        row, _ = venue.instruments.get_or_create(
            symbol=PERPETUAL,
            defaults={name: getattr(kept, name) for name in names} | {"refreshed_at": self.now},
        )
        store_ladders([row], {PERPETUAL: TierLadder(tiers_from(rows))}, self.now)

    def lever(self, leverage: int) -> None:
        row = self.ledger().hold(PERPETUAL, self.now)
        PaperHolding.objects.filter(pk=row.pk).update(leverage=D(leverage))

    def _terms(self, ledger: Ledger) -> Terms:
        return terms_of(ledger.paper, PROFILES[self.venue])


class AccruingDesk(PaperDesk):
    """Its venue fixes a rate for each hour."""

    def facts(self, *, books: Sequence[Symbol] = (PERPETUAL, COIN)) -> Facts:
        return replace(super().facts(books=books), periods={PERPETUAL: timedelta(hours=1)})
