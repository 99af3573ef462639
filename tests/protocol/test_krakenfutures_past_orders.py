"""What Kraken Futures' history and fills tell of an order that it shows no more."""

from __future__ import annotations

from typing import Any

import pytest

from exchanges.ccxt_adapter.calls import kraken_futures_orders as orders
from tests.protocol.krakenfutures_desk import NUMBER, PF
from tests.protocol.venue_desk import OWN, D

pytestmark = pytest.mark.protocol


PLACED_AT = 1_767_614_400_000


def past_order(**changes: Any) -> dict[str, Any]:
    return {
        "uid": NUMBER,
        "tradeable": PF,
        "direction": "Buy",
        "quantity": "0.02",
        "filled": "0",
        "timestamp": PLACED_AT,
        "orderType": "Limit",
        "clientId": OWN,
        "reduceOnly": False,
        **changes,
    }


def a_fill(size: str, **changes: Any) -> dict[str, Any]:
    return {"fill_id": size, "order_id": NUMBER, "side": "buy", "size": size, "price": "100"} | (
        changes
    )


@pytest.mark.parametrize(
    ("events", "fills", "status", "filled"),
    [
        ([("OrderPlaced", past_order())], [], "open", "0"),
        ([("OrderPlaced", past_order())], [a_fill("0.01")], "open", "0.01"),
        ([("OrderPlaced", past_order())], [a_fill("0.01"), a_fill("0.010")], "closed", "0.02"),
        ([("OrderPlaced", past_order(orderType="IoC"))], [a_fill("0.01")], "canceled", "0.01"),
        # Recorded so: nothing is left of it.
        (
            [("OrderPlaced", past_order(orderType="IoC", quantity="0", filled="0.02"))],
            [],
            "closed",
            "0.02",
        ),
        ([("OrderCancelled", past_order(quantity="0.01", filled="0.01"))], [], "canceled", "0.01"),
        ([("OrderRejected", past_order())], [], "canceled", "0"),
        # Of one millisecond, in whatever order.
        (
            [
                ("OrderPlaced", past_order()),
                ("OrderCancelled", past_order(quantity="0.01", filled="0.01")),
            ],
            [],
            "canceled",
            "0.01",
        ),
        ([], [a_fill("0.01", cliOrdId=OWN)], "open", "0.01"),
    ],
    ids=[
        *("placed and no more", "filled in part", "filled", "immediate", "at once", "cancelled"),
        *("rejected", "of one moment", "of fills alone"),
    ],
)
def test_the_past_ends_an_order_only_where_its_end_is_told(
    events: list[tuple[str, Any]], fills: list[Any], status: str, filled: str
) -> None:
    row = orders.past(OWN, PF, events, fills, now=PLACED_AT + 31_000)

    assert row is not None
    assert (row["order_id"], row["side"]) == (NUMBER, "buy")
    assert row["quantity"] == (D("0.02") if events else None)
    assert (row["status"], row["filled"]) == (status, D(filled))


def test_what_happened_to_others_is_no_past_of_ours() -> None:
    elements: list[dict[str, Any]] = [
        {"event": {"OrderNotFound": {"orderId": "Uuid(uuid=2ceb1d31)"}}},
        {"event": {"OrderPlaced": {"order": past_order(clientId="somebody's")}}},
        {"event": {"OrderUpdated": {"newOrder": past_order(), "oldOrder": past_order()}}},
    ]

    assert [kind for kind, _ in orders.events_of(OWN, elements)] == ["OrderUpdated"]
    assert orders.past(OWN, PF, [], [a_fill("1", cliOrdId="other")], now=PLACED_AT) is None


@pytest.mark.parametrize(("after", "status"), [(6_000, "open"), (31_000, "canceled")])
def test_an_order_that_never_rests_has_ended_once_its_fills_would_be_listed(
    after: int, status: str
) -> None:
    events = [("OrderPlaced", past_order(orderType="IoC"))]

    row = orders.past(OWN, PF, events, [], now=PLACED_AT + after)

    assert row is not None
    assert (row["status"], row["filled"]) == (status, 0)


def test_an_order_that_was_written_down_with_what_it_filled_has_ended_at_once() -> None:
    events = [("OrderPlaced", past_order(orderType="IoC", quantity="0.01", filled="0.01"))]

    row = orders.past(OWN, PF, events, [], now=PLACED_AT)

    assert row is not None
    assert (row["status"], row["quantity"], row["filled"]) == ("canceled", D("0.02"), D("0.01"))
