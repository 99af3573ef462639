"""Deribit's orders through the real adapter: what only it has.

Payloads are written after docs.deribit.com: nobody here has asked the venue. The rest is asked of
the simulated venue.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import ccxt
import pytest

from exchanges.ccxt_adapter.calls.deribit_requests import call_text, signature
from exchanges.domain import Side, TimeInForce, VenueOrderStatus
from exchanges.errors import (
    InsufficientMargin,
    OrderNotFound,
    OrderOutcomeUnknown,
    PostOnlyWouldTake,
    SettingRefused,
    VenueUnavailable,
)
from exchanges.simulator.listings import DERIBIT
from tests.protocol.deribit_desk import NAME, ROOT, SYMBOL, Desk, answered, order, refused
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded
from tests.protocol.venue_desk import OWN, D
from tests.simulator.nearby import call

pytestmark = pytest.mark.protocol


@pytest.fixture
def desk(tmp_path: Path) -> Generator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    call(opened.client.close())


# --- Signing ------------------------------------------------------------------------------------


def test_what_changes_something_is_posted_signed_as_it_is_written_and_ends_in_five_seconds(
    desk: Desk,
) -> None:
    """A GET would be sent again by the connection library, and a label is never unique there."""
    desk.submit(price=D(59_000))
    call(desk.trading.cancel(OWN, SYMBOL))

    placed, cancelled = [one for one in desk.far.came if one.method == "POST"]
    said = placed.headers["authorization"]
    parts = dict(part.split("=") for part in said.removeprefix("deri-hmac-sha256 ").split(","))
    body = placed.body.decode()
    text = f"{parts['ts']}\n{parts['nonce']}\nPOST\n{ROOT}\n{body}\n"
    assert parts["sig"] == signature(desk.owner.secret, text)
    assert (placed.path, placed.query) == (ROOT, "")
    assert placed.json["method"] == "private/buy"
    assert placed.json["params"] == {
        "instrument_name": NAME,
        "amount": 0.01,
        "type": "limit",
        "label": OWN,
        "reduce_only": False,
        "time_in_force": "good_til_cancelled",
        "valid_until": int(desk.world.at.timestamp() * 1000) + 5_000,
        "price": 59_000,
    }
    assert cancelled.json["params"] == {"label": OWN, "currency": "USDC"}


def test_numbers_are_written_with_every_digit_and_no_exponent() -> None:
    told = call_text("private/sell", {"amount": D("0.00010"), "price": D("1E+2"), "label": 'a"b'})

    assert told.endswith('"params":{"amount":0.0001,"price":100,"label":"a\\"b"}}')


def test_a_lost_order_is_sent_once_over_a_connection_that_breaks(desk: Desk) -> None:
    call(desk.client.ready())
    desk.world.venues.faults.add({"action": "accept_then_reset", "method": "POST"})

    with pytest.raises(OrderOutcomeUnknown):
        desk.submit()

    assert len(desk.far.posted) == 1
    assert desk.find().status is VenueOrderStatus.FILLED


# --- Placing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "kind", "force", "flags"),
    [
        # It takes immediate-or-cancel of limits alone; the rest of a market order would rest.
        ({}, "limit", "immediate_or_cancel", None),
        (
            {"price": D(61_000), "time_in_force": TimeInForce.IOC},
            "limit",
            "immediate_or_cancel",
            None,
        ),
        (
            {"price": D(59_000), "time_in_force": TimeInForce.POST_ONLY},
            "limit",
            "good_til_cancelled",
            True,
        ),
    ],
)
def test_each_form_of_an_order_has_its_name(
    desk: Desk, terms: dict[str, Any], kind: str, force: str, flags: bool | None
) -> None:
    desk.submit(**terms)

    [sent] = desk.far.posted
    asked = sent["params"]
    assert (asked["type"], asked["time_in_force"]) == (kind, force)
    assert asked.get("post_only") is asked.get("reject_post_only") is flags


@pytest.mark.parametrize("side", list(Side))
def test_a_market_order_goes_a_hundredth_beyond_the_touch_and_never_rests(
    desk: Desk, side: Side
) -> None:
    """Within a hundredth there are fewer coins than are asked for."""
    desk.world.pin(DERIBIT, level_quantity="0.01")
    listing = desk.world.listing(DERIBIT)
    book = desk.world.simulator.book(listing, desk.world.at)
    levels = book.asks if side is Side.BUY else book.bids
    worst = levels[0].price * (1 + D("0.01") * side.sign)
    within = [level for level in levels if (worst - level.price) * side.sign >= 0]
    there = sum((level.base_quantity for level in within), D(0))

    placed = desk.submit(side=side, base_quantity=there + D("0.001"))

    [sent] = desk.far.posted
    assert abs(D(str(sent["params"]["price"])) - worst) <= listing.tick
    assert (placed.status, placed.filled_base_quantity) == (VenueOrderStatus.CANCELED, there)
    assert call(desk.trading.open_orders(SYMBOL)) == []


def test_the_simulated_venue_refuses_a_market_order_that_is_to_end_at_once(desk: Desk) -> None:
    call(desk.client.ready())
    asked = {"instrument_name": NAME, "amount": D("0.01"), "type": "market", "label": OWN}

    with pytest.raises(ccxt.ExchangeError, match="time_in_force"):
        call(desk.client.exchange._post("buy", **asked, time_in_force="immediate_or_cancel"))

    assert not desk.world.simulator.ledger.orders


def test_a_market_order_without_a_price_to_go_to_is_not_sent(desk: Desk) -> None:
    far = desk.hear({"/get_order_book": answered({"bids": [], "asks": []}), ROOT: answered({})})

    with pytest.raises(VenueUnavailable):
        desk.submit()

    assert [one.method for one in far.asked] == ["GET"]


def test_a_post_only_order_that_would_take_is_refused_as_such(desk: Desk) -> None:
    with pytest.raises(PostOnlyWouldTake):
        desk.submit(price=D(60_500), time_in_force=TimeInForce.POST_ONLY)

    assert not desk.world.simulator.ledger.orders


def test_an_order_that_comes_too_late_is_not_placed_and_is_looked_up(desk: Desk) -> None:
    """`timed_out` may also say that the venue did not answer itself: it proves nothing."""
    call(desk.client.ready())
    # Ours is six seconds behind.
    desk.client.exchange.options["timeDifference"] = 6_000

    with pytest.raises(OrderOutcomeUnknown, match="timed_out"):
        desk.submit()

    assert not desk.world.simulator.ledger.orders
    with pytest.raises(OrderNotFound):
        desk.find()


@pytest.mark.parametrize(
    "answer",
    [
        answered({"trades": []}),
        answered({"order": order(order_id=None), "trades": []}),
        answered({"order": order(order_state="something new"), "trades": []}),
        answered({"order": [], "trades": []}),
        answered(None),
        *(refused(code, "some words") for code in (10040, 10041, 10047, 11094, 13028, 13888)),
        refused(-32602, "Invalid params", "must be a number"),
        refused(99_999, "a code that nobody knows"),
        {"jsonrpc": "2.0", "error": "words"},
    ],
)
def test_an_answer_that_proves_nothing_leaves_the_order_unknown(desk: Desk, answer: Any) -> None:
    far = desk.hear({ROOT: answer})

    with pytest.raises(OrderOutcomeUnknown):
        desk.submit(price=D(59_000))

    assert len(far.asked) == 1


def test_a_refusal_is_told_with_its_reason(desk: Desk) -> None:
    desk.hear({ROOT: refused(10009, "not_enough_funds", "margin of the account")})

    with pytest.raises(InsufficientMargin, match="not_enough_funds: margin of the account"):
        desk.submit(price=D(59_000))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"direction": "sell"}, "another side"),
        ({"amount": 0.1}, "another quantity"),
        ({"label": "another"}, "another client order id"),
        ({"instrument_name": "ETH_USDC-PERPETUAL"}, "another symbol"),
        ({"reduce_only": True}, "another reduce-only"),
    ],
)
def test_an_answer_is_held_to_what_was_sent(desk: Desk, change: Any, what: str) -> None:
    desk.hear({ROOT: answered({"order": order(**change), "trades": []})})

    with pytest.raises(OrderOutcomeUnknown, match=what):
        desk.submit(price=D(59_000))


@pytest.mark.skipif(not ADAPTERS.exists(), reason="the recorded payloads are not here")
def test_a_recorded_answer_is_understood(desk: Desk) -> None:
    told = recorded("deribit/ws_order_buy_response.json")["result"]["order"]
    ours = {"label": OWN, "instrument_name": NAME, "amount": 0.01, "price": 59_000}
    desk.hear({ROOT: answered({"order": told | ours, "trades": []})})

    placed = desk.submit(price=D(59_000), time_in_force=TimeInForce.POST_ONLY)

    assert placed.status is VenueOrderStatus.OPEN
    assert (placed.venue_order_id, placed.filled_base_quantity) == ("USDC-104819327443", 0)


# --- Cancelling and settings ----------------------------------------------------------------------


def test_a_cancel_that_cancels_nothing_finds_nothing(desk: Desk) -> None:
    with pytest.raises(OrderNotFound):
        call(desk.trading.cancel(OWN, SYMBOL))


def test_nothing_is_set_and_a_leverage_beyond_what_is_offered_is_refused(desk: Desk) -> None:
    call(desk.trading.prepare(SYMBOL, leverage=D("49.5")))

    assert desk.far.posted == []
    with pytest.raises(SettingRefused, match="up to 50, not 51"):
        call(desk.trading.prepare(SYMBOL, leverage=D(51)))


@pytest.mark.parametrize("model", ["segregated_pm", "cross_pm", "a new one"])
def test_an_account_without_standard_margin_opens_nothing(desk: Desk, model: str) -> None:
    desk.hear({"/get_account_summary": answered({"margin_model": model})})

    with pytest.raises(SettingRefused, match="portfolio margin"):
        call(desk.trading.prepare(SYMBOL, leverage=D(1)))
