"""What programs are told over the socket: a snapshot, then numbered messages, and rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from arbsite.accounts.models import User
from trading.core.money import plain
from trading.models import StreamEntry, Trade
from trading.selectors.positions import PositionLine, get_position_for_user, position_line
from trading.selectors.rates import RateLine
from trading.selectors.screen import Screen

Message = dict[str, Any]
AT_ONCE = 200
DOWN = "down"
Kind = StreamEntry.Kind


def snapshot(screen: Screen, *, last: int) -> Message:
    """Return how everything stands; `seq` is the newest number that it includes.

    `oldest` is the first number that can still be read: those before it are forgotten.
    """
    kept = StreamEntry.objects.for_user(screen.user).values_list("sequence", flat=True).first()
    data = {
        "oldest": last + 1 if kept is None else kept,
        "engine": _engine(screen),
        "positions": [_position(line) for line in screen.positions],
    }
    return _message("SNAPSHOT", data, screen.now, last)


def messages_after(user: User, after: int, now: datetime) -> list[Message]:
    """Return the next numbered messages, the oldest first, at most `AT_ONCE`.

    Positions and engine are told as they are now, not as they were when the number was given.
    """
    entries = StreamEntry.objects.for_user(user).filter(sequence__gt=after)
    screen = Screen(user, now=now)
    rows = entries.select_related(
        "event__position", "trade__position", "trade__leg__instrument__exchange"
    )
    return [_numbered(entry, screen) for entry in rows[:AT_ONCE]]


def rate_message(line: RateLine, now: datetime) -> Message:
    """Return one rate; it has no number, for the next one replaces it."""
    data = {
        "exchange": line.venue,
        "pair": line.base,
        "symbol": line.symbol,
        "rate": plain(line.funding_rate),
        "predicted": plain(line.funding_rate),
        "interval_seconds": line.interval_seconds,
        "next_funding_time": _time(line.next_funding_at),
        "observed_at": _time(line.observed_at),
    }
    return _message("FUNDING_RATE_UPDATE", data, now, None)


def changed_rates(
    before: Mapping[tuple[str, str], RateLine], lines: Iterable[RateLine]
) -> dict[tuple[str, str], RateLine]:
    """Return the rates that differ from those sent before, by base and venue."""
    return {
        (line.base, line.venue): line
        for line in lines
        if (sent := before.get((line.base, line.venue))) is None
        or (sent.funding_rate, sent.next_funding_at) != (line.funding_rate, line.next_funding_at)
    }


def _numbered(entry: StreamEntry, screen: Screen) -> Message:
    if entry.trade is not None:
        return _message(entry.kind, _trade(entry.trade), entry.trade.booked_at, entry.sequence)
    event = entry.event
    assert event is not None  # noqa: S101  # an entry has one of both
    if entry.kind == Kind.ENGINE:
        data = _engine(screen) | {"message": event.sentence}
    elif entry.kind == Kind.POSITION and event.position_id is not None:
        data = _position_of(event.position_id, screen) | {"message": event.sentence}
    else:
        data = {
            "severity": event.severity,
            "message": event.sentence,
            "kind": event.kind,
            "position_id": _id(event.position_id),
            "timestamp": _time(event.created_at),
        }
    return _message(entry.kind, data, event.created_at, entry.sequence)


def _position_of(position_id: UUID, screen: Screen) -> dict[str, Any]:
    found = get_position_for_user(screen.user, position_id)
    return _position(position_line(found, {}, screen.board, screen.now))


def _position(line: PositionLine) -> dict[str, Any]:
    position = line.position
    return {
        "position_id": str(position.pk),
        "base": position.base,
        "strategy": position.strategy,
        "status": position.state,
        "goal": position.goal,
        "size_usd": plain(position.size_usd),
        "unrealized_pnl": plain(line.pnl.total),
        "funding": plain(line.pnl.funding),
        "delta_usd": plain(line.delta),
    }


def _engine(screen: Screen) -> dict[str, Any]:
    engine = screen.engine
    return {
        "status": str(engine.state),
        "mode": str(engine.identity),
        "connected_exchanges": [v.code for v in screen.venues if v.feed.glyph != DOWN],
        "last_scan": _time(engine.last_scan_at),
        "error": engine.sentence if engine.in_error else None,
    }


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "trade_id": str(trade.pk),
        "position_id": str(trade.position_id),
        "exchange": trade.leg.instrument.exchange.code,
        "symbol": trade.leg.instrument.symbol,
        "side": trade.order_side,
        "action": trade.action,
        "price": plain(trade.price),
        "base_quantity": plain(trade.base_quantity),
        "size": plain(trade.size),
        "fee": plain(trade.fee),
        "fee_asset": trade.fee_asset,
    }


def _message(kind: str, data: Mapping[str, Any], at: datetime, sequence: int | None) -> Message:
    return {"type": str(kind), "seq": sequence, "at": _time(at), "data": dict(data)}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _id(value: object) -> str | None:
    return None if value is None else str(value)
