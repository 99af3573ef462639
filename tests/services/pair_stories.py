"""What stories of two venues share: their pairs, how they begin, what is asked of the orders."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from tests.services.memory_board import board_in_memory
from tests.services.pair_desk import PairDesk, symbol_of
from tests.services.strategy_desk import PlannedLeg
from trading.core.states import OrderState, PositionState
from trading.models import LegSide, Order, Position

ONE_COMPANY = ("kraken", "krakenfutures")
IN_USDC = ("deribit", "hyperliquid")
IN_USDT = ("binanceusdm", "bybit")
COINS = frozenset({"kraken", "binance"})
WITHOUT_AN_ANSWER = [
    "accept_no_answer",
    "accept_then_reset",
    "server_error_after_accept",
    "garbage",
]
# The venue that is disturbed, and a pair of which it holds the first leg or the second.
LOST = [
    ("gate", ("gate", "kucoin")),
    ("gate", ("kucoin", "gate")),
    ("kucoin", ("kucoin", "gate")),
    ("kucoin", ("gate", "kucoin")),
    ("bitget", ("bitget", "gate")),
    ("bitget", ("gate", "bitget")),
    # Coins come first.
    ("kraken", ONE_COMPANY),
    ("krakenfutures", ONE_COMPANY),
]
# Every venue that is traded, where there are two to trade between as either leg.
EVERYWHERE = [
    *LOST,
    *((venue, pair) for venue in IN_USDC for pair in (IN_USDC, IN_USDC[::-1])),
    *((venue, pair) for venue in IN_USDT for pair in (IN_USDT, IN_USDT[::-1])),
    ("okx", ("okx", "bybit")),
    ("okx", ("bybit", "okx")),
    ("binance", ("binance", "binanceusdm")),
]
# The same, each once: where coins are bought first, a contract there is never the first leg.
AS_FIRST = [(venue, pair) for venue, pair in EVERYWHERE if venue == pair[0]]
AS_FIRST += [("krakenfutures", ("krakenfutures", "kraken"))]


def standing(folder: Path) -> Generator[PairDesk]:
    """Open a desk with a board of its own for a while."""
    with board_in_memory() as memory:
        desk = PairDesk(folder, memory)
        yield desk
        desk.close()


def planned(
    desk: PairDesk, pair: tuple[str, str], quantity: str = "0.1", base: str = "BTC", **how: str
) -> Position:
    """Plan the first venue long and the second short."""
    legs = [
        # Bybit calls the coin as it calls the contract.
        PlannedLeg(
            venue=venue,
            symbol=symbol_of(venue, base),
            side=side,
            kinds=("spot",) if venue in COINS else ("perpetual",),
        )
        for venue, side in zip(pair, LegSide, strict=True)
    ]
    strategy = "cash_and_carry" if {*pair} & COINS else "funding_spread"
    return desk.plan(strategy, legs, quantity, base=base, **how)


def opened(desk: PairDesk, pair: tuple[str, str]) -> Position:
    desk.open_accounts(*pair)
    position = planned(desk, pair)
    desk.drive_until(position, PositionState.OPEN)
    return position


def assert_each_order_is_there_once(desk: PairDesk, *venues: str) -> None:
    """Ask the venues' own lists: one order for each that counts as sent, and no other."""
    sent = Order.objects.exclude(state=OrderState.NOT_PLACED)
    for venue in venues:
        ids = desk.orders_at(venue)
        assert len(ids) == len(set(ids)) == sent.filter(leg__account__exchange__code=venue).count()
