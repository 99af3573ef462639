"""Where Kraken's houses announce maintenance, and which of it stops trading here."""

from __future__ import annotations

from exchanges.venues.profile import StatusCall
from exchanges.venues.rows import Rows

# "Maintenance", "cancel only", "post only": the mode of now. The sockets alone stop nothing: what
# they do not tell is read.
LIVE = frozenset({"maintenance", "cancel_only", "post_only", "scheduled"})


def status_of(house: str) -> StatusCall:
    """Return the call of one house, whose services the list names `spot_…` or `futures_…`."""
    return StatusCall(
        call=Rows(
            method="status_rows",
            columns={
                "key": "key",
                "state": "status",
                "title": "title",
                "start": "start",
                "end": "end",
            },
        ),
        live=LIVE,
        concerns={
            "services": frozenset({f"{house}_trading", f"{house}_rest", "all", "unspecified"})
        },
        forgets_begun=True,
    )
