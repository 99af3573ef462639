"""The simulated venues' own books: accounts, orders, executions, funding, settlements.

Everything is in memory for reading and written through to `storage`; nothing is ever deleted. This
is the outside observer's truth, so no reader may be given anything that is not in here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from exchanges.matching import Holding
from exchanges.simulator.accounts import (
    Account,
    FundingRow,
    HoldingRow,
    InterestRow,
    Order,
    Pin,
    SettlementRow,
    TradeRow,
    TransferRow,
)
from exchanges.simulator.listings import ListingKey
from exchanges.simulator.storage import Storage

FLAT = Holding()


class Ledger:
    """Reads and writes of one state directory. Callers end each operation with `commit`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.accounts = {row.api_key: row for row in storage.rows("account", Account)}
        self.orders = {row.number: row for row in storage.rows("order", Order)}
        self._open = {row.number: row for row in self.orders.values() if not row.is_final}
        self.trades = sorted(storage.rows("trade", TradeRow), key=lambda row: row.number)
        self.funding = sorted(storage.rows("funding", FundingRow), key=lambda row: row.number)
        self.interest = sorted(storage.rows("interest", InterestRow), key=lambda row: row.number)
        self.transfers = sorted(storage.rows("transfer", TransferRow), key=lambda row: row.number)
        self.pins = {(row.venue, row.symbol): row for row in storage.rows("pin", Pin)}
        self._settlements: dict[ListingKey, list[SettlementRow]] = defaultdict(list)
        for settlement in storage.rows("settlement", SettlementRow):
            self._settlements[(settlement.venue, settlement.symbol)].append(settlement)
        for rows in self._settlements.values():
            rows.sort(key=lambda row: row.settled_at)
        self._holdings: dict[tuple[str, str, str], HoldingRow] = {
            (row.api_key, row.venue, row.symbol): row for row in storage.rows("holding", HoldingRow)
        }
        self._by_client_id: dict[tuple[str, str], list[Order]] = defaultdict(list)
        for order in sorted(self.orders.values(), key=lambda row: row.number):
            self._by_client_id[(order.api_key, order.client_order_id)].append(order)

    def commit(self) -> None:
        self._storage.commit()

    def close(self) -> None:
        self._storage.close()

    def meta(self, key: str) -> Any:
        return self._storage.value(key)

    def put_meta(self, key: str, value: object) -> None:
        self._storage.put("meta", key, value)

    def put_account(self, account: Account) -> None:
        self.accounts[account.api_key] = account
        self._storage.put("account", account.api_key, account)

    def put_order(self, order: Order) -> None:
        if order.number not in self.orders:
            self.orders[order.number] = order
            self._by_client_id[(order.api_key, order.client_order_id)].append(order)
        if order.is_final:
            self._open.pop(order.number, None)
        else:
            self._open[order.number] = order
        self._storage.put("order", str(order.number), order)

    def next_order_number(self) -> int:
        return len(self.orders) + 1

    def open_orders(
        self, *, api_key: str | None = None, venue: str | None = None, symbol: str | None = None
    ) -> list[Order]:
        """Return working orders, oldest first; a None filter matches all."""
        return [
            order
            for order in self._open.values()
            if api_key in (None, order.api_key)
            and venue in (None, order.venue)
            and symbol in (None, order.symbol)
        ]

    def account_orders(self, api_key: str, venue: str, symbol: str | None = None) -> list[Order]:
        return [
            order
            for order in self.orders.values()
            if order.api_key == api_key and order.venue == venue and symbol in (None, order.symbol)
        ]

    def orders_named(self, api_key: str, venue: str, client_order_id: str) -> list[Order]:
        """Return every order under this client id at `venue`, oldest first."""
        named = self._by_client_id.get((api_key, client_order_id), [])
        return [order for order in named if order.venue == venue]

    def add_trade(self, trade: TradeRow) -> None:
        self.trades.append(trade)
        self._storage.put("trade", str(trade.number), trade)

    def add_funding(self, row: FundingRow) -> None:
        self.funding.append(row)
        self._storage.put("funding", str(row.number), row)

    def add_interest(self, row: InterestRow) -> None:
        self.interest.append(row)
        self._storage.put("interest", str(row.number), row)

    def account_interest(self, api_key: str) -> Iterator[InterestRow]:
        return (row for row in self.interest if row.api_key == api_key)

    def move(
        self, account: Account, wallet: str, asset: str, amount: Decimal, *, now: datetime
    ) -> None:
        """Book money into a wallet of the account, or out of it where `amount` is negative."""
        row = TransferRow(
            number=len(self.transfers) + 1,
            api_key=account.api_key,
            wallet=wallet,
            asset=asset,
            amount=amount,
            moved_at=now,
        )
        self.transfers.append(row)
        self._storage.put("transfer", str(row.number), row)
        account.credit(wallet, asset, amount)
        self.put_account(account)

    def account_transfers(self, api_key: str, wallet: str) -> Iterator[TransferRow]:
        return (row for row in self.transfers if (row.api_key, row.wallet) == (api_key, wallet))

    def holding(self, api_key: str, key: ListingKey) -> Holding:
        row = self._holdings.get((api_key, *key))
        return Holding(base_quantity=row.base_quantity, cost=row.cost) if row else FLAT

    def holding_row(self, api_key: str, key: ListingKey) -> HoldingRow | None:
        """Return an open position as it is kept, None where nothing is held."""
        row = self._holdings.get((api_key, *key))
        return row if row is not None and row.base_quantity else None

    def put_holding(
        self, api_key: str, key: ListingKey, holding: Holding, *, now: datetime
    ) -> None:
        row = HoldingRow(
            api_key=api_key,
            venue=key[0],
            symbol=key[1],
            base_quantity=holding.base_quantity,
            cost=holding.cost,
            updated_at=now,
        )
        self._holdings[(api_key, *key)] = row
        self._storage.put("holding", f"{api_key}:{key[0]}:{key[1]}", row)

    def holdings(self, *, api_key: str | None = None, venue: str | None = None) -> list[HoldingRow]:
        """Return open positions only."""
        return [
            row
            for row in self._holdings.values()
            if row.base_quantity and api_key in (None, row.api_key) and venue in (None, row.venue)
        ]

    def holdings_ever(self, api_key: str, venue: str) -> list[HoldingRow]:
        """Return the positions of an account at a venue, those that are closed included."""
        rows = self._holdings.values()
        return [row for row in rows if (row.api_key, row.venue) == (api_key, venue)]

    def add_settlement(self, row: SettlementRow) -> None:
        self._settlements[(row.venue, row.symbol)].append(row)
        self._storage.put("settlement", f"{row.venue}:{row.symbol}:{row.settled_at}", row)

    def settlements(self, key: ListingKey) -> list[SettlementRow]:
        return self._settlements[key]

    def put_pin(self, pin: Pin) -> None:
        self.pins[(pin.venue, pin.symbol)] = pin
        self._storage.put("pin", f"{pin.venue}:{pin.symbol}", pin)

    def append_access(self, client_order_id: str, entry: dict[str, Any]) -> None:
        self._storage.append_access(client_order_id, entry)

    def accesses(self, *, after: int, limit: int, of_order: str = "") -> list[dict[str, Any]]:
        return self._storage.accesses(after=after, limit=limit, of_order=of_order)

    def last_access(self) -> int:
        return self._storage.last_access()

    def account_trades(self, api_key: str, venue: str, symbol: str | None) -> Iterator[TradeRow]:
        return (
            row
            for row in self.trades
            if row.api_key == api_key and row.venue == venue and symbol in (None, row.symbol)
        )

    def account_funding(self, api_key: str, venue: str, symbol: str | None) -> Iterator[FundingRow]:
        return (
            row
            for row in self.funding
            if row.api_key == api_key and row.venue == venue and symbol in (None, row.symbol)
        )

    def fees_paid(self) -> dict[tuple[str, str, str], Decimal]:
        """Return the sum of fees per (api key, venue, fee asset)."""
        totals: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        for row in self.trades:
            totals[(row.api_key, row.venue, row.fee_asset)] += row.fee
        return dict(totals)
