"""A running Carry seen from outside: the venues' books, our books read-only, and a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from exchanges.simulator.listings import EPISODE_ORDER
from tests.machine import RunningCarry, furnish, wait_until
from tests.rehearsal import SimulatorControl
from tests.scenarios.books import Books, Held
from tests.scenarios.person import Person
from tests.scenarios.venue_books import PERPETUALS, VenueBooks, VenueOrder

# A test waits for conditions; this is how long a busy machine may take for one of them.
PATIENCE = 120.0
CALM_RATE = "0.0001"
# How own client order ids begin: `ca`, the leg, the purpose (see exchanges/client_order_ids.py).
FIRST_LEG, SECOND_LEG = "ca0o", "ca1h"
ENDS = ("closed", "abandoned")
BROUGHT_BY = Decimal("0.0005")


class Desk:
    """One Carry with everything an outside observer needs."""

    def __init__(self, carry: RunningCarry, simulator: SimulatorControl) -> None:
        self.carry = carry
        self.simulator = simulator
        self.venues = VenueBooks(simulator)
        self.books = Books(carry.var / "carry.sqlite3")
        login = re.search(r"Sign in as (\S+) with password (\S+)", carry.output)
        assert login is not None, carry.output
        self.person = Person(carry.url, login[1], login[2])

    def rates(self, base: str, **rate_of: str) -> None:
        """Pin the funding rate of `base` by venue."""
        for venue, rate in rate_of.items():
            self.simulator.pin(venue, base, funding_rate=rate)

    def faults_struck(self) -> int:
        """Return how many requests were disturbed by the faults in force."""
        rules = self.simulator.control("GET", "/faults")["faults"]
        return sum(rule["fired"] for rule in rules)

    def open(self, base: str, **ticket: str) -> UUID:
        """Open by hand, long at Binance and short at Bybit unless the ticket says otherwise."""
        venues = {"long": "binanceusdm", "short": "bybit"}
        return self.person.open_position(base, **{**venues, **ticket})

    def entered(self, position_id: UUID) -> Held:
        """Bring a frozen market to the first leg's order, and wait for the end of the entry."""
        self.bring_market_to(position_id)
        return self.wait_for(position_id, "open", *ENDS)

    def bring_market_to(self, position_id: UUID) -> None:
        """Move a frozen price to where the first leg's order rests."""
        order = self.order(position_id, FIRST_LEG)
        if order.is_open and order.price is not None:
            towards = 1 - BROUGHT_BY if order.side == "buy" else 1 + BROUGHT_BY
            base = self.books.position(position_id).base
            self.simulator.pin(order.venue, base, price=str(order.price * towards))

    def order(self, position_id: UUID, prefix: str) -> VenueOrder:
        """Wait for the order of a position whose client order id begins so, at its venue."""
        found: list[VenueOrder] = []

        def has_arrived() -> bool:
            found[:] = [
                order
                for order in self.venues.orders()
                if order.position_id == position_id and order.client_order_id.startswith(prefix)
            ]
            return bool(found)

        try:
            wait_until(has_arrived, timeout=PATIENCE, what=f"order {prefix} is at its venue")
        except AssertionError as late:
            pytest.fail(f"{late}\n{self.books.story(position_id)}")
        return found[0]

    def awaits_answer(self, position_id: UUID, prefix: str) -> bool:
        """Tell whether an intent whose id begins so was sent and its answer is not written down.

        Its state may have moved all the same: a reconciliation reads the venue's open orders.
        """
        return any(
            intent.sent_at is not None and intent.answered_at is None
            for intent in self.books.intents()
            if intent.position_id == position_id and intent.client_order_id.startswith(prefix)
        )

    def wait_for(self, position_id: UUID, *states: str) -> Held:
        """Wait until a position is in one of `states`; fail with its journal."""
        try:
            wait_until(
                lambda: self.books.position(position_id).state in states,
                timeout=PATIENCE,
                what=f"the position is {' or '.join(states)}",
            )
        except AssertionError as late:
            pytest.fail(f"{late}\n{self.books.story(position_id)}")
        return self.books.position(position_id)

    def close(self, position_id: UUID) -> Held:
        """Close by hand what is still open."""
        if self.books.position(position_id).state not in ENDS:
            self.person.close(position_id)
        return self.wait_for(position_id, *ENDS)

    def assert_hedged_or_flat(self, base: str) -> None:
        """Hold the venues' own positions to each other: equal and opposite, or none."""
        held = self.venues.held(base)
        assert sum(held.values()) == 0, held
        assert not any(order.is_open for order in self.venues.orders(base))

    def assert_one_order_per_intent(self) -> None:
        """I1 and I2: written down before it was sent, sent once, and nothing that is not ours."""
        intents = {intent.client_order_id: intent for intent in self.books.intents()}
        for order in self.venues.orders():
            intent = intents[order.client_order_id]
            assert intent.sent_at is not None
            assert intent.created_at <= intent.sent_at <= order.created_at
        ids = [order.client_order_id for order in self.venues.orders()]
        assert len(ids) == len(set(ids))
        assert [cid for cid, times in self.venues.create_requests().items() if times > 1] == []

    def assert_books_agree(self) -> None:
        """Every fill, fee and payment of every account is in both books, to the last digit."""
        wait_until(
            lambda: (
                len(self.books.fills()) == len(self.venues.fills())
                and len(self.books.payments()) == len(self.venues.payments())
            ),
            timeout=PATIENCE,
            what="all fills and payments are booked",
        )
        assert_same(self.books.fills(), self.venues.fills())
        assert_same(self.books.payments(), self.venues.payments())


def assert_same(ours: Sequence[tuple[object, ...]], theirs: Sequence[tuple[object, ...]]) -> None:
    only_ours, only_theirs = set(ours) - set(theirs), set(theirs) - set(ours)
    assert not only_ours, f"only in our books: {only_ours}; only in theirs: {only_theirs}"
    assert ours == theirs, f"only in the venues' books: {only_theirs}"


@contextmanager
def running_desk(
    var: Path, *without: str, simulator_options: str, calm: bool, **environment: str
) -> Iterator[Desk]:
    """Start a Carry; at `calm` venues all rates are alike and prices stand still until brought.

    Nothing is opened by itself there, and every first leg rests until a test wants it filled.
    """
    carry = RunningCarry(
        furnish(var), *without, CARRY_SIMULATOR_OPTIONS=simulator_options, **environment
    )
    try:
        wait_until((var / "run.json").exists, timeout=PATIENCE, what="Carry says where it runs")
        simulator = SimulatorControl(urlsplit(carry.facts["control_url"]).port or 0)
        wait_until(simulator.is_up, timeout=PATIENCE, what="the simulator answers")
        # Before anything scans: the market's own episodes are too large for short intervals.
        for base in EPISODE_ORDER if calm else ():
            for venue in PERPETUALS:
                simulator.pin(venue, base, funding_rate=CALM_RATE, freeze=True)
        with carry:
            yield Desk(carry, simulator)
    finally:
        carry.stop()
