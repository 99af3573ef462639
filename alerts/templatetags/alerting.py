"""What every page says of the ways out: a channel that does not deliver."""

from __future__ import annotations

from django import template

from alerts.models import Channel
from alerts.rules import DOWN_AFTER_FAILURES
from alerts.services.second_way import working_channels
from arbsite.accounts.models import User

register = template.Library()


@register.filter
def silent_channels(user: User) -> list[Channel]:
    """Return the user's channels that failed three times in a row and have not delivered since."""
    own = Channel.objects.for_user(user).in_use()
    return list(own.filter(failures__gte=DOWN_AFTER_FAILURES, failing_since__isnull=False))


@register.filter
def kinds_that_work(user: User) -> str:
    """Return by what the user is told meanwhile, as `E-mail, Webhook`; empty with nothing."""
    return ", ".join(sorted({one.get_kind_display() for one in working_channels(user)}))
