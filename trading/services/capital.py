"""What each account can carry: what its venue said last, less what entries have taken since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from exchanges.models import AccountBalance, ExchangeAccount
from trading.core.sizing import Capital
from trading.core.states import LIVE_POSITION_STATES, PositionState, Purpose
from trading.models import Leg
from trading.services.coins import own_coins
from trading.services.holdings import leg_net_base

ZERO = Decimal(0)
DOLLARS = frozenset({"USDT", "USDC", "USD"})
STILL_OPENING = (PositionState.PLANNED, PositionState.ENTERING)


def capital_of(accounts: Mapping[str, ExchangeAccount]) -> tuple[dict[str, Capital], Decimal]:
    """Return the collateral by venue and the equity of all venues together, in USD."""
    free: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    equity: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    read_at: dict[UUID, datetime] = {}
    for balance in AccountBalance.objects.filter(account__in=accounts.values(), asset__in=DOLLARS):
        account = balance.account_id
        free[account] += balance.free
        equity[account] += balance.equity
        read_at[account] = min(balance.observed_at, read_at.get(account, balance.observed_at))
    taken, coins = _taken_since(read_at), defaultdict[UUID, Decimal](Decimal)
    held = own_coins(accounts.values())
    for one in held:
        coins[one.account_id] += max(one.value, ZERO)
    capital = {
        venue: Capital(
            account=str(account.pk),
            free=free[account.pk] - taken[account.pk],
            used_margin=max(equity[account.pk] - free[account.pk], ZERO) + taken[account.pk],
            coins=coins[account.pk],
        )
        for venue, account in accounts.items()
    }
    return capital, sum(equity.values(), ZERO) + sum((one.value for one in held), ZERO)


def _taken_since(read_at: Mapping[UUID, datetime]) -> defaultdict[UUID, Decimal]:
    """Return by account the margin of live legs that its last reading cannot show yet."""
    taken: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    for leg in _opened_lately(read_at):
        filled = [trade for trade in leg.trades.all() if trade.action == "OPEN"]
        known = sum(
            (trade.base_quantity for trade in filled if trade.filled_at <= read_at[leg.account_id]),
            ZERO,
        )
        whole = sum((trade.base_quantity for trade in filled), ZERO)
        wanted = leg.ratio * leg.position.target_base_quantity
        if leg.position.add_quantity is not None:
            # Fills may be known before they are booked as trades.
            whole = max(whole, _opened(leg)) + max(wanted - abs(leg_net_base(leg)), ZERO)
        elif leg.position.state in STILL_OPENING:
            whole = max(whole, wanted)
        taken[leg.account_id] += (whole - known) * leg.decision_entry_mid / leg.leverage
    return taken


def _opened(leg: Leg) -> Decimal:
    opening = [order for order in leg.orders.all() if order.purpose != Purpose.REDUCE]
    return sum((order.filled_base_quantity for order in opening), ZERO)


def _opened_lately(read_at: Mapping[UUID, datetime]) -> Iterable[Leg]:
    if not read_at:
        return ()
    lately = Q(trades__filled_at__gt=min(read_at.values()))
    return (
        Leg.objects.filter(account__in=read_at, position__state__in=LIVE_POSITION_STATES)
        .filter(
            Q(position__state__in=STILL_OPENING) | Q(position__add_quantity__isnull=False) | lately
        )
        .distinct()
        .select_related("position", "instrument")
        .prefetch_related("trades", "orders", "interest")
    )
