"""A hedged holding and its legs."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from exchanges.decimals import money_field, price_field, quantity_field, rate_field
from exchanges.models import ExchangeAccount, Instrument
from exchanges.modes import Mode
from trading.core.states import (
    EXPOSED_POSITION_STATES,
    LIVE_POSITION_STATES,
    Goal,
    PositionState,
)


class PositionQuerySet(models.QuerySet["Position"]):
    def for_user(self, user: models.Model) -> Self:
        return self.filter(user=user)

    def live(self) -> Self:
        return self.filter(state__in=sorted(LIVE_POSITION_STATES))

    def exposed(self) -> Self:
        return self.filter(state__in=EXPOSED_POSITION_STATES)

    def unjudged(self) -> Self:
        """Return what moved since it was judged last, in any state, also after its end."""
        return self.filter(exposure_version__gt=F("judged_version"))


class Position(models.Model):
    """One hedged holding of one user in one base asset; state is written by `transition` only.

    `realized_pnl` and `funding_collected` are derived from trades and funding, never stored.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="positions"
    )
    mode = models.CharField(max_length=16, choices=[(m.value, m.value) for m in Mode])
    base = models.CharField(
        max_length=32, help_text="The pair: one live position per user and base."
    )
    strategy = models.CharField(max_length=32)
    open_reason = models.CharField(
        max_length=16, choices=[("funding", "funding"), ("basis", "basis")]
    )
    state = models.CharField(
        max_length=16,
        choices=[(s.value, s.value) for s in PositionState],
        default=PositionState.PLANNED,
    )
    state_since = models.DateTimeField(null=True, blank=True)
    goal = models.CharField(
        max_length=8, choices=[(g.value, g.value) for g in Goal], default=Goal.HEDGED
    )
    size_usd = money_field(help_text="Planned notional of one leg.")
    target_base_quantity = quantity_field(
        help_text="Planned base quantity; of each leg its ratio of it."
    )
    parameters = models.JSONField(help_text="Configuration snapshot the position was opened with.")
    configuration_version = models.PositiveIntegerField()
    entry_funding_spread = rate_field(help_text="8 h funding spread at the decision.")
    expected_net_return = rate_field(null=True, blank=True)
    opened_by = models.CharField(max_length=150, help_text="scheduler, or the name of a user.")
    created_at = models.DateTimeField()
    signalled_at = models.DateTimeField(
        null=True, blank=True, help_text="When the market fact that led to it was on the board."
    )
    entry_deadline = models.DateTimeField(help_text="The first leg works until then.")
    entry_timestamp = models.DateTimeField(null=True, blank=True)
    exit_requested_at = models.DateTimeField(null=True, blank=True)
    close_timestamp = models.DateTimeField(null=True, blank=True)
    force_one_sided = models.BooleanField(
        default=False,
        help_text="One leg may be closed although the other's venue is out of reach.",
    )
    close_reason = models.CharField(max_length=32, blank=True)
    close_sentence = models.CharField(max_length=300, blank=True)
    held_reason = models.CharField(max_length=300, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)
    reduce_to = quantity_field(
        null=True, blank=True, help_text="Care asked for this base quantity; empty: nothing asked."
    )
    reduce_cause = models.CharField(max_length=300, blank=True)
    basis_steps = models.PositiveSmallIntegerField(
        default=0, help_text="Adverse steps of the price gap that were answered by a reduction."
    )
    add_quantity = quantity_field(
        null=True,
        blank=True,
        help_text="What is being added, within the target; empty: nothing is.",
    )
    add_usd = money_field(
        default=Decimal(0), help_text="The part of the reservation that is for what is being added."
    )
    add_cause = models.CharField(max_length=300, blank=True)
    add_steps = models.PositiveSmallIntegerField(
        default=0,
        help_text="Favourable steps of the price gap that were answered; numbers the addition.",
    )
    add_outcome = models.CharField(
        max_length=600, blank=True, help_text="What came of adding last, or why nothing was added."
    )
    switch_to = models.JSONField(
        null=True,
        blank=True,
        help_text="The other side, to be entered once this one is closed; empty: nothing is.",
    )
    reserved_usd = money_field(default=Decimal(0), help_text="Held against the user's limits.")
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_epoch = models.PositiveIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    exposure_version = models.PositiveIntegerField(
        default=0, help_text="Grows with each intent and each change of a filled quantity."
    )
    checked_version = models.PositiveIntegerField(
        null=True, blank=True, help_text="The exposure that both venues confirmed last."
    )
    checked_at = models.DateTimeField(null=True, blank=True)
    judged_version = models.PositiveIntegerField(
        default=0, help_text="The exposure that was judged last with nothing left to do about it."
    )

    objects = PositionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "base"],
                condition=Q(state__in=sorted(LIVE_POSITION_STATES)),
                name="one_live_position_per_pair",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(PositionState)), name="position_state_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state"]),
            models.Index(fields=["user", "state"]),
            models.Index(
                fields=["state"], condition=Q(switch_to__isnull=False), name="position_to_switch"
            ),
            models.Index(
                fields=["id"],
                condition=Q(exposure_version__gt=F("judged_version")),
                name="position_unjudged",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.base} {self.state} ({self.short_id})"

    @property
    def short_id(self) -> str:
        return str(self.id)[:8]

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_POSITION_STATES

    @property
    def long_exchange(self) -> str:
        return self._leg_exchange(LegSide.LONG)

    @property
    def short_exchange(self) -> str:
        return self._leg_exchange(LegSide.SHORT)

    def _leg_exchange(self, side: str) -> str:
        for leg in self.legs.all():
            if leg.side == side:
                return leg.instrument.exchange.short_code
        return ""


class LegSide(models.TextChoices):
    LONG = "LONG"
    SHORT = "SHORT"


class Leg(models.Model):
    """One leg of a position: an instrument on a side in an account; written with the position."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="legs")
    index = models.PositiveSmallIntegerField(help_text="0 works first at entry.")
    side = models.CharField(max_length=5, choices=LegSide.choices)
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, related_name="legs")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="legs")
    ratio = rate_field(
        default=Decimal(1), help_text="Its part of the position's base quantity, by design."
    )
    leverage = rate_field(default=Decimal(1))
    is_prepared = models.BooleanField(
        default=False, help_text="One-way mode and leverage were set before the first order."
    )
    decision_entry_mid = price_field()
    decision_exit_mid = price_field(null=True, blank=True)
    decision_add_mid = price_field(
        null=True, blank=True, help_text="When the latest addition was decided."
    )
    taker_fee = rate_field()
    funding_read_at = models.DateTimeField(
        null=True, blank=True, help_text="When its venue last told all its funding payments."
    )
    interest_read_at = models.DateTimeField(
        null=True, blank=True, help_text="When its venue last told all interest on its debt."
    )

    class Meta:
        ordering: ClassVar = ["index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["position", "index"], name="leg_index"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.instrument}"

    @property
    def sign(self) -> int:
        """Return +1 for LONG and -1 for SHORT."""
        return 1 if self.side == LegSide.LONG else -1

    @property
    def decision_mid(self) -> Decimal:
        """Return the mid that what is opened now was decided on."""
        mid: Decimal = self.decision_entry_mid
        if self.position.add_quantity is not None and self.decision_add_mid is not None:
            mid = self.decision_add_mid
        return mid

    def as_dict(self) -> dict[str, Any]:
        """Return the identifying words of this leg, for journals and events."""
        return {
            "side": self.side,
            "venue": self.instrument.exchange.short_code,
            "symbol": self.instrument.symbol,
        }
