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
from trading.core.states import LIVE_POSITION_STATES, PositionState
from trading.models import Leg
from trading.services.coins import own_coins

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
        if leg.position.state in STILL_OPENING:
            whole = max(whole, leg.ratio * leg.position.target_base_quantity)
        taken[leg.account_id] += (whole - known) * leg.decision_entry_mid / leg.leverage
    return taken


def _opened_lately(read_at: Mapping[UUID, datetime]) -> Iterable[Leg]:
    if not read_at:
        return ()
    lately = Q(trades__filled_at__gt=min(read_at.values()))
    return (
        Leg.objects.filter(account__in=read_at, position__state__in=LIVE_POSITION_STATES)
        .filter(Q(position__state__in=STILL_OPENING) | lately)
        .distinct()
        .select_related("position")
        .prefetch_related("trades")
    )
