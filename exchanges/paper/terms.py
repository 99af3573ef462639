"""What a paper account pays and may do: its own assumptions, else what its venue lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from exchanges.assumed_loans import assumed_of, lends
from exchanges.domain import FeeTier, Instrument, InstrumentKind, Symbol
from exchanges.matching import LeverageTier, tiers_from
from exchanges.models import RiskTiers
from exchanges.modes import Mode
from exchanges.paper.facts import Facts
from exchanges.paper.rows import PaperAccount
from exchanges.risk_tiers import NO_CAP, TierLadder, tiers_at
from exchanges.venues.profile import VenueProfile


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one account at one venue."""

    paper: PaperAccount
    profile: VenueProfile
    ladders: Mapping[Symbol, TierLadder] = field(default_factory=dict)
    """What the venue told of its contracts' risk tiers."""

    def fees(self, instrument: Instrument) -> FeeTier:
        """Return the account's fees for an instrument; the venue's list price where none is set."""
        is_spot = instrument.kind is InstrumentKind.SPOT
        part, own = self.profile.part(instrument.kind), self.paper
        maker = own.spot_maker_fee if is_spot else own.maker_fee
        taker = own.spot_taker_fee if is_spot else own.taker_fee
        return FeeTier(
            venue=self.profile.name,
            symbol=instrument.symbol,
            maker=part.fallback_maker if maker is None else maker,
            taker=part.fallback_taker if taker is None else taker,
        )

    def tiers(self, instrument: Instrument, price: Decimal) -> Sequence[LeverageTier]:
        """Return the risk tiers by notional at `price`: what is assumed, else the venue's own."""
        if self.paper.tiers:
            return tiers_from([(cap, leverage, rate) for cap, leverage, rate in self.paper.tiers])
        rate, ladder = self.paper.maintenance_rate, self.ladders.get(instrument.symbol)
        if rate is None:
            return tiers_at(price, ladder, instrument)
        return (
            LeverageTier(
                notional_cap=NO_CAP,
                max_leverage=self.max_leverage(instrument),
                maintenance_rate=rate,
            ),
        )

    def tells_maintenance(self, instrument: Instrument) -> bool:
        """Tell whether it is known how much margin must stay behind a position."""
        is_assumed = bool(self.paper.tiers) or self.paper.maintenance_rate is not None
        is_told = instrument.symbol in self.ladders
        return is_assumed or is_told or instrument.maintenance_margin_rate > 0

    @property
    def lends(self) -> bool:
        """Tell whether coins are borrowed at this venue to sell them."""
        return lends(self.profile.name, Mode.PAPER)

    def hourly_borrow_rate(self, asset: str, facts: Facts) -> Decimal | None:
        """Return what borrowing a coin costs an hour: as its venue tells, else as is assumed."""
        told = facts.loans.get(asset)
        return assumed_of(self.paper).hourly_rate(asset) if told is None else told.hourly_rate

    @property
    def quote_fee(self) -> Decimal:
        """Return the fee of a spot purchase that is paid in money beside its price, at most."""
        part, own = self.profile.part(InstrumentKind.SPOT), self.paper
        if not part.fees_in_quote:
            return Decimal(0)
        rates = own.spot_maker_fee, own.spot_taker_fee
        listed = part.fallback_maker, part.fallback_taker
        return max(Decimal(0), *(b if a is None else a for a, b in zip(rates, listed, strict=True)))

    def max_leverage(self, instrument: Instrument) -> Decimal:
        """Return the most that may be set: the venue's, the account's own where it is less."""
        most = instrument.max_leverage
        own = self.paper.max_leverage
        return most if own is None else min(most, own)


def terms_of(paper: PaperAccount, profile: VenueProfile) -> Terms:
    """Return the terms of an account, with the risk tiers its venue told."""
    told = RiskTiers.objects.filter(instrument__exchange__accounts=paper.pk)
    rows = told.select_related("instrument")
    ladders = ((Symbol(row.instrument.symbol), row.ladder) for row in rows)
    known = {symbol: ladder for symbol, ladder in ladders if ladder is not None}
    return Terms(paper, profile, known)
