"""All venues in this process, the whole order path against them, and a clock that tests move.

A position of any strategy is planned as rows, driven by the services, and compared row by row with
the venues' own ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from arbsite.accounts.models import User
from exchanges import domain
from exchanges.board import Board
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.domain import FundingRate
from exchanges.models import Exchange, ExchangeAccount, Instrument, SettledFundingRate
from exchanges.modes import Mode
from exchanges.outcomes import Outcome, Outcomes
from exchanges.ports import MarketData
from exchanges.services import store_listing
from exchanges.simulator.listings import BYBIT, BYBIT_SPOT
from exchanges.venues import PROFILES
from tests.services.published import facts_of
from tests.simulation.memory import MemoryRedis
from tests.simulator.nearby import call, call_all, client_at
from tests.simulator.world import World
from trading.core.parameters import Parameters
from trading.core.states import PositionState
from trading.models import (
    BorrowInterest,
    FundingEvent,
    KillSwitch,
    Leg,
    LegSide,
    Position,
    Trade,
)
from trading.services import kill_switch, market
from trading.services.book_funding import book_funding
from trading.services.book_interest import book_interest
from trading.services.drive import drive
from trading.services.equity import read_accounts, snapshot_equity
from trading.services.exit import request_exit
from trading.services.held_position import held_position
from trading.services.reconcile import reconcile_account
from trading.services.seen import Seen
from trading.services.venues import Venues
from trading.services.watch import watch_positions
from trading.strategies.base import HeldPosition

D = Decimal
SHORT_CODES = {
    **{"binance": "BNS", "binanceusdm": "BIN", "bybit": "BYB"},
    **{"hyperliquid": "HYP", "dydx": "DYD", "kraken": "KRS"},
    **{"gate": "GAT", "kucoin": "KUC", "bitget": "BIT", "krakenfutures": "KRF"},
    **{"deribit": "DER", "okx": "OKX"},
}
VALUES = {"settlement_guard": "5", "stop_loss_pct": "", "max_book_age_seconds": "30"}
# Every desk lists the same: it is read once for all of them.
CATALOGUES: dict[str, Catalogue] = {}
LISTED: dict[str, tuple[Sequence[domain.Instrument], Sequence[FundingRate]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLeg:
    """One leg as a test wants it: venue, the venue's own symbol, side, part of the position."""

    venue: str
    symbol: str
    side: LegSide
    ratio: str = "1"
    leverage: str = "1"
    kinds: tuple[str, ...] = ("spot", "perpetual", "future")


class StrategyDesk:
    """One user with an account at each venue that is traded."""

    def __init__(
        self,
        folder: Path,
        redis: MemoryRedis,
        *,
        expiries: tuple[datetime, ...] = (),
        watched: bool = False,
    ) -> None:
        self.world = World(folder, interval_minutes=60, expiries=expiries, watched=watched)
        self.user = User.objects.create_user("trader")
        self.bases = ["BTC"]
        self._redis = redis
        self._board = Board()
        self._clients: dict[str, VenueClient] = {}
        self._ports: dict[Any, tuple[CcxtTrading, CcxtAccount]] = {}
        self.lenders: dict[str, MarketData] = {}
        self.outcomes = Outcomes()
        self.venues = Venues(
            trading=lambda account: self._ports[account.pk][0],
            account=lambda account: self._ports[account.pk][1],
            call=call,
            call_all=call_all,
            relist=self.relist,
            probe=lambda exchange: CcxtMarketData(self._clients[exchange.code]).server_time(),
            clock=lambda: self.world.at,
            tiers=lambda exchange, symbols: CcxtMarketData(self._clients[exchange.code]).risk_tiers(
                symbols
            ),
        )

    @property
    def now(self) -> datetime:
        return self.world.at

    def close(self) -> None:
        call_all([client.close() for client in self._clients.values()])

    def open_accounts(self, *venues: str) -> None:
        for venue in venues:
            self._open_account(venue)

    def plan(
        self, strategy: str, legs: Sequence[PlannedLeg], quantity: str, **how: str
    ) -> Position:
        """Write a planned position as an entry does, without asking whether it pays."""
        self.feed()
        position = Position.objects.create(
            user=self.user,
            mode="rehearsal",
            base=how.pop("base", "BTC"),
            strategy=strategy,
            open_reason=how.pop("open_reason", "basis"),
            size_usd=D(quantity) * 64_000,
            target_base_quantity=D(quantity),
            parameters=Parameters.from_values({**VALUES, **how}).to_values(),
            configuration_version=1,
            entry_funding_spread=D(0),
            opened_by="test",
            created_at=self.now,
            entry_deadline=self.now + timedelta(seconds=30),
        )
        for index, leg in enumerate(legs):
            self._write_leg(position, index, leg)
        return position

    def drive_until(self, position: Position, *states: PositionState, seconds: int = 60) -> None:
        """Let workers drive with fresh prices until the position is in one of `states`."""
        stopped: list[str] = []
        for _ in range(seconds):
            self.feed()
            stopped.append(drive(position.pk, venues=self.venues, clock=lambda: self.now))
            position.refresh_from_db()
            if position.state in states:
                return
            self.world.wait(seconds=1)
        story = [f"{change} {change.cause}" for change in position.changes.all()]
        orders = [
            f"{o} {o.state} {o.filled_base_quantity} {o.refusal}" for o in position.orders.all()
        ]
        raise AssertionError("\n".join([*story, *orders, *dict.fromkeys(stopped)]))

    def ask_to_close(self, position: Position) -> None:
        request_exit(
            position=position, reason="manual", sentence="by hand", actor="trader", now=self.now
        )

    def watch(self) -> int:
        self.feed()
        return watch_positions(venues=self.venues, clock=lambda: self.now)

    def held_position(self, position: Position) -> HeldPosition:
        """Return the position as the exit rules of its strategy see it."""
        self.world.wait(seconds=1)
        self.feed()
        legs = list(
            position.legs.select_related("instrument__exchange").prefetch_related(
                "orders", "trades"
            )
        )
        board = market.board_of([leg.instrument for leg in legs])
        held = held_position(position, legs, Seen(board), self.now)
        assert held is not None
        return held

    def pass_hours(self, hours: int) -> None:
        """Let settlements pass, their rates be stored and their payments be booked."""
        for _ in range(hours):
            self.pass_time(hours=1)

    def pass_time(self, **span: float) -> None:
        """Let time pass, then read and book what it brought, as the schedules do."""
        self.world.wait(**span)
        self._store_settlements()
        book_funding(venues=self.venues, now=self.now)
        book_interest(venues=self.venues, now=self.now)

    def kill(self) -> KillSwitch:
        return kill_switch.press(
            user=self.user, actor="trader", reason="a test", closes_positions=True, now=self.now
        )

    def reconcile(self) -> None:
        for account in ExchangeAccount.objects.select_related("exchange"):
            assert reconcile_account(account, venues=self.venues, now=self.now)

    def read_accounts(self) -> None:
        accounts = ExchangeAccount.objects.select_related("exchange")
        assert read_accounts(accounts, venues=self.venues, now=self.now) == len(self._ports)

    def read_equity(self) -> None:
        """Read what the accounts are worth a quiet minute later, as the snapshot does."""
        self.world.wait(minutes=1)
        self.feed()
        assert snapshot_equity(venues=self.venues, now=self.now) == 1

    def leg(self, position: Position, index: int) -> Leg:
        legs: Leg = position.legs.select_related("instrument__exchange", "account").get(index=index)
        return legs

    def relist(self, exchange: Exchange, now: datetime) -> list[str]:
        """Read anew what a venue lists, as all clients of this process share it."""
        data, is_spot = (
            CcxtMarketData(self._clients[exchange.code]),
            PROFILES[exchange.code].is_spot,
        )
        listed = self.venues.call(data.instruments(), 60)
        rates = [] if is_spot else self.venues.call(data.funding_rates(), 60)
        return store_listing(exchange, listed, rates, now)

    def coins(self, venue: str, asset: str) -> Decimal:
        """Return what the venue's own ledger says of an asset in the account's wallet."""
        account = self.world.account(venue)
        wallet = next(iter(self._listings(venue))).wallet
        return account.balance(wallet, asset)

    def held(self, venue: str, symbol: str) -> Decimal:
        """Return the contracts that the venue's own ledger shows, > 0 long."""
        key = self.world.account(venue).api_key
        return self.world.simulator.ledger.holding(key, (venue, symbol)).base_quantity

    def our_fills(self) -> list[tuple[Any, ...]]:
        rows = Trade.objects.select_related("leg__instrument__exchange")
        return sorted(
            (
                *self._listing(row.leg.instrument).key,
                row.venue_trade_id,
                row.order_side,
                row.price,
                row.base_quantity,
                row.fee,
                row.fee_asset,
            )
            for row in rows
        )

    def their_fills(self) -> list[tuple[Any, ...]]:
        return sorted(
            (
                row.venue,
                row.symbol,
                row.venue_trade_id,
                row.side.value,
                row.price,
                row.base_quantity,
                row.fee,
                row.fee_asset,
            )
            for row in self.world.simulator.ledger.trades
        )

    def our_funding(self) -> list[tuple[str, Decimal]]:
        rows = FundingEvent.objects.all()
        return sorted((row.venue_payment_id, row.payment) for row in rows)

    def their_funding(self) -> list[tuple[str, Decimal]]:
        rows = self.world.simulator.ledger.funding
        return sorted((row.venue_payment_id, row.payment) for row in rows)

    def our_interest(self) -> list[tuple[str, Decimal, str]]:
        rows = BorrowInterest.objects.all()
        return sorted((row.venue_interest_id, row.amount, row.asset) for row in rows)

    def their_interest(self) -> list[tuple[str, Decimal, str]]:
        rows = self.world.simulator.ledger.interest
        return sorted((row.venue_interest_id, row.interest, row.asset) for row in rows)

    def feed(self) -> None:
        """Put what the venues publish at this moment on the board."""
        listed = Instrument.objects.select_related("exchange").filter(base__in=self.bases)
        for instrument in listed:
            listing = self._listing(instrument)
            if listing is not None:
                for fact in facts_of(self.world, instrument, listing):
                    self._board.apply(fact)
        self._board.publish(self._redis)  # type: ignore[arg-type]  # what is used of it

    def _listing(self, instrument: Instrument) -> Any:
        venue = instrument.exchange.code
        is_unified_spot = venue == BYBIT and instrument.kind == "spot"
        key = (BYBIT_SPOT if is_unified_spot else venue, instrument.venue_symbol)
        return self.world.simulator.market.listings.get(key)

    def _listings(self, venue: str) -> list[Any]:
        return [row for row in self.world.simulator.market.listings.values() if row.venue == venue]

    def _store_settlements(self) -> None:
        for instrument in Instrument.objects.filter(kind="perpetual", base__in=self.bases):
            listing = self._listing(instrument)
            rows = self.world.simulator.ledger.settlements(listing.key)
            SettledFundingRate.objects.bulk_create(
                [
                    SettledFundingRate(
                        instrument=instrument,
                        settled_at=row.settled_at,
                        funding_rate=row.funding_rate,
                        settlement_price=row.settlement_price,
                    )
                    for row in rows
                ],
                ignore_conflicts=True,
            )

    def _write_leg(self, position: Position, index: int, leg: PlannedLeg) -> None:
        instrument = Instrument.objects.get(
            exchange__code=leg.venue, venue_symbol=leg.symbol, kind__in=leg.kinds
        )
        listing = self._listing(instrument)
        Leg.objects.create(
            position=position,
            index=index,
            side=leg.side,
            account=ExchangeAccount.objects.get(exchange__code=leg.venue),
            instrument=instrument,
            ratio=D(leg.ratio),
            leverage=D(leg.leverage),
            decision_entry_mid=self.world.simulator.market.mid(listing, self.now),
            taker_fee=listing.taker_fee,
        )

    def _note(self, venue: str, symptom: str) -> None:
        self.outcomes.note(Outcome(venue=venue, mode=Mode.REHEARSAL, symptom=symptom))

    def _open_account(self, venue: str) -> None:
        exchange = Exchange.objects.create(
            code=venue, short_code=SHORT_CODES[venue], name=venue, mode="rehearsal"
        )
        account = ExchangeAccount.objects.create(
            user=self.user, exchange=exchange, key_fingerprint=venue, checked_at=self.now
        )
        catalogue = CATALOGUES.setdefault(venue, Catalogue(PROFILES[venue]))
        client = client_at(self.world, venue, catalogue, partial(self._note, venue))
        self._clients[venue] = client
        self._ports[account.pk] = CcxtTrading(client), CcxtAccount(client)
        data = CcxtMarketData(client)
        if any(part.borrow_rates is not None for part in PROFILES[venue].parts):
            self.lenders[venue] = data
        if venue not in LISTED:
            rates = [] if PROFILES[venue].is_spot else call(data.funding_rates(), 60)
            LISTED[venue] = call(data.instruments(), 60), rates
        store_listing(exchange, *LISTED[venue], self.now)
