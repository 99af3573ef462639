"""What a comparison of an account asks its venue for: it comes every few seconds."""

from __future__ import annotations

import pytest

from arbsite.accounts.models import User
from tests.services import test_silent_venues
from tests.services.test_silent_venues import City
from tests.web.rows import make_account, make_exchange, make_instrument, make_position
from trading.models import Order

pytestmark = [pytest.mark.db, pytest.mark.django_db]

city = test_silent_venues.city


@pytest.mark.parametrize("is_final", [True, False])
def test_working_orders_are_read_only_while_one_of_ours_may_be_at_work(
    city: City, owner: User, is_final: bool
) -> None:
    """Their list weighs 20 at Hyperliquid, where an address regains 6 a second."""
    now = city.timeline.at
    exchange = make_exchange("hyperliquid", "HYP", "Hyperliquid")
    make_account(owner, exchange, now)
    long, short = (make_instrument(exchange, base, now) for base in ("BTC", "ETH"))
    make_position(owner, long, short, now)
    assert Order.objects.update(is_final_at_venue=is_final) > 0

    city.reconcile()

    asked = [question for _, question, _ in city.asked]
    assert "positions" in asked
    assert ("open_orders" in asked) is not is_final
