"""What every page says of the ways out: a channel that does not deliver."""

from __future__ import annotations

from django import template

from alerts.models import Channel
from alerts.rules import DOWN_AFTER_FAILURES
from arbsite.accounts.models import User

register = template.Library()


@register.filter
def silent_channels(user: User) -> list[Channel]:
    """Return the user's channels that failed three times in a row and have not delivered since."""
    own = Channel.objects.for_user(user).active()
    return list(own.filter(failures__gte=DOWN_AFTER_FAILURES, failing_since__isnull=False))
