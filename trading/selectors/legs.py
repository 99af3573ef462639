"""One leg of a position as screens show it: what it holds, what it is worth, how far it is safe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from arbsite.accounts.models import User
from exchanges.board import Board
from exchanges.domain import BookTop, FundingRate, InstrumentKind
from exchanges.models import AccountPosition
from trading.core.funding import annualised_rate, next_settlement, payment
from trading.core.liquidation import Danger, distance_danger, liquidation_distance
from trading.models import Leg
from trading.services.holdings import leg_net_base
from trading.services.market import row_of
from trading.services.pnl import entry_price

LiquidationPrices = dict[tuple[object, object], Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class LegLine:
    """A leg with the market facts of now. `base_quantity` is signed; None is unknown, never 0."""

    leg: Leg
    base_quantity: Decimal
    entry_price: Decimal | None
    mark: Decimal | None
    book: BookTop | None
    liquidation_price: Decimal | None
    rate: FundingRate | None

    @property
    def venue(self) -> str:
        return self.leg.instrument.exchange.short_code

    @property
    def notional(self) -> Decimal | None:
        """Return the signed value at mark, USD."""
        return None if self.mark is None else self.base_quantity * self.mark

    @property
    def distance(self) -> Decimal | None:
        """Return the move to liquidation as a fraction of the mark."""
        if self.liquidation_price is None or not self.mark or not self.base_quantity:
            return None
        return liquidation_distance(self.liquidation_price, self.mark)

    @property
    def adl_rank(self) -> int | None:
        """Return the place in the venue's queue of auto-deleveraging: 5 is cut first."""
        reported = AccountPosition.objects.filter(
            account=self.leg.account_id, instrument=self.leg.instrument_id
        ).first()
        return None if reported is None else reported.adl_rank

    @property
    def apr(self) -> Decimal | None:
        """Return the annualised rate of the instrument; spot pays none."""
        if self.leg.instrument.kind == InstrumentKind.SPOT:
            return Decimal(0)
        if self.rate is None or self.rate.interval_seconds is None:
            return None
        return annualised_rate(self.rate.funding_rate, self.rate.interval_seconds)

    @property
    def expected_payment(self) -> Decimal | None:
        """Return what the coming settlement pays me at the predicted rate, USD."""
        if self.rate is None or self.mark is None:
            return None
        return payment(self.base_quantity, self.mark, self.rate.funding_rate)

    @property
    def exit_cost(self) -> Decimal | None:
        """Return the taker fee and half the touch spread of closing now, USD."""
        if self.notional is None:
            return None
        half_spread = Decimal(0)
        if self.book is not None:
            half_spread = (self.book.ask - self.book.bid) / 2 / self.book.mid
        fee: Decimal = max(self.leg.taker_fee, Decimal(0))
        return abs(self.notional) * (fee + half_spread)

    def settles_at(self, now: datetime) -> datetime | None:
        """Return the next settlement of this leg, None for spot and for unknown intervals."""
        if self.rate is None or self.rate.next_funding_at is None:
            return None
        if self.rate.interval_seconds is None:
            return None
        return next_settlement(self.rate.next_funding_at, self.rate.interval_seconds, now)


def leg_line(leg: Leg, liquidations: LiquidationPrices, board: Board) -> LegLine:
    """Return the line of one leg from its own fills and the board."""
    instrument = leg.instrument
    row = row_of(board, instrument)
    return LegLine(
        leg=leg,
        base_quantity=leg_net_base(leg),
        entry_price=entry_price(leg),
        mark=row.quote.mark_price if row is not None and row.quote is not None else None,
        book=row.book if row is not None else None,
        liquidation_price=liquidations.get((leg.account_id, leg.instrument_id)),
        rate=row.funding if row is not None else None,
    )


def liquidation_prices(user: User) -> LiquidationPrices:
    """Return the venues' own liquidation prices by (account, instrument)."""
    reported = AccountPosition.objects.filter(account__user=user)
    return {
        (position.account_id, position.instrument_id): position.liquidation_price
        for position in reported
        if position.liquidation_price is not None
    }


def worst(lines: Iterable[LegLine]) -> LegLine | None:
    """Return the leg nearest to its liquidation, None when no venue named a price."""
    known = [(line.distance, index, line) for index, line in enumerate(lines) if line.distance]
    return min(known)[2] if known else None


def danger(line: LegLine | None) -> Danger:
    """Return how near liquidation a leg is."""
    if line is None or line.distance is None:
        return Danger.NONE
    return distance_danger(line.distance)
