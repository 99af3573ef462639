"""What fees in a third asset, as a venue's own coin, are worth when they are booked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import Fill, InstrumentKind
from exchanges.models import ExchangeAccount, Instrument
from trading.events import announce_once
from trading.models import Event
from trading.services import market
from trading.services.capital import DOLLARS

PRICE_LASTS = timedelta(minutes=5)
TELL_AGAIN = timedelta(hours=24)


def fee_prices(
    account: ExchangeAccount, fills: Iterable[Fill], *, now: datetime
) -> dict[str, Decimal]:
    """Return the price in dollars of each asset that a fill paid its fee in and does not trade.

    What no spot market tells a price of is told of, and is counted in no P&L. Reads the board: call
    it outside transactions.
    """
    assets = {fill.fee_asset for fill in fills if fill.fee and not _is_traded(fill)}
    found = {asset: _price(asset, now) for asset in sorted(assets)}
    for asset, price in found.items():
        if price is None:
            _tell(account, asset, now)
    return {asset: price for asset, price in found.items() if price is not None}


def _is_traded(fill: Fill) -> bool:
    base, _, rest = fill.symbol.partition("/")
    return fill.fee_asset in {*DOLLARS, base, rest.partition(":")[0]}


def _price(asset: str, now: datetime) -> Decimal | None:
    rows = list(
        Instrument.objects.select_related("exchange").filter(
            base=asset, quote__in=DOLLARS, kind=InstrumentKind.SPOT, is_active=True
        )
    )
    board = market.board_of(rows)
    books = (market.fresh_book(board, row, now=now, max_age=PRICE_LASTS) for row in rows)
    return next((book.mid for book in books if book is not None), None)


def _tell(account: ExchangeAccount, asset: str, now: datetime) -> None:
    announce_once(
        user_id=account.user_id,
        kind="fee.unvalued",
        severity=Event.Severity.WARNING,
        sentence=f"{account}: fees are charged in {asset} and no market here tells its price: they "
        "are named beside the P&L and counted in none",
        within=TELL_AGAIN,
        now=now,
    )
