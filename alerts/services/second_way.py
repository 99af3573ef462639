"""Whether a person is still told when one of their channels fails."""

from __future__ import annotations

from alerts.models import Channel
from alerts.rules import DOWN_AFTER_FAILURES
from arbsite.accounts.models import User

ON_PAGES = "a CRITICAL reaches you on these pages only."


def working_channels(user: User) -> list[Channel]:
    """Return the channels that something is sent to and that have not failed several times now."""
    in_use = Channel.objects.for_user(user).in_use()
    return list(in_use.exclude(failing_since__isnull=False, failures__gte=DOWN_AFTER_FAILURES))


def missing_second_way(user: User) -> str:
    """Return what follows from having no second channel that works, empty with one.

    Channels that fail together, as two chats do, are one way. Who has no channel is told elsewhere.
    """
    channels = Channel.objects.for_user(user).active()
    working = working_channels(user)
    ways = {one.address if one.kind == Channel.Kind.WEBHOOK else one.kind for one in working}
    if len(ways) > 1 or not channels.exists():
        return ""
    helps = channels.unconfirmed().exists() and Channel.Kind.EMAIL not in ways
    step = "Confirm your mailbox" if helps else "Add one of another kind"
    if not working:
        return f"None of your channels works: {ON_PAGES} {step} below."
    kind = working[0].get_kind_display()
    return f"No second channel works: when {kind} fails, {ON_PAGES} {step} below."
