"""How figures look on every screen: signs, digits, units, ages.

Takes Decimals and returns text. A missing figure is `?`, never 0. Rounding is half even, for the
eye only.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django import template

from trading.core.history import Frequency
from trading.core.money import for_display

register = template.Library()

MINUS = "\N{MINUS SIGN}"
UNKNOWN = "?"
EIGHT_HOURS_A_YEAR = 3 * 365
SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 86_400


def plain(value: Decimal, places: int) -> str:
    """Return a level: thousands separated, a sign only when it is below zero."""
    shown = for_display(value, places)
    return f"{MINUS if shown < 0 else ''}{abs(shown):,}"


def signed(value: Decimal, places: int) -> str:
    """Return a figure that always carries its sign; what rounds to zero has none."""
    shown = for_display(value, places)
    sign = "" if shown == 0 else "+" if shown > 0 else MINUS
    return f"{sign}{abs(shown):,}"


def _percent(value: Decimal, *, with_sign: bool) -> str:
    write = signed if with_sign else plain
    percent = value * 100
    if abs(round(percent)) >= 1000:
        thousands = percent / 1000
        return write(thousands, 0 if abs(round(thousands, 1)) >= 100 else 1) + "k"
    return write(percent, 0 if abs(round(percent, 1)) >= 100 else 1)


@register.filter
def rate(value: Decimal | None) -> str:
    """Return a fraction as signed percent: `+24.6`, `+180`, `+1.2k`."""
    return UNKNOWN if value is None else _percent(value, with_sign=True)


@register.filter
def spread(value: Decimal | None) -> str:
    """Return a fraction as percent that is a level: `28.4`."""
    return UNKNOWN if value is None else _percent(value, with_sign=False)


@register.filter
def rate_percent(value: Decimal | None) -> str:
    """Return `rate` with its unit: `+24.6%`."""
    return UNKNOWN if value is None else f"{rate(value)}%"


@register.filter
def spread_percent(value: Decimal | None) -> str:
    """Return `spread` with its unit: `28.4%`."""
    return UNKNOWN if value is None else f"{spread(value)}%"


@register.filter
def yearly(spread_8h: Decimal | None) -> Decimal | None:
    """Return a rate per 8 h as a simple yearly rate, for `rate` and `spread`."""
    return None if spread_8h is None else spread_8h * EIGHT_HOURS_A_YEAR


@register.filter
def raw_rate(value: Decimal | None) -> str:
    """Return the venue's own rate of one interval: `+0.0100%`."""
    return UNKNOWN if value is None else f"{signed(value * 100, 4)}%"


@register.filter
def cash(value: Decimal | None) -> str:
    """Return money gained or lost in USD: `+$39.39`, `−$15.50`."""
    if value is None:
        return UNKNOWN
    text = signed(value, 2)
    return f"{text[0]}${text[1:]}" if text[0] in f"+{MINUS}" else f"${text}"


@register.filter
def paid(value: Decimal | None) -> str:
    """Return a cost as what it did to my money: 12.40 paid is `−$12.40`."""
    return cash(None if value is None else -value)


@register.filter
def usd(value: Decimal | None) -> str:
    """Return a balance or notional: `$184,302` from ten thousand on, `$9,950.20` below."""
    if value is None:
        return UNKNOWN
    text = plain(value, 0 if abs(value) >= 10_000 else 2)
    return f"{MINUS}${text[1:]}" if text.startswith(MINUS) else f"${text}"


@register.filter
def size(value: Decimal | None) -> str:
    """Return a notional without unit: `25,000`."""
    return UNKNOWN if value is None else plain(value, 0)


@register.filter
def compact(value: Decimal | None) -> str:
    """Return a capacity in few characters: `850`, `38k`, `1.2M`."""
    if value is None:
        return UNKNOWN
    if abs(value) >= 999_500:
        return f"{plain(value / 1_000_000, 1)}M"
    return f"{plain(value / 1000, 0)}k" if abs(value) >= 1000 else plain(value, 0)


@register.filter
def share(value: Decimal | None) -> str:
    """Return a small fraction as signed percent with two decimals: `+0.03%`."""
    return UNKNOWN if value is None else f"{signed(value * 100, 2)}%"


@register.filter
def basis_points(value: Decimal | None) -> str:
    """Return a gain or loss in basis points, signed, for columns headed bp: `+46`, `−371`."""
    return UNKNOWN if value is None else signed(value * 10_000, 0)


@register.filter
def odds(frequency: Frequency | None) -> str:
    """Return how often the past did it: `21%`; `?` where it is too short to say."""
    return UNKNOWN if frequency is None else level(frequency.share)


@register.filter
def level(value: Decimal | None) -> str:
    """Return a part of a whole, which has no sign: `86%`."""
    return UNKNOWN if value is None else f"{plain(value * 100, 0)}%"


@register.filter
def bp(value: Decimal | None) -> str:
    """Return a fraction in basis points: `15.0 bp`."""
    return UNKNOWN if value is None else f"{plain(value * 10_000, 1)} bp"


@register.filter
def bp_earned(value: Decimal | None) -> str:
    """Return a gain, loss or rate in basis points, signed: `+224.0 bp`, `−3.5 bp`."""
    return UNKNOWN if value is None else f"{signed(value * 10_000, 1)} bp"


@register.filter
def at_tick(value: Decimal | None, tick: Decimal) -> str:
    """Return a price with the decimals of the venue's tick."""
    if value is None:
        return UNKNOWN
    exponent = tick.normalize().as_tuple().exponent
    return plain(value, max(0, -exponent) if isinstance(exponent, int) else 0)


@register.filter
def quantity(value: Decimal | None) -> str:
    """Return a base quantity without trailing zeros, signed only below zero."""
    if value is None:
        return UNKNOWN
    text = f"{abs(value).normalize():,f}"
    return f"{MINUS}{text}" if value < 0 else text


@register.filter
def signed_quantity(value: Decimal | None) -> str:
    """Return a base quantity that carries its side: `+1.25` long, `−1.25` short."""
    if value is None or value == 0:
        return quantity(value)
    return f"+{quantity(value)}" if value > 0 else quantity(value)


@register.filter
def tone(value: Decimal | None) -> str:
    """Return the class of a figure of my own money: `pos`, `neg` or none at zero."""
    if value is None or value == 0:
        return ""
    return "pos" if value > 0 else "neg"


@register.filter
def width(share: Decimal) -> str:
    """Return a fraction as a whole number from 0 to 100, for the bar beside its figure."""
    return str(round(min(max(share, Decimal(0)), Decimal(1)) * 100))


@register.filter
def horizon(hours: Decimal | None) -> str:
    """Return a break-even: `12 min`, `14 h`, `1.9 d`; None is `never`."""
    if hours is None:
        return "never"
    if hours < 1:
        return f"{plain(hours * 60, 0)} min"
    if hours < 24:
        return f"{plain(hours, 0)} h"
    return f"{plain(hours / 24, 1)} d"


@register.filter
def hold(hours: Decimal | int) -> str:
    """Return a chosen hold time, exact below a day: `7 d`, `90 min`."""
    exact = Decimal(hours)
    if exact < 24 and exact % 1:
        return f"{plain(exact * 60, 0)} min"
    return horizon(exact).replace(".0 d", " d")


@register.filter
def age(value: timedelta | None) -> str:
    """Return how old a fact is: `124 ms`, `1.9 s`, `34 s`, `2 min`."""
    if value is None:
        return UNKNOWN
    seconds = max(value, timedelta()) / timedelta(seconds=1)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * SECONDS_PER_HOUR:
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * SECONDS_PER_DAY:
        return f"{seconds / SECONDS_PER_HOUR:.0f} h"
    return f"{seconds / SECONDS_PER_DAY:.0f} d"


@register.filter
def held(value: timedelta | None) -> str:
    """Return how long a position has been held: `34 s`, `14 min`, `16h 05m`, `2d 06h`."""
    if value is None:
        return UNKNOWN
    seconds = max(0, int(value / timedelta(seconds=1)))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < SECONDS_PER_HOUR:
        return f"{seconds // 60} min"
    hours = seconds // SECONDS_PER_HOUR
    if hours < 24:
        return f"{hours}h {seconds % SECONDS_PER_HOUR // 60:02d}m"
    return f"{hours // 24}d {hours % 24:02d}h"


@register.filter
def interval(seconds: int | None) -> str:
    """Return a funding interval: `8h`, `4m`; `?` when no source states it."""
    if seconds is None:
        return UNKNOWN
    if seconds % SECONDS_PER_HOUR == 0:
        return f"{seconds // SECONDS_PER_HOUR}h"
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"


@register.filter
def countdown(value: timedelta | None) -> str:
    """Return the time until an instant as `HH:MM:SS`, zero once it has passed."""
    if value is None:
        return UNKNOWN
    seconds = max(0, int(value / timedelta(seconds=1)))
    hours, rest = divmod(seconds, SECONDS_PER_HOUR)
    return f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"


@register.filter
def until(at: datetime | None, now: datetime) -> str:
    """Return the countdown from `now` to `at`."""
    return "—" if at is None else countdown(at - now)


@register.filter
def clock(at: datetime | None) -> str:
    """Return the time of day in UTC: `14:23:07`."""
    return UNKNOWN if at is None else f"{at.astimezone(UTC):%H:%M:%S}"


@register.filter
def hour_minute(at: datetime | None) -> str:
    """Return the time of day in UTC for lists: `14:23`."""
    return UNKNOWN if at is None else f"{at.astimezone(UTC):%H:%M}"


@register.filter
def moment(at: datetime | None) -> str:
    """Return date and time in UTC: `20 Nov 14:23`."""
    return UNKNOWN if at is None else f"{at.astimezone(UTC):%-d %b %H:%M}"


@register.filter
def iso(at: datetime | None) -> str:
    """Return ISO 8601 with Z, for `<time datetime>` and exports."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


@register.filter
def epoch_ms(at: datetime | None) -> str:
    """Return milliseconds since 1970 for the countdowns that the browser ticks."""
    return "" if at is None else str(int(at.timestamp() * 1000))


@register.filter
def people_symbol(unified: str) -> str:
    """Return `BTC-USDT` for `BTC/USDT:USDT` and for `BTC/USDT`."""
    return unified.partition(":")[0].replace("/", "-")


@register.filter
def words(key: str) -> str:
    """Show a key as people read it: `cash_and_carry` is `cash and carry`."""
    return key.replace("_", " ")


@register.filter
def sentence(text: str) -> str:
    """End a sentence with one full stop."""
    return text if text.endswith(".") or not text else f"{text}."
