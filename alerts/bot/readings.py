"""Commands that only tell: the figures of the pages, one line each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from alerts.bot.said import Answer
from alerts.bot.speaker import Speaker, told
from alerts.models import Alert, Channel
from alerts.wording import usd
from trading.selectors.balances import balances_of
from trading.selectors.equity_bridge import BridgeLine, bridge_lines
from trading.selectors.positions import PositionLine, closed_positions
from trading.selectors.screen import Screen
from trading.templatetags.carry_format import age, held, rate_percent, spread_percent, yearly

RATES_SHOWN = 15
CLOSED_COUNTED = 200
ZERO = Decimal(0)


def _screen(speaker: Speaker) -> Screen:
    return Screen(speaker.user, now=speaker.now)


def _gained(amount: Decimal | None) -> str:
    return usd(amount, with_sign=True)


def status(speaker: Speaker) -> Answer:
    screen = _screen(speaker)
    engine, summary = screen.engine, screen.summary
    waiting = Alert.objects.for_user(speaker.user).waiting().count()
    lines = [
        f"{engine.identity}: {engine.state}{f', {engine.sentence}' if engine.sentence else ''}",
        f"Positions: {engine.open_positions} of {engine.max_positions}, "
        f"orders pending: {engine.pending_orders}",
        f"Equity {usd(summary.equity)}, today {_gained(summary.today)}",
        f"Unhedged {_gained(summary.delta)}, gross {usd(summary.gross)}",
        f"Venues delivering: {screen.venues_fresh} of {len(screen.venues)}",
    ]
    if engine.daily_stop:
        lines.append(engine.daily_stop)
    if waiting:
        lines.append(f"{waiting} critical alert{'s' if waiting > 1 else ''} to /ack")
    return told(*lines)


def positions(speaker: Speaker) -> Answer:
    lines = _screen(speaker).positions
    if not lines:
        return told("No open positions.")
    return told(*(text for line in lines for text in _position(line)))


def _position(line: PositionLine) -> Iterable[str]:
    worst = line.worst_leg
    venues = " / ".join(f"{leg.leg.side.lower()} {leg.venue}" for leg in line.legs)
    yield f"{line.position.base} {line.position.short_id} {line.state_word}: {venues}"
    yield (
        f"  ${line.position.size_usd:,.0f} a leg, {_gained(line.pnl.total)} "
        f"(funding {_gained(line.pnl.funding)}), {held(line.age)}"
    )
    if worst is not None and worst.distance is not None:
        yield f"  liquidation of {worst.venue} {worst.distance * 100:.1f} % away"
    if line.unhedged_leg is not None:
        yield f"  UNHEDGED by {_gained(line.delta)}"


def rates(speaker: Speaker) -> Answer:
    screen = _screen(speaker)
    found = [screen.best_pairs[base] for base in screen.ranked_bases if base in screen.best_pairs]
    if not found:
        return told("No pair is known to pay now.")
    return told(
        "Best pairs, net a year:",
        *(
            f"{pair.base}: long {pair.long_instrument.exchange.short_code} / short "
            f"{pair.short_instrument.exchange.short_code} {rate_percent(pair.net_apr)}, "
            f"funding {spread_percent(yearly(pair.spread_8h))}"
            for pair in found[:RATES_SHOWN]
        ),
    )


def pnl(speaker: Speaker) -> Answer:
    screen = _screen(speaker)
    totals = screen.totals
    return told(
        f"Today: {_gained(screen.summary.today)}",
        f"Open positions: {_gained(totals.net)} (price {_gained(totals.price)}, funding "
        f"{_gained(totals.funding)}, fees {_gained(totals.fees)})",
        f"Funding of 24 h: {_gained(screen.summary.funding_24h)}",
    )


def profit(speaker: Speaker) -> Answer:
    lines = bridge_lines(speaker.user, speaker.now)
    if not lines:
        return told("Equity was not read twice yet: nothing to compare.")
    return told("Since the first reading:", *_parts(lines[-1]))


def _parts(line: BridgeLine) -> list[str]:
    parts = {
        "Price": line.price_pnl,
        "Funding": line.funding,
        "Fees": line.fees,
        "Borrow": line.borrow,
        "Failed attempts": line.failed_attempts,
        "Stablecoins": line.quote_fx,
    }
    return [
        f"P&L {_gained(line.net_pnl)}",
        *(f"  {name} {_gained(amount)}" for name, amount in parts.items()),
        f"Transfers {_gained(line.transfers)}, unexplained {_gained(line.unexplained)}",
        f"Equity {usd(line.opening)} → {usd(line.closing)}",
    ]


def daily(speaker: Speaker) -> Answer:
    days = bridge_lines(speaker.user, speaker.now)[:-1]
    if not days:
        return told("No day was read twice yet.")
    return told(
        *(
            f"{day.name}: {_gained(day.net_pnl)}, funding {_gained(day.funding)}, "
            f"fees {_gained(day.fees)}"
            for day in days
        )
    )


def balance(speaker: Speaker) -> Answer:
    rows = balances_of(speaker.user)
    if not rows:
        return told("No balance is known: no account, or none was read yet.")
    return told(
        *(
            f"{row.account.exchange.name}: {row.equity:,.2f} {row.asset}, {row.free:,.2f} free "
            f"({age(speaker.now - row.observed_at)} ago)"
            for row in rows
        )
    )


def performance(speaker: Speaker) -> Answer:
    screen = _screen(speaker)
    closed = closed_positions(speaker.user, screen.board, speaker.now, limit=CLOSED_COUNTED)
    if not closed:
        return told("No position was closed yet.")
    results = [line.pnl.total for line in closed]
    won = sum(1 for result in results if result > 0)
    total = sum(results, ZERO)
    time_held = sum((line.age for line in closed), timedelta())
    return told(
        f"{len(closed)} closed{' (the newest)' if len(closed) == CLOSED_COUNTED else ''}: "
        f"{won} with a gain, {won / len(closed):.0%}",
        f"Together {_gained(total)}, on average {_gained(total / len(closed))}",
        f"Best {_gained(max(results))}, worst {_gained(min(results))}",
        f"Held {held(time_held / len(closed))} on average",
        f"Net of 30 days, a year: {rate_percent(screen.summary.net_apr_30d)}",
    )


def health(speaker: Speaker) -> Answer:
    screen = _screen(speaker)
    lines = [f"Engine: {screen.engine.state}"]
    for venue in screen.venues:
        words = [str(venue.feed.health), f"data {age(venue.feed.age)} old"]
        words += [why for why in (venue.breaker, venue.halted) if why]
        lines.append(f"{venue.name}: {'; '.join(words)}")
    for channel in Channel.objects.for_user(speaker.user).active():
        lines.append(f"{channel.get_kind_display()}: {_state(channel)}")
    return told(*lines)


def _state(channel: Channel) -> str:
    if channel.is_unconfirmed:
        return "not confirmed, nothing is sent there"
    return f"failing, {channel.last_error}" if channel.failing_since else "delivering"
