"""A breaker that orders have opened: a read lets one entry in, and orders close it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from arbsite.accounts.models import User
from exchanges.models import Exchange
from exchanges.modes import Mode
from exchanges.outcomes import Asked, Outcome, Outcomes
from tests.services.test_breaker import LATE, NOW, Probed, settle_orders, state, told
from tests.services.test_submit import ScriptedVenue, intend, position, report, send
from tests.web.rows import make_entering
from trading.core.states import OrderState
from trading.models import Position
from trading.services.breaker import settle_health
from trading.services.contact import Contact
from trading.services.order_trial import claim_trials
from trading.services.standing import standing_of
from trading.services.view import load

__all__ = ["position"]
pytestmark = [pytest.mark.db, pytest.mark.django_db]


def half_open(position: Position, seconds: int = 10) -> Exchange:
    """Let five orders fail and a read be answered after; return the venue."""
    settle_orders(*[LATE] * 5)
    assert Probed(NOW).at(seconds) == 0
    return position.legs.get().account.exchange


def test_an_answered_read_lets_one_entry_in_where_orders_failed_and_no_second_one(
    position: Position, owner: User, teammate: User
) -> None:
    bybit, other = half_open(position), make_entering(teammate, NOW)
    assert state() == "half_open"
    assert standing_of(owner, NOW).refuse_venues(["bybit"]) is None

    assert claim_trials(position, [bybit], NOW) == ""
    refused = claim_trials(other, [bybit], NOW)

    assert refused.endswith("opened there; one entry is tried now, closing and look-ups go on.")
    refusal = standing_of(owner, NOW).refuse_venues(["bybit"])
    assert refusal is not None
    assert (refusal.code, refusal.sentence) == ("breaker_open", refused)
    assert [kind for kind, _ in told(owner)] == ["breaker.opened"]


def test_half_open_licenses_what_the_trial_opens_and_nothing_else(position: Position) -> None:
    bybit, venue = half_open(position), ScriptedVenue(report())
    first, second = intend(position), intend(position)

    assert send(first, position, venue) == OrderState.PLANNED
    assert load(position, contact=Contact(), now=NOW).view.barred
    claim_trials(position, [bybit], NOW)

    assert load(position, contact=Contact(), now=NOW).view.barred == ""
    assert send(second, position, venue) == OrderState.FILLED


def test_each_trial_that_fails_doubles_the_wait_for_the_next_and_tells_nobody(
    position: Position, owner: User
) -> None:
    bybit, at = half_open(position), 10
    waits = []

    for wait in (20, 40, 80, 160, 320, 320):
        assert claim_trials(position, [bybit], NOW) == ""
        settle_orders(LATE, now=NOW + timedelta(seconds=at))
        assert state() == "open"
        probed = Probed(NOW, NOW)
        probed.at(at + wait - 1)
        waits.append(state())
        probed.at(at + wait)
        waits.append(state())
        at += wait

    assert waits == ["open", "half_open"] * 6
    assert [kind for kind, _ in told(owner)] == ["breaker.opened"]


def test_any_order_that_is_answered_closes_it_for_all_and_no_cancel_does(
    position: Position, owner: User
) -> None:
    """An exit is sent whatever a breaker says; a cancel tells nothing of who takes orders."""
    settle_orders(*[LATE] * 5)
    cancelled = Outcomes()
    cancelled.note(Outcome(venue="bybit", mode=Mode.REHEARSAL, asked=Asked.CANCEL))
    settle_health(outcomes=cancelled, now=NOW)
    assert state() == "open"

    settle_orders("", now=NOW + timedelta(seconds=7))

    assert state() == "closed"
    assert told(owner)[-1] == (
        "breaker.closed",
        "Bybit takes orders again after 7 s: entries there are possible.",
    )
    # Both counts begin at nothing.
    assert (settle_orders(*[LATE] * 4), state()) == (0, "closed")


def test_an_entry_that_was_let_in_and_never_sent_gives_its_place_to_another(
    position: Position, teammate: User
) -> None:
    bybit, other = half_open(position), make_entering(teammate, NOW)
    claim_trials(position, [bybit], NOW)

    Probed().at(59)
    assert claim_trials(other, [bybit], NOW) != ""
    Probed().at(60)

    assert claim_trials(other, [bybit], NOW) == ""
