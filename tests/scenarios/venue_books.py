"""The venues' own books as their control port tells them: what was ordered, paid and held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from exchanges.client_order_ids import parse_client_order_id
from tests.rehearsal import SimulatorControl, symbol_at
from tests.scenarios.books import Fill, Payment

PERPETUALS = ("binanceusdm", "bybit", "okx")
WALLETS = {
    "binanceusdm": ("binance", "usdm"),
    "bybit": ("bybit", "unified"),
    "okx": ("okx", "trading"),
}
CREATE_PATHS = ("/fapi/v1/order", "/v5/order/create", "/api/v3/order", "/api/v5/trade/order")
OPEN_STATUSES = ("open", "partial")


class VenueOrder(NamedTuple):
    """One order as the venue knows it; `position_id` is what its client order id says."""

    venue: str
    symbol: str
    client_order_id: str
    position_id: UUID | None
    side: str
    price: Decimal | None
    base_quantity: Decimal
    filled: Decimal
    reduce_only: bool
    is_open: bool
    created_at: datetime


def _order(row: dict[str, Any]) -> VenueOrder:
    own = parse_client_order_id(row["client_order_id"])
    return VenueOrder(
        venue=row["venue"],
        symbol=row["symbol"],
        client_order_id=row["client_order_id"],
        position_id=own.position_id if own else None,
        side=row["side"],
        price=None if row["price"] is None else Decimal(row["price"]),
        base_quantity=Decimal(row["base_quantity"]),
        filled=Decimal(row["filled"]),
        reduce_only=row["reduce_only"],
        is_open=row["status"] in OPEN_STATUSES,
        created_at=datetime.fromisoformat(row["created_at"]),
    )


def to_the_millisecond(moment: datetime) -> datetime:
    """Return a moment as venues tell it."""
    return datetime.fromtimestamp(round(moment.timestamp() * 1000) / 1000, UTC)


class VenueBooks:
    """What the simulated venues would show their own auditor."""

    def __init__(self, control: SimulatorControl) -> None:
        self._control = control

    def orders(self, base: str = "") -> list[VenueOrder]:
        return [_order(row) for row in self._rows("orders", base)]

    def fills(self) -> list[Fill]:
        return sorted(
            Fill(
                venue=row["venue"],
                symbol=row["symbol"],
                venue_trade_id=row["venue_trade_id"],
                client_order_id=row["client_order_id"],
                side=row["side"],
                price=Decimal(row["price"]),
                base_quantity=Decimal(row["base_quantity"]),
                fee=Decimal(row["fee"]),
                fee_asset=row["fee_asset"],
                filled_at=to_the_millisecond(datetime.fromisoformat(row["filled_at"])),
            )
            for row in self._rows("fills")
        )

    def payments(self, base: str = "") -> list[Payment]:
        return sorted(
            Payment(
                venue=row["venue"],
                symbol=row["symbol"],
                venue_payment_id=row["venue_payment_id"],
                asset=row["asset"],
                payment=Decimal(row["payment"]),
            )
            for row in self.funding(base)
        )

    def funding(self, base: str = "") -> list[dict[str, Any]]:
        """Return the payments with what each was computed from."""
        return list(self._rows("funding", base))

    def held(self, base: str) -> dict[str, Decimal]:
        """Return the signed base quantity by venue, of those where there is any."""
        rows = self._rows("positions", base)
        return {row["venue"]: Decimal(row["base_quantity"]) for row in rows}

    def wallet(self, venue: str) -> Decimal:
        """Return the USDT balance of the derivatives wallet at a venue."""
        family, name = WALLETS[venue]
        [account] = [row for row in self._control.ledger()["accounts"] if row["venue"] == family]
        return Decimal(account["wallets"][name]["USDT"])

    def create_requests(self) -> Counter[str]:
        """Count the requests to create an order by client order id."""
        return Counter(
            entry["client_order_id"]
            for entry in self._access_log()
            if entry["method"] == "POST" and entry["path"] in CREATE_PATHS
        )

    def _rows(self, name: str, base: str = "") -> Iterator[dict[str, Any]]:
        for row in self._control.ledger()[name]:
            if not base or row["symbol"] == symbol_at(row["venue"], base):
                yield row

    def _access_log(self) -> Iterator[dict[str, Any]]:
        after = 0
        while True:
            path = f"/access-log?after={after}&limit=5000"
            entries = self._control.control("GET", path)["entries"]
            if not entries:
                return
            yield from entries
            after = entries[-1]["number"]
