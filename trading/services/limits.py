"""Notional limits held by reservation: conditional updates, so that concurrent entries fit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest

from exchanges.modes import Mode
from trading.core.parameters import Parameters
from trading.core.refusal import Refusal
from trading.models import LimitUse, Position

USER_SCOPE = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A reservation under one limit: `amount_usd` more must stay within `cap_usd`, None is no cap.

    It is reserved all the same: a limit set later counts what is open.
    """

    scope: str
    amount_usd: Decimal
    cap_usd: Decimal | None
    words: str


class LimitReached(Exception):
    """A reservation did not fit; the transaction around it must end with nothing written."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal


def exposure_scope(open_reason: str) -> str:
    """Return the scope of all that was opened for one reason, `basis` or `funding`."""
    return f"exposure:{open_reason}"


def claims_for(
    *,
    base: str,
    legs: Sequence[tuple[str, Decimal]],
    open_reason: str,
    size_usd: Decimal,
    parameters: Parameters,
) -> tuple[Claim, ...]:
    """Return what an entry of `size_usd` claims. `legs` are venue and ratio: each is charged."""
    p = parameters
    is_basis = open_reason == "basis"
    return (
        Claim(
            scope=f"pair:{base}",
            amount_usd=size_usd,
            cap_usd=p.max_position_per_pair_usd,
            words=f"the limit per pair on {base}",
        ),
        *(
            Claim(
                scope=f"venue:{venue}",
                amount_usd=size_usd * part,
                cap_usd=p.max_position_per_venue_usd,
                words=f"the limit at {venue}",
            )
            for venue, part in parts_by_venue(legs)
        ),
        Claim(
            scope=exposure_scope(open_reason),
            amount_usd=size_usd,
            cap_usd=p.max_basis_exposure_usd if is_basis else p.max_funding_exposure_usd,
            words=f"the limit of {'gap' if is_basis else 'funding'} positions",
        ),
        Claim(
            scope=USER_SCOPE,
            amount_usd=size_usd,
            cap_usd=p.max_position_per_user_usd,
            words="your total limit",
        ),
    )


def reserve(user_id: UUID, mode: Mode, claims: Sequence[Claim]) -> None:
    """Reserve all claims or raise LimitReached; call it inside the entry's transaction."""
    for claim in claims:
        use = LimitUse.objects.filter(user_id=user_id, mode=mode, scope=claim.scope)
        if _fits(use, claim):
            continue
        _, is_new = LimitUse.objects.get_or_create(user_id=user_id, mode=mode, scope=claim.scope)
        if not (is_new and _fits(use, claim)):
            raise LimitReached(_refusal(use.get(), claim))


def _fits(use: QuerySet[LimitUse], claim: Claim) -> bool:
    cents = _cents(claim.amount_usd)
    if claim.cap_usd is not None:
        use = use.filter(reserved_cents__lte=_cents(claim.cap_usd) - cents)
    return use.update(reserved_cents=F("reserved_cents") + cents) == 1


def release(position: Position) -> None:
    """Give back what the position reserved, once: its own row says what is still held."""
    with transaction.atomic():
        held: Decimal = Position.objects.get(pk=position.pk).reserved_usd
        if held > 0:
            give_back(position, held)


def give_back(position: Position, usd: Decimal) -> None:
    """Give back a part of what the position holds reserved; inside the caller's transaction."""
    legs = [(leg.instrument.exchange.code, leg.ratio) for leg in position.legs.all()]
    # In the order of `claims_for`: an entry and an exit at once must not wait for each other.
    shares = [
        (f"pair:{position.base}", usd),
        *((f"venue:{venue}", usd * part) for venue, part in parts_by_venue(legs)),
        (exposure_scope(position.open_reason), usd),
        (USER_SCOPE, usd),
    ]
    for scope, amount in shares:
        # What was reserved in parts may have been rounded up to a cent less than the whole.
        LimitUse.objects.filter(user=position.user_id, mode=position.mode, scope=scope).update(
            reserved_cents=Greatest(F("reserved_cents") - _cents(amount), 0)
        )
    left = Position.objects.get(pk=position.pk).reserved_usd - usd
    Position.objects.filter(pk=position.pk).update(reserved_usd=left)
    position.reserved_usd = left


def parts_by_venue(legs: Iterable[tuple[str, Decimal]]) -> list[tuple[str, Decimal]]:
    """Return each venue's part of a position, by name."""
    parts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for venue, ratio in legs:
        parts[venue] += ratio
    return sorted(parts.items())


def _refusal(use: LimitUse, claim: Claim) -> Refusal:
    used = use.reserved_cents
    return Refusal(
        code="limit",
        sentence=f"{claim.amount_usd:,.0f} USD does not fit {claim.words}: "
        f"{Decimal(used) / 100:,.0f} of {claim.cap_usd or 0:,.0f} USD are used.",
    )


def _cents(usd: Decimal) -> int:
    return int((usd * 100).to_integral_value(rounding=ROUND_CEILING))
