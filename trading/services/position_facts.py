"""What venues say we hold: kept for screens, and set against what our own fills say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from exchanges.domain import VenuePosition
from exchanges.models import AccountPosition, ExchangeAccount, Instrument
from trading.core.states import LIVE_POSITION_STATES
from trading.models import Discrepancy, Leg
from trading.services.holdings import leg_net_base

# What a venue says of a holding, by the names of the columns that keep it.
TOLD = (
    "base_quantity",
    "entry_price",
    "mark_price",
    "liquidation_price",
    "leverage",
    "unrealised_pnl",
    "adl_rank",
)


def venue_quantity(positions: Iterable[VenuePosition], symbol: str) -> Decimal:
    """Return the signed base quantity the venue reports; 0 when it lists none."""
    return sum((p.base_quantity for p in positions if p.symbol == symbol), Decimal(0))


def expected_quantity(account: ExchangeAccount, instrument: Instrument) -> Decimal:
    """Return what the venue should show: the fills of all live positions, and what is not ours.

    What a person ignored is expected, and what is known to be foreign while a person is asked.
    """
    legs = Leg.objects.filter(
        account=account, instrument=instrument, position__state__in=LIVE_POSITION_STATES
    ).prefetch_related("orders", "trades")
    ours = sum((leg_net_base(leg) for leg in legs), Decimal(0))
    return ours + foreign_quantity(account, instrument.symbol)


def foreign_quantity(
    account: ExchangeAccount, symbol: str, *, at: datetime | None = None
) -> Decimal:
    """Return the signed quantity that is known not to be ours, or was there at a moment."""
    rows = Discrepancy.objects.filter(account=account, symbol=symbol)
    if at is not None:
        rows = rows.filter(found_at__lte=at)
    asked = rows.confirmed().filter(kind=Discrepancy.Kind.FOREIGN).first()
    if asked is not None and not asked.takes_from_ours:
        return asked.difference
    ignored = rows.ignored(at).first()
    return Decimal(0) if ignored is None else ignored.ignored_base


def store_positions(
    account: ExchangeAccount, positions: Iterable[VenuePosition], *, now: datetime
) -> None:
    """Keep the last venue facts for screens; what is no longer listed is stored as flat."""
    listed = {str(p.symbol): p for p in positions}
    if listed:
        instruments = Instrument.objects.filter(exchange=account.exchange, symbol__in=listed)
        AccountPosition.objects.bulk_create(
            [
                AccountPosition(
                    account=account,
                    instrument=instrument,
                    observed_at=now,
                    **{name: getattr(listed[instrument.symbol], name) for name in TOLD},
                )
                for instrument in instruments
            ],
            update_conflicts=True,
            unique_fields=["account", "instrument"],
            update_fields=[*TOLD, "observed_at"],
        )
    gone = AccountPosition.objects.filter(account=account).exclude(instrument__symbol__in=listed)
    if gone.exists():
        gone.delete()
