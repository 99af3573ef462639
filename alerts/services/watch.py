"""What nobody else tells of: a spread that widens, a limit that fills, an engine that is silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from alerts.services.wishes import preferences_of
from arbsite.accounts.models import User
from exchanges.board import Board
from trading.events import Event, announce_once
from trading.selectors.board import load_board
from trading.selectors.engine import last_beat
from trading.selectors.limit_uses import limit_uses
from trading.selectors.positions import PositionLine, open_count, open_positions
from trading.selectors.venues import venue_feed
from trading.services.apart import apart
from trading.templatetags.carry_format import cash

SAID_AGAIN = timedelta(hours=1)
LIMIT_SAID_AGAIN = timedelta(hours=6)
SILENT_AFTER = timedelta(seconds=60)


def watch(*, since: datetime, now: datetime) -> int:
    """Look at everyone with something open; return how many warnings were written.

    `since` is when this process began to look: a silence before it is a start, no fault.
    """
    is_silent = engine_is_silent(since=since, now=now)
    counts = [
        apart(partial(_watch, user, is_silent, now), "user not watched", user=user.pk)
        for user in User.objects.filter(is_active=True)
    ]
    return sum(count or 0 for count in counts)


def _watch(user: User, is_silent: bool, now: datetime) -> int:
    count, told = open_count(user), 0
    if is_silent and (count or user.is_staff):
        told += _tell_of_silence(user, now)
    if count:
        told += warn_of_spreads(user, now=now) + warn_of_limits(user, now=now)
    return told


def engine_is_silent(*, since: datetime | None, now: datetime) -> bool:
    """Tell whether no trade worker has swept for a minute; one that never swept was not started."""
    beat = last_beat()
    if beat is None:
        return False
    known = beat if since is None else max(beat, since)
    return now - known > SILENT_AFTER


def warn_of_spreads(user: User, *, now: datetime) -> int:
    """Warn of positions whose price gap has moved against them, once an hour each."""
    threshold = preferences_of(user).adverse_basis
    board = load_board(
        set(user.exchange_accounts.active().values_list("exchange__code", flat=True))
    )
    told = 0
    for line in open_positions(user, board, now):
        if not _is_fresh(line, board, now) or not line.position.size_usd:
            continue
        adverse = -line.pnl.basis_pnl / line.position.size_usd
        if adverse < threshold:
            continue
        sentence = (
            f"{line.position.base}: the price gap has moved against the position by "
            f"{adverse * 100:.2f} % of a leg since entry ({cash(line.pnl.basis_pnl)}); "
            f"you are warned from {threshold * 100:.2f} % on"
        )
        told += (
            announce_once(
                user_id=user.pk,
                kind="basis.adverse",
                sentence=sentence,
                position=line.position,
                within=SAID_AGAIN,
                now=now,
            )
            is not None
        )
    return told


def _is_fresh(line: PositionLine, board: Board, now: datetime) -> bool:
    """Tell whether both legs have a mark of a feed that is alive: an old one says nothing."""
    return all(
        leg.mark is not None
        and venue_feed(board, leg.leg.instrument.exchange.code, now).glyph != "down"
        for leg in line.legs
    )


def warn_of_limits(user: User, *, now: datetime) -> int:
    """Warn of limits that are nearly full."""
    threshold = preferences_of(user).limit_share
    told = 0
    for line in limit_uses(user, now):
        if line.share < threshold:
            break
        told += (
            announce_once(
                user_id=user.pk,
                kind=f"limit.{line.scope}"[:40],
                sentence=f"{line.used} of {line.most} of {line.words} are used, "
                f"{line.share * 100:.0f} %; you are warned from {threshold * 100:.0f} % on",
                within=LIMIT_SAID_AGAIN,
                now=now,
            )
            is not None
        )
    return told


def _tell_of_silence(user: User, now: datetime) -> bool:
    beat = last_beat()
    return (
        announce_once(
            user_id=user.pk,
            kind="engine.error",
            severity=Event.Severity.CRITICAL,
            sentence=f"No trade worker has swept since {beat:%H:%M:%S} UTC: nothing is entered, "
            "closed or cared for. Start the workers; `manage.py kill` closes without them",
            within=SAID_AGAIN,
            now=now,
        )
        is not None
    )
