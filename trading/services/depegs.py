"""Tell people when what their accounts hold is no dollar any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from exchanges import selectors
from exchanges.models import ExchangeAccount
from trading.core.depeg import (
    BARS_ENTRIES,
    CRITICAL,
    StablecoinRate,
    depeg_sentence,
    deviation,
    worst_rate,
)
from trading.events import announce_once
from trading.models import Event

SAY_AGAIN = timedelta(minutes=10)


def stablecoin_rates(modes: Collection[str]) -> tuple[StablecoinRate, ...]:
    """Return what was read last of what the stablecoins of these modes are worth, however old."""
    return tuple(
        StablecoinRate(
            venue=row.instrument.exchange.name,
            asset=row.instrument.base,
            against=row.instrument.quote,
            mid=row.mid,
            observed_at=row.observed_at,
        )
        for row in selectors.stablecoin_rates(modes)
    )


def tell_of_depegs(*, now: datetime) -> int:
    """Warn everyone with an account from 50 bp on, CRITICAL from 100 bp; return how many heard."""
    accounts = ExchangeAccount.objects.filter(is_active=True, user__is_active=True)
    owners = set(accounts.values_list("user", "exchange__mode"))
    worst = {
        mode: worst_rate(stablecoin_rates([mode]), selectors.STABLECOINS, now)
        for mode in {mode for _, mode in owners}
    }
    return sum(
        _tell(user_id, rate, now)
        for user_id, mode in owners
        if (rate := worst[mode]) is not None and deviation(rate) >= BARS_ENTRIES
    )


def _tell(user_id: UUID, rate: StablecoinRate, now: datetime) -> bool:
    is_critical = deviation(rate) >= CRITICAL
    told = announce_once(
        user_id=user_id,
        kind="depeg.critical" if is_critical else "depeg.warning",
        severity=Event.Severity.CRITICAL if is_critical else Event.Severity.WARNING,
        sentence=f"{depeg_sentence(rate)}: nothing is opened, and what is held in either of them "
        "may be worth less than the dollars it is counted as",
        within=SAY_AGAIN,
        now=now,
    )
    return told is not None
