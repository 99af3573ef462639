"""What each person wants to hear, as the rules take it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from alerts.models import Preferences
from alerts.rules import Severity, Wishes
from arbsite.accounts.models import User


def preferences_of(user: User) -> Preferences:
    """Return a person's preferences, made with their defaults at first use.

    The day they are made on is not reported: nobody has asked for anything yet.
    """
    today = timezone.localdate(timezone=ZoneInfo(user.time_zone)).isoformat()
    preferences, _ = Preferences.objects.get_or_create(user=user, defaults={"reported_on": today})
    return preferences


def one_at_a_time(user: User) -> None:
    """Lock what is told to a person until the transaction ends.

    Of two workers with two events that say the same, the second finds the first one's alert.
    """
    preferences_of(user)
    # Evaluated for its lock.
    Preferences.objects.select_for_update().get(user=user)


def wishes_of(user: User) -> Wishes:
    """Return the same as the rules take it."""
    own = preferences_of(user)
    return Wishes(
        least=Severity(own.least),
        quiet_from=own.quiet_from,
        quiet_until=own.quiet_until,
        time_zone=user.time_zone,
        muted_until=own.muted_until,
        repeat_every=timedelta(minutes=own.repeat_minutes),
    )


def mute(user: User, *, until: datetime | None) -> None:
    """Send nothing but CRITICAL until then; None ends it."""
    preferences_of(user)
    Preferences.objects.filter(user=user).update(muted_until=until)
