"""A market in memory for the scan: two venues, one user, facts of round numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from arbsite.accounts.models import User
from exchanges.board import Board, Key
from exchanges.domain import BookTop, Depth, InstrumentKind, MarketFact, Symbol
from exchanges.models import (
    AccountBalance,
    AccountFee,
    Exchange,
    ExchangeAccount,
    HourlyMid,
    Instrument,
)
from tests.market import NOW, PERP, D, make_book, make_instrument, make_quote, make_rate
from tests.services.memory_board import board_in_memory
from trading.core.states import PositionState
from trading.models import Leg, Order, Position
from trading.services import configure, engine, opportunities
from trading.services.scan import MarketScan
from trading.services.seen import Seen
from trading.services.user_scan import Finding
from trading.strategies.base import EntryTrigger

SPOT = Symbol("BTC/USDT")
VENUES = ("binanceusdm", "bybit")
VALUES: dict[str, object] = {
    "auto_entry": True,
    "symbols": ["BTC-USDT"],
    "carry_estimator": "predicted",
    "persistence": "0",
    "hold_horizon": "48",
}


@dataclass
class Market:
    """Two venues, one perpetual each, and a user who may trade them."""

    user: User
    board: Board
    depths: dict[Key, Depth] = field(default_factory=dict)

    def tell(self, *facts: MarketFact) -> None:
        for fact in facts:
            self.board.apply(fact)

    @property
    def seen(self) -> Seen:
        return Seen(self.board, self.depths)

    def scan(self) -> MarketScan:
        market = MarketScan()
        market.adopt(market.load(NOW))
        return market

    def judged(self, trigger: EntryTrigger = EntryTrigger.SCHEDULE) -> list[Finding]:
        (scan,) = self.scan().users
        return scan.judge("BTC", self.seen, NOW, trigger)

    def judge(self, trigger: EntryTrigger = EntryTrigger.SCHEDULE) -> Finding:
        return self.judged(trigger)[0]

    def refusal(self) -> tuple[str, str]:
        """Return code and sentence of what the scan says against the pair."""
        refusal = self.judge().refusal
        assert refusal is not None
        return refusal.code, refusal.sentence

    def instrument(self, venue: str) -> Instrument:
        return Instrument.objects.get(exchange__code=venue, kind="perpetual")

    def record(self, *, at: timedelta = timedelta(0)) -> int:
        return opportunities.record(
            self.user.pk, [self.judge()], hold=timedelta(hours=48), now=NOW + at
        )


@contextmanager
def on_the_board(market: Market) -> Iterator[None]:
    """Let services read the market's facts as they read those of the streams."""
    with board_in_memory() as memory:
        market.board.publish(memory)  # type: ignore[arg-type]
        yield


def list_perpetual(venue: str) -> Exchange:
    exchange = Exchange.objects.create(code=venue, short_code=venue[:3].upper(), name=venue)
    listed = make_instrument(venue)
    names = (
        *("symbol", "venue_symbol", "kind", "base", "quote", "settle", "contract_base"),
        *("price_tick", "lot", "min_base_quantity", "min_notional", "settlement", "is_active"),
    )
    Instrument.objects.create(
        exchange=exchange,
        funding_interval_seconds=28_800,
        refreshed_at=NOW,
        max_leverage=D(10),
        **{name: getattr(listed, name) for name in names},
    )
    return exchange


def open_account(user: User, exchange: Exchange) -> None:
    account = ExchangeAccount.objects.create(
        user=user,
        exchange=exchange,
        key_fingerprint=f"{user.pk} {exchange.code}",
        checked_at=NOW,
    )
    AccountBalance.objects.create(
        account=account,
        asset="USDT",
        free=D(100_000),
        total=D(100_000),
        equity=D(100_000),
        observed_at=NOW,
    )
    AccountFee.objects.create(
        account=account,
        instrument=exchange.instruments.get(),
        maker=D("0.0002"),
        taker=D("0.0005"),
        observed_at=NOW,
    )


def answer_late(market: Market, venue: str, *, seconds: str) -> None:
    """Let the last three orders at a venue have been answered so late."""
    position = Position.objects.create(
        user=market.user,
        mode="rehearsal",
        base="SOL",
        strategy="funding_spread",
        open_reason="funding",
        state=PositionState.CLOSED,
        size_usd=D(0),
        target_base_quantity=D(0),
        parameters={},
        configuration_version=1,
        entry_funding_spread=D(0),
        opened_by="test",
        created_at=NOW,
        entry_deadline=NOW,
    )
    leg = Leg.objects.create(
        position=position,
        index=0,
        side="LONG",
        account=ExchangeAccount.objects.get(exchange__code=venue),
        instrument=market.instrument(venue),
        decision_entry_mid=D(50_000),
        taker_fee=D(0),
    )
    sent_at = NOW - timedelta(minutes=1)
    for number in range(3):
        Order.objects.create(
            position=position,
            leg=leg,
            purpose="open",
            sequence=number,
            client_order_id=f"{venue} {number}",
            side="buy",
            order_type="limit",
            time_in_force="gtc",
            base_quantity=D(1),
            state="canceled",
            created_at=sent_at,
            sent_at=sent_at,
            answered_at=sent_at + timedelta(seconds=float(seconds)),
        )


def make_market(owner: User) -> Market:
    """Bybit pays 10 bp at 12:18, Binance 0: 8 h spread 0.1 %, inside the entry window."""
    for venue in VENUES:
        open_account(owner, list_perpetual(venue))
    configure.save(user=owner, values=VALUES, expected_version=0, actor="owner", now=NOW)
    engine.resume(user=owner, actor="owner", now=NOW)
    market = Market(user=owner, board=Board())
    market.tell(*(make_book(venue) for venue in VENUES))
    market.tell(*(make_quote(venue, age=1) for venue in VENUES))
    market.tell(make_rate("binanceusdm", rate="0"), make_rate("bybit", rate="0.001"))
    return market


def list_spot(venue: str, like: Instrument | None = None) -> Instrument:
    exchange = Exchange.objects.get(code=venue)
    listed = make_instrument(venue, kind=InstrumentKind.SPOT)
    perpetual = like or exchange.instruments.get(symbol=PERP)
    fields = ("base", "quote", "settle", "contract_base", "price_tick", "lot")
    return Instrument.objects.create(
        exchange=exchange,
        symbol=listed.symbol,
        venue_symbol="BTCUSDT-SPOT",
        kind="spot",
        settlement="none",
        min_base_quantity=perpetual.min_base_quantity,
        min_notional=perpetual.min_notional,
        refreshed_at=NOW,
        **{name: getattr(perpetual, name) for name in fields},
    )


def spot_book(venue: str, *, bid: str = "49899", ask: str = "49901") -> BookTop:
    return replace(make_book(venue, bid=bid, ask=ask), symbol=SPOT)


def configure_more(market: Market, **values: object) -> None:
    known = configure.current(market.user).version
    configure.save(
        user=market.user, values=VALUES | values, expected_version=known, actor="owner", now=NOW
    )


def store_mids(hours: int, *, before: datetime = NOW, **mids: str) -> None:
    """Write the same mid of each venue's perpetual in so many hours that have ended."""
    hour_at = before.replace(minute=0, second=0, microsecond=0)
    for venue, mid in mids.items():
        listed = Instrument.objects.get(exchange__code=venue, kind="perpetual")
        for back in range(1, hours + 1):
            at = hour_at - timedelta(hours=back)
            HourlyMid.objects.create(instrument=listed, hour_at=at, mid=D(mid))
