"""What really happened at the venues, as it happened: own exposure and unhedged windows.

Exposure counts what Carry's own orders and the venues themselves did; trades by hand are foreign.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.simulator.accounts import Origin, TradeRow
from exchanges.simulator.events import AccountEvent, Happening
from tests.simulation.markets import base_of

ZERO = Decimal(0)
TOLERANCE = {"BTC": Decimal("0.001"), "ETH": Decimal("0.001")}


@dataclass(slots=True, kw_only=True)
class Window:
    """A time in which a user's legs of one asset did not cancel out."""

    user: str
    base: str
    starts_at: datetime
    excused_before: timedelta
    is_faulted: bool
    most: Decimal
    ends_at: datetime | None = None
    excused: timedelta = timedelta()
    # What it lasted, less what is excused, when its user was first alerted.
    alerted_after: timedelta | None = None
    # What it lasted, less what is excused, since the last disturbance before its end.
    since_fault: timedelta = timedelta()

    @property
    def length(self) -> timedelta:
        """Return how long it lasted while Carry was alive and both venues could be reached."""
        assert self.ends_at is not None
        return self.ends_at - self.starts_at - self.excused


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTrade:
    """One execution of an own order or of the venue, with the own holding before and after."""

    row: TradeRow
    origin: Origin
    reduce_only: bool
    before: Decimal
    after: Decimal
    # What all legs of the asset add up to after it.
    net_after: Decimal


def net_of_fee(trade: TradeRow) -> Decimal:
    """Return what a trade changed of the holding: a fee that is paid in coins is not held."""
    fee = trade.fee if trade.fee_asset == base_of(trade.symbol) else ZERO
    return trade.side.sign * trade.base_quantity - fee


class Chronicle:
    """Listens to the simulator's ledger; what is no part of it is asked of the world.

    `last_fault` tells when something was last disturbed, and how much was excused by then.
    """

    def __init__(
        self,
        excused: Callable[[], timedelta],
        is_faulted: Callable[[], bool],
        last_fault: Callable[[], tuple[datetime, timedelta]],
    ) -> None:
        self.own: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        self.foreign: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        self.open: dict[tuple[str, str], Window] = {}
        self.closed: list[Window] = []
        self.trades: list[OwnTrade] = []
        self._excused = excused
        self._is_faulted = is_faulted
        self._last_fault = last_fault

    def hear(self, event: AccountEvent) -> None:
        if event.happening is not Happening.TRADE or event.trade is None or event.order is None:
            return
        trade, order = event.trade, event.order
        user = trade.api_key.partition("-")[0]
        base = base_of(trade.symbol)
        key = (user, trade.venue, base)
        signed = net_of_fee(trade)
        if order.origin is Origin.FOREIGN:
            self.foreign[key] += signed
            return
        before = self.own[key]
        if order.origin is Origin.LIQUIDATION:
            # It takes the whole holding, whoever it was of.
            self.own[key] = self.foreign[key] = ZERO
        elif order.origin.is_venue:
            # What it takes beyond the own holding was of a trade by hand.
            own = min(abs(signed), abs(before)) if before * signed < 0 else ZERO
            taken = own.copy_sign(signed)
            self.own[key] += taken
            self.foreign[key] += signed - taken
        else:
            self.own[key] += signed
        self.trades.append(
            OwnTrade(
                row=trade,
                origin=order.origin,
                reduce_only=order.reduce_only,
                before=before,
                after=self.own[key],
                net_after=self.net(user, base),
            )
        )
        self.weigh(user, base, event.at)

    def net(self, user: str, base: str) -> Decimal:
        return sum((held for key, held in self.own.items() if key[::2] == (user, base)), ZERO)

    def weigh(self, user: str, base: str, at: datetime) -> None:
        """Open or close the window of one asset by what its legs add up to."""
        net, window = abs(self.net(user, base)), self.open.get((user, base))
        if net > TOLERANCE[base]:
            if window is None:
                window = self.open[user, base] = Window(
                    user=user,
                    base=base,
                    starts_at=at,
                    excused_before=self._excused(),
                    is_faulted=self._is_faulted(),
                    most=net,
                )
            window.most = max(window.most, net)
        elif window is not None:
            window.ends_at = at
            window.excused = self._excused() - window.excused_before
            window.is_faulted = window.is_faulted or self._is_faulted()
            window.since_fault = self.since_fault(window, at)
            self.closed.append(self.open.pop((user, base)))

    def since_fault(self, window: Window, at: datetime) -> timedelta:
        """Return how long a window has lasted since it began, or was last disturbed."""
        fault_at, excused_then = self._last_fault()
        begun, excused = max((window.starts_at, window.excused_before), (fault_at, excused_then))
        return at - begun - (self._excused() - excused)
