from __future__ import annotations

from dataclasses import replace

import pytest

from exchanges import registry
from exchanges.registry import AccountKey
from tests.protocol.conftest import Desk, OpenDesk, Simulator, run

pytestmark = pytest.mark.protocol


def seen_since(simulator: Simulator, venue: str, after: int) -> list[str]:
    """Return what a venue was asked since then, the pings of warm connections left out.

    What earlier tests left warm at other venues is read anew now and then.
    """
    return [
        f"{entry['method']} {entry['path']}"
        for entry in simulator.requests_after(after)
        # Hyperliquid is asked for its time as for all else.
        if entry["venue"] == venue
        and "time" not in entry["path"].lower()
        and entry["path"] != "/info"
    ]


def test_warm_client_sends_nothing_but_the_order(simulator: Simulator, desk: Desk) -> None:
    registry.warm_up([desk.key])
    request = desk.resting()
    before = simulator.last_request()

    run(desk.trading.submit(request))

    seen = seen_since(simulator, desk.venue, before)
    assert len(seen) == 1, seen
    [only] = seen
    assert only.startswith("POST")
    # Hyperliquid and Deribit name what is called in the body.
    assert "order" in only.lower() or only in ("POST /exchange", "POST /api/v2")


def test_account_with_a_wrong_key_does_not_keep_others_cold(
    simulator: Simulator, open_desk: OpenDesk
) -> None:
    good = open_desk("bybit")
    bad: AccountKey = replace(good.key, credential_id="bad", secret="another")

    registry.warm_up([bad, good.key])

    assert run(good.trading.submit(good.resting())).venue_order_id
