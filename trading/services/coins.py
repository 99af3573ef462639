"""What spot legs hold in coins and in USD: what the wallet says, and no more than is ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from exchanges.domain import InstrumentKind
from exchanges.models import AccountBalance, ExchangeAccount
from trading.core.states import LIVE_POSITION_STATES
from trading.models import Leg
from trading.services import market
from trading.services.holdings import leg_net_base


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCoins:
    """The coins of one live spot leg, < 0 owed, and their mid, or their last fill without one."""

    account_id: UUID
    symbol: str
    base_quantity: Decimal
    mid: Decimal

    @property
    def value(self) -> Decimal:
        return self.base_quantity * self.mid


def own_coins(accounts: Iterable[ExchangeAccount]) -> list[OwnCoins]:
    """Return the coins of all live spot legs of the accounts, by the wallets read last."""
    legs = list(
        Leg.objects.filter(
            account__in=list(accounts),
            instrument__kind=InstrumentKind.SPOT,
            position__state__in=LIVE_POSITION_STATES,
            trades__isnull=False,
        )
        .distinct()
        .select_related("instrument__exchange")
        .prefetch_related("orders", "trades")
    )
    if not legs:
        return []
    board = market.board_of([leg.instrument for leg in legs])
    wallets = {
        (row.account_id, row.asset): row.total
        for row in AccountBalance.objects.filter(account__in={leg.account_id for leg in legs})
    }
    found = []
    for leg in legs:
        ours = leg_net_base(leg)
        row = market.row_of(board, leg.instrument)
        book = row.book if row is not None else None
        found.append(
            OwnCoins(
                account_id=leg.account_id,
                symbol=leg.instrument.symbol,
                base_quantity=min(ours, wallets.get((leg.account_id, leg.instrument.base), ours)),
                mid=book.mid if book is not None else list(leg.trades.all())[-1].price,
            )
        )
    return found
