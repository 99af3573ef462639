"""How production enters, on a desk: scan, gates, what is taken together, plan, and its driving."""

from __future__ import annotations

from exchanges import lending, selectors
from exchanges.assumed_loans import lends
from exchanges.models import Exchange
from exchanges.modes import Mode
from tests.services.strategy_desk import VALUES, StrategyDesk
from tests.simulator.nearby import call
from trading.core.states import PositionState
from trading.models import Position
from trading.services import configure, engine
from trading.services.entry_legs import EntryLeg
from trading.services.fees import refresh_fees
from trading.services.plan_entry import Refused, plan_entry
from trading.services.scan import MarketScan
from trading.services.seen import Seen
from trading.services.standing import Standing
from trading.services.take import take
from trading.services.user_scan import Finding
from trading.strategies.base import EntryTrigger

# What is believed is what venues say now, so that a story needs no past.
RUNNING = {
    **VALUES,
    "auto_entry": True,
    "symbols": ["BTC-USDT"],
    "carry_estimator": "predicted",
    "persistence": "0",
    "hold_horizon": "48",
    "order_amount_usd": "6500",
    "entry_style": "both_at_once",
}


def set_out(desk: StrategyDesk, *venues: str, **values: object) -> None:
    """Open accounts, save a configuration, run the engine, and read what venues tell of both."""
    desk.open_accounts(*venues)
    configure.save(
        user=desk.user,
        values={**RUNNING, **values},
        expected_version=0,
        actor="trader",
        now=desk.now,
    )
    engine.resume(user=desk.user, actor="trader", now=desk.now)
    desk.read_accounts()
    refresh_fees(venues=desk.venues, now=desk.now)


def scan(desk: StrategyDesk, *bases: str) -> tuple[Standing, list[Finding]]:
    """Return where the user stands and what the scan finds, each with why it is not entered."""
    desk.feed()
    read_loans(desk)
    market = MarketScan()
    market.adopt(market.load(desk.now))
    market.refresh(desk.now)
    (user,) = market.users
    seen = Seen(selectors.market_board())
    found = [user.judge(base, seen, desk.now, EntryTrigger.SCHEDULE) for base in bases]
    return user.standing, [finding for some in found for finding in some]


def enter(desk: StrategyDesk, base: str = "BTC") -> Position:
    """Enter what the scan takes, as its doorbell does, and drive it until it is OPEN."""
    planned = plan(desk, base)
    assert isinstance(planned, Position), planned
    desk.drive_until(planned, PositionState.OPEN)
    return planned


def plan(desk: StrategyDesk, base: str = "BTC") -> Position | Refused:
    """Plan what the scan takes, as its doorbell does."""
    standing, found = scan(desk, base)
    taken = take(found, standing)
    assert len(taken) == 1, [one.refusal for one in found]
    return plan_entry(
        user=desk.user,
        strategy=taken[0].strategy,
        base=taken[0].base,
        legs=EntryLeg.read(_rung(taken[0])),
        size_usd=taken[0].size_usd,
        opened_by="scheduler",
        is_manual=False,
        idempotency_key=None,
        signalled_at=desk.now,
        now=desk.now,
    )


def read_loans(desk: StrategyDesk) -> None:
    """Store what borrowing costs, where a venue lends."""
    for exchange in Exchange.objects.filter(code__in=desk.lenders):
        if not lends(exchange.code, Mode(exchange.mode)):
            continue
        rates = call(desk.lenders[exchange.code].borrow_rates())
        lending.store_borrow_rates(exchange, rates, desk.now)


def _rung(finding: Finding) -> list[dict[str, str]]:
    return [
        {"instrument": str(leg.paired.id), "side": leg.side.value, "ratio": str(leg.ratio)}
        for leg in finding.legs
    ]
