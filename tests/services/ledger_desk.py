"""Venues in this process with a clock that tests move, real signing, parsing and paging to them.

The real adapters talk to the simulated venues without sockets; our rows are written by the real
services. Nothing happens but what a test lets happen.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from arbsite.accounts.models import User
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import SettlementKind, Side, Symbol
from exchanges.models import Exchange, ExchangeAccount, SettledFundingRate
from exchanges.venues import PROFILES
from tests.simulator.nearby import PAIR, call, call_all, client_at
from tests.simulator.world import World
from tests.web.rows import make_instrument
from trading.core.states import OrderState, PositionState
from trading.models import Leg, LegSide, Order, Position
from trading.services.book_funding import book_funding
from trading.services.equity import snapshot_equity
from trading.services.order_facts import book_fills
from trading.services.venues import Venues

D = Decimal
BTC = Symbol("BTC/USDT:USDT")
KRAKEN, DERIBIT = "krakenfutures", "deribit"
SHORT_CODES = {"binanceusdm": "BIN", "bybit": "BYB", KRAKEN: "KRF", DERIBIT: "DER"}
# What is owed all along, and what it is called and margined in.
ACCRUING = {
    KRAKEN: {
        "symbol": "BTC/USD:USD",
        "venue_symbol": "PF_XBTUSD",
        "quote": "USD",
        "settle": "USD",
        "settlement": SettlementKind.ACCRUED,
    },
    DERIBIT: {
        "symbol": "BTC/USDC:USDC",
        "venue_symbol": "BTC_USDC-PERPETUAL",
        "quote": "USDC",
        "settle": "USDC",
        "settlement": SettlementKind.ACCRUED,
    },
}


class LedgerDesk:
    """One user with an account at each venue, and what its services book."""

    def __init__(
        self,
        folder: Path,
        user: User,
        *,
        interval_minutes: int = 60,
        pair: tuple[str, str] = PAIR,
    ) -> None:
        is_watched = bool(ACCRUING.keys() & set(pair))
        self.world = World(folder, interval_minutes=interval_minutes, watched=is_watched)
        self.user = user
        self.pair = pair
        self._numbers = count(1)
        self._accounts: dict[Any, CcxtAccount] = {}
        self._clients: list[VenueClient] = []
        self.accounts = {venue: self._open_account(venue) for venue in pair}
        self.instruments = {
            venue: make_instrument(account.exchange, "BTC", self.now)
            for venue, account in self.accounts.items()
        }
        for venue, instrument in self.instruments.items():
            instrument.funding_interval_seconds = interval_minutes * 60
            for name, value in ACCRUING.get(venue, {}).items():
                setattr(instrument, name, value)
            instrument.save()
        self.venues = Venues(
            trading=lambda account: (_ for _ in ()).throw(LookupError),
            account=lambda account: self._accounts[account.pk],
            call=call,
            call_all=call_all,
            clock=lambda: self.world.at,
        )

    @property
    def now(self) -> datetime:
        return self.world.at

    def close(self) -> None:
        call_all([client.close() for client in self._clients])

    def pass_time(self, **span: float) -> None:
        self.world.wait(**span)

    def open_position(self, base_quantity: str = "0.1") -> Position:
        """Write and fill a position: long at the first venue, short at the second."""
        position = Position.objects.create(
            user=self.user,
            mode="rehearsal",
            base="BTC",
            strategy="funding_spread",
            open_reason="funding",
            state=PositionState.OPEN,
            size_usd=D(6000),
            target_base_quantity=D(base_quantity),
            parameters={},
            configuration_version=1,
            entry_funding_spread=D("0.001"),
            opened_by="test",
            created_at=self.now,
            entry_deadline=self.now,
            entry_timestamp=self.now,
        )
        for index, (venue, side) in enumerate(zip(self.pair, LegSide, strict=True)):
            Leg.objects.create(
                position=position,
                index=index,
                side=side,
                account=self.accounts[venue],
                instrument=self.instruments[venue],
                leverage=D(2),
                decision_entry_mid=D(60_000),
                taker_fee=D("0.0005"),
            )
        for leg in position.legs.all():
            self.fill(leg, base_quantity)
        return position

    def fill(
        self, leg: Leg, base_quantity: str, *, closes: bool = False, book: bool = True
    ) -> None:
        """Trade on the leg at market, at the venue and in our books."""
        is_buy = (leg.side == LegSide.LONG) is not closes
        number = next(self._numbers)
        order = Order.objects.create(
            position=leg.position,
            leg=leg,
            purpose="reduce" if closes else "open",
            sequence=number,
            client_order_id=f"test-{number}",
            side="buy" if is_buy else "sell",
            order_type="market",
            time_in_force="ioc",
            base_quantity=D(base_quantity),
            reduce_only=closes,
            state=OrderState.OPEN,
            created_at=self.now,
            sent_at=self.now,
        )
        venue = leg.instrument.exchange.code
        side = Side.BUY if is_buy else Side.SELL
        placed = self.world.place(venue, side, base_quantity, client_order_id=order.client_order_id)
        Order.objects.filter(pk=order.pk).update(venue_order_id=placed.venue_order_id)
        if book:
            self.book_fills(leg)

    def book_fills(self, leg: Leg) -> None:
        account = self._accounts[leg.account_id]
        since = self.now - timedelta(days=6)
        fills = call(account.fills(Symbol(leg.instrument.symbol), since=since))
        book_fills(leg.account, fills, now=self.now)

    def end(self, position: Position, base_quantity: str = "0.1") -> None:
        """Close both legs and the position."""
        for leg in position.legs.all():
            self.fill(leg, base_quantity, closes=True)
        Position.objects.filter(pk=position.pk).update(
            state=PositionState.CLOSED, close_timestamp=self.now, close_reason="test"
        )

    def book_funding(self) -> int:
        return book_funding(venues=self.venues, now=self.now)

    def read_equity(self) -> None:
        """Read what the accounts are worth, as the minutely snapshot does."""
        assert snapshot_equity(venues=self.venues, now=self.now) == 1

    def store_settled(self, *, since: datetime) -> None:
        """Store settled rates, as the poll of settlements does each minute."""
        for venue, instrument in self.instruments.items():
            data = CcxtMarketData(self._client(venue))
            settled = call(data.settled_funding(Symbol(instrument.symbol), since=since))
            SettledFundingRate.objects.bulk_create(
                [
                    SettledFundingRate(
                        instrument=instrument,
                        settled_at=row.settled_at,
                        funding_rate=row.funding_rate,
                        settlement_price=row.settlement_price,
                    )
                    for row in settled
                ],
                ignore_conflicts=True,
            )

    def paid(self, venue: str) -> list[tuple[str, Decimal]]:
        """Return the payments of the venue's own ledger by id."""
        key = self.world.account(venue).api_key
        symbol = self.instruments[venue].venue_symbol
        rows = self.world.simulator.ledger.account_funding(key, venue, symbol)
        return [(row.venue_payment_id, row.payment) for row in rows]

    def _open_account(self, venue: str) -> ExchangeAccount:
        exchange = Exchange.objects.create(
            code=venue, short_code=SHORT_CODES[venue], name=venue, mode="rehearsal"
        )
        account = ExchangeAccount.objects.create(
            user=self.user, exchange=exchange, key_fingerprint=venue, checked_at=self.now
        )
        self._accounts[account.pk] = CcxtAccount(self._client(venue))
        return account

    def _client(self, venue: str) -> VenueClient:
        catalogue = Catalogue(PROFILES[venue]) if venue in ACCRUING else None
        client = client_at(self.world, venue, catalogue)
        self._clients.append(client)
        return client
