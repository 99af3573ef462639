"""Differences that nothing explains: suspected, then confirmed, told and held for a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q

from exchanges.models import ExchangeAccount, Instrument
from trading.core.money import plain
from trading.core.quantity import QuantityFinding, QuantityVerdict
from trading.core.reconcile import Findings, WrongOrder
from trading.core.sentence import usd
from trading.core.states import OrderState
from trading.core.symbols import shown_pair
from trading.events import announce
from trading.models import Discrepancy, Event, Leg, Order, Position, Trade
from trading.models.discrepancy import DiscrepancyQuerySet
from trading.services import market
from trading.services.halt import halt_account
from trading.services.hold import hold_position
from trading.services.holdings import leg_net_base
from trading.services.outside_fills import live_leg
from trading.services.resolve import release_if_clear
from trading.services.reviews import LONGEST_WAIT, postpone_review

Kind = Discrepancy.Kind
# A position or a fill may be listed this much later than it happened.
READ_LAG = timedelta(seconds=10)
# Seeing the same again is written once a minute, so that looking twice writes nothing.
SEEN_AGAIN_AFTER = timedelta(seconds=50)
HEDGE_MODE = (
    "{venue} is in hedge mode, where closing orders may open: close nothing there by hand, switch "
    "the account to one-way mode in its settings, then press Acknowledge on Reconciliation."
)


def settle_findings(
    account: ExchangeAccount,
    findings: Findings,
    *,
    now: datetime,
    heard_at: datetime,
    driven: Position | None = None,
) -> None:
    """Write what a comparison found: suspicions, confirmed differences, and what has gone away.

    The venue was asked at `now` or later, and its last answer came at `heard_at`. The same findings
    write nothing the second time.
    """
    rows = {row.symbol: row for row in _unresolved(account)}
    bad = {finding.symbol: finding for finding in findings.unexplained}
    for finding in bad.values():
        row = rows.get(finding.symbol) or _suspect(account, finding, heard_at)
        if row.kind in (Kind.MISSING, Kind.FOREIGN):
            _see_again(row, finding, now)
            _confirm_if_lasting(row, now, heard_at, driven)
    for finding in findings.quantities:
        if finding.verdict in (QuantityVerdict.EQUAL, QuantityVerdict.LESS_OWED):
            _forget(rows.get(str(finding.symbol)), finding.ours, finding.theirs, now)
            _lapse_if_changed(account, finding, now)
    compared = {finding.symbol for finding in findings.quantities}
    for row in rows.values():
        if row.symbol not in compared and row.kind in (Kind.MISSING, Kind.FOREIGN):
            _forget(row, Decimal(0), Decimal(0), now)
    for wrong in findings.wrong_orders:
        note_wrong_order(account, wrong, now=now)
    has_any = bool(rows or bad)
    if has_any and _unresolved(account).filter(confirmed_at=None).exists():
        postpone_review(account.pk, reason="a difference may be lag", now=now)


def note_hedge_mode(account: ExchangeAccount, *, now: datetime) -> None:
    """Halt an account that its owner has switched to hedge mode."""
    sentence = HEDGE_MODE.format(venue=account.exchange.name)
    _note(account, "", Kind.HEDGE_MODE, sentence, now)


def note_wrong_order(account: ExchangeAccount, wrong: WrongOrder, *, now: datetime) -> None:
    """Halt an account whose venue shows another order under an id of ours."""
    sentence = (
        f"{account.exchange.name} shows another order under our id {wrong.client_order_id}: "
        f"{wrong.difference}. Nothing of it was taken over; look at the order there, then press "
        "Acknowledge on Reconciliation."
    )
    _note(account, wrong.symbol, Kind.WRONG_ORDER, sentence, now)


def _note(
    account: ExchangeAccount, symbol: str, kind: Discrepancy.Kind, sentence: str, now: datetime
) -> None:
    """Write a difference that needs no second look, once."""
    leg = live_leg(account, symbol) if symbol else None
    with transaction.atomic():
        row, is_new = Discrepancy.objects.get_or_create(
            account=account,
            symbol=symbol,
            resolved_at=None,
            defaults={
                "user_id": account.user_id,
                "instrument": leg.instrument if leg else None,
                "position": leg.position if leg else None,
                "kind": kind,
                "ours": Decimal(0),
                "theirs": Decimal(0),
                "sentence": sentence[:400],
                "found_at": now,
                "last_seen_at": now,
                "confirmed_at": now,
            },
        )
        if is_new:
            _halt(row, now)


def _unresolved(account: ExchangeAccount) -> DiscrepancyQuerySet:
    return (
        Discrepancy.objects.unresolved()
        .filter(account=account)
        .select_related("account__exchange", "position")
    )


def _suspect(account: ExchangeAccount, finding: QuantityFinding, heard_at: datetime) -> Discrepancy:
    leg = live_leg(account, finding.symbol)
    instrument = Instrument.objects.filter(exchange=account.exchange, symbol=finding.symbol).first()
    is_missing = finding.verdict is QuantityVerdict.MISSING
    # Two processes may look at one time: the constraint lets one of them write.
    row, _ = Discrepancy.objects.get_or_create(
        account=account,
        symbol=finding.symbol,
        resolved_at=None,
        defaults={
            "user_id": account.user_id,
            "instrument": instrument,
            "position": leg.position if leg else None,
            "kind": Kind.MISSING if is_missing else Kind.FOREIGN,
            "ours": finding.ours,
            "theirs": finding.theirs,
            "sentence": _sentence(account, finding, leg)[:400],
            "found_at": heard_at,
            "last_seen_at": heard_at,
        },
    )
    return row


def _see_again(row: Discrepancy, finding: QuantityFinding, now: datetime) -> None:
    """Keep the newest figures; what is confirmed changes only when no read of it may lag."""
    changed = (row.ours, row.theirs) != (finding.ours, finding.theirs)
    if changed and row.confirmed_at is not None and _was_active(row, now):
        return
    if not changed and now - row.last_seen_at < SEEN_AGAIN_AFTER:
        return
    took_from_ours = row.takes_from_ours
    row.ours, row.theirs, row.last_seen_at = finding.ours, finding.theirs, now
    fields = ["ours", "theirs", "last_seen_at"]
    if changed:
        _see_changed(row, finding, turns=row.takes_from_ours and not took_from_ours)
        fields += ["kind", "position", "sentence"]
    row.save(update_fields=fields)


def _see_changed(row: Discrepancy, finding: QuantityFinding, *, turns: bool) -> None:
    """Say what it is now. One that turns against our own leg is told in words of its own."""
    before, leg = row.sentence, live_leg(row.account, row.symbol)
    is_missing = finding.verdict is QuantityVerdict.MISSING
    row.kind = Kind.MISSING if is_missing else Kind.FOREIGN
    row.position = leg.position if leg else row.position
    if row.confirmed_at is None or turns:
        row.sentence = _sentence(row.account, finding, leg)[:400]
        # By its sentence the account is released when the row is resolved.
        ExchangeAccount.objects.filter(pk=row.account_id, halted_reason=before[:300]).update(
            halted_reason=row.sentence[:300]
        )


def _confirm_if_lasting(
    row: Discrepancy, now: datetime, heard_at: datetime, driven: Position | None
) -> None:
    """What takes from our own leg waits for the fills that explain it, for as long as reads lag.

    That long is from the last answer that raised the suspicion to the question that confirms it:
    what was filled while the first was on its way may be listed as late as anything else.
    """
    may_be_lag = row.takes_from_ours or _was_active(row, now)
    if row.confirmed_at is None:
        if may_be_lag and now - row.found_at < READ_LAG:
            return
        row.confirmed_at = heard_at
        with transaction.atomic():
            row.save(update_fields=["confirmed_at"])
            _halt(row, heard_at)
    if row.takes_from_ours and row.position is not None and row.position.is_live:
        hold_position(row.position, cause=row.sentence, now=heard_at, driven=driven)


def _was_active(row: Discrepancy, now: datetime) -> bool:
    """Tell whether an order of ours did anything there within the time a read may lag.

    What the venue has refused did nothing, however often it is tried again.
    """
    since = now - READ_LAG
    there = {"leg__account": row.account_id, "leg__instrument__symbol": row.symbol}
    moved = Q(sent_at__gt=since) | Q(answered_at__gt=since)
    refused = Q(state=OrderState.REJECTED, filled_base_quantity=0)
    return (
        Order.objects.filter(moved, ~refused, **there).exists()
        or Trade.objects.filter(booked_at__gt=since, **there).exists()
    )


def _halt(row: Discrepancy, now: datetime) -> None:
    announce(
        user_id=row.user_id,
        kind=f"discrepancy.{row.kind}",
        severity=Event.Severity.CRITICAL,
        sentence=row.sentence,
        position=row.position,
        now=now,
    )
    halt_account(row.account, reason=row.sentence, now=now)


def _forget(row: Discrepancy | None, ours: Decimal, theirs: Decimal, now: datetime) -> None:
    """A suspicion that has gone away was lag. What was confirmed stays for a person, unless the
    venue itself has explained it meanwhile by a closing that was booked. What was asked for before
    it was found says nothing of it.
    """
    if row is None or row.kind not in (Kind.MISSING, Kind.FOREIGN):
        return
    if timedelta(0) < row.found_at - now <= LONGEST_WAIT:
        return
    if row.confirmed_at is None:
        row.delete()
        return
    if _was_active(row, now) and not _explained_by_venue(row):
        return
    if (row.ours, row.theirs) != (ours, theirs):
        row.ours, row.theirs = ours, theirs
        row.save(update_fields=["ours", "theirs"])
    if _explained_by_venue(row):
        row.resolved_at, row.resolved_by = now, "the venue's own fills"
        row.resolution = Discrepancy.Resolution.VANISHED
        row.save(update_fields=["resolved_at", "resolved_by", "resolution"])
        release_if_clear(row.account, actor=row.resolved_by, now=now)


def _explained_by_venue(row: Discrepancy) -> bool:
    venue_made = Trade.objects.filter(
        account=row.account_id, leg__instrument__symbol=row.symbol, booked_at__gte=row.found_at
    ).exclude(cause__in=(Trade.Cause.ORDER, Trade.Cause.MANUAL, Trade.Cause.WRITTEN_OFF))
    return venue_made.exists()


def _lapse_if_changed(account: ExchangeAccount, finding: QuantityFinding, now: datetime) -> None:
    """An ignored quantity that is gone is expected no more."""
    if finding.theirs != finding.ours:
        return
    ignored = Discrepancy.objects.ignored().filter(account=account, symbol=finding.symbol)
    if ignored.exists():
        ignored.update(lapsed_at=now)


def _sentence(account: ExchangeAccount, finding: QuantityFinding, leg: Leg | None) -> str:
    """Say what each side holds, what is exposed in base and USD, and which buttons help."""
    venue, symbol = account.exchange.name, shown_pair(finding.symbol)
    held = f"{venue} holds {plain(finding.theirs)} {symbol}, our fills say {plain(finding.ours)}"
    extra = finding.theirs - finding.ours
    if finding.ours * extra >= 0:
        close = "" if leg is None else ", Close ends our position"
        return f"{held}: {plain(extra)} is not ours. Ignore leaves it alone{close}."
    exposed = "" if leg is None else f" {_unhedged(leg, extra)}"
    return (
        f"{held}, and no fill of the venue's own explains it.{exposed} Adopt books the trade that "
        "closed it and cuts the other leg; Close ends the position too. Where no trade is listed, "
        "Write off counts it as gone at its present price."
    )


def _unhedged(leg: Leg, extra: Decimal) -> str:
    legs = list(leg.position.legs.select_related("instrument__exchange"))
    net = sum((leg_net_base(each) for each in legs), Decimal(0)) + extra
    price = market.worth(market.board_of([leg.instrument]), leg.instrument)
    worth = "" if price is None else f" ({usd(abs(net) * price)})"
    return f"Unhedged: {plain(net)} {leg.instrument.base}{worth}."
