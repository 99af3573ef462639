"""What reaches a venue, by its access log, when it wants silence or our limits are used up."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exchanges import registry
from exchanges.domain import OrderRequest
from exchanges.errors import OrderNotFound, RateLimited, VenueUnavailable
from exchanges.limits.lanes import Lane, asking
from tests.protocol.conftest import VENUES, Desk, OpenDesk, Simulator, poll, refill, run
from tests.rehearsal import RunningRedis

pytestmark = pytest.mark.protocol

POLL_PATHS = {
    "binance": "/api/v3/ticker/bookTicker",
    "binanceusdm": "/fapi/v1/ticker/bookTicker",
    "bybit": "/v5/market/tickers",
    "okx": "/api/v5/market/tickers",
    "hyperliquid": "/info",
    "bitget": "/api/v2/mix/market/tickers",
    "kraken": "/0/public/Ticker",
    "gate": "/api/v4/futures/usdt/tickers",
    "krakenfutures": "/derivatives/api/v3/tickers",
    "kucoin": "/api/v1/allTickers",
    "deribit": "/api/v2/public/get_book_summary_by_currency",
}


def seen(simulator: Simulator, venue: str, *, after: int) -> list[dict[str, Any]]:
    return [entry for entry in simulator.requests_after(after) if entry["venue"] == venue]


def submit(desk: Desk, request: OrderRequest, lane: Lane, *, within: float = 0.05) -> None:
    """Send as `trading.services.submit` does: in a lane, for a while, once."""

    async def send() -> None:
        with asking(lane, within=within):
            await desk.trading.submit(request)

    run(send())


@pytest.fixture(params=VENUES)
def desks(
    request: pytest.FixtureRequest, open_desk: OpenDesk, shared_limits: RunningRedis
) -> tuple[Desk, Desk]:
    """Two accounts of two people at one venue, warm, with all that it allows ahead of them."""
    pair = open_desk(request.param), open_desk(request.param)
    for desk in pair:
        run(desk.trading.open_orders(desk.symbol))
    refill(shared_limits)
    return pair


def every_kind_of_request(desk: Desk, price: Decimal) -> list[Callable[[], object]]:
    request = desk.order(price=price)
    return [
        lambda: submit(desk, request, Lane.CLOSE),
        lambda: run(desk.trading.find_order(request.client_order_id, desk.symbol)),
        lambda: run(desk.account.balances()),
        lambda: run(desk.trading.open_orders(desk.symbol)),
        lambda: run(poll(desk.market)),
    ]


@pytest.mark.parametrize(
    ("desks", "action"),
    [
        ("binance", "rate_limit"),
        ("binanceusdm", "rate_limit"),
        # Bybit's pauses are a key's own; it blocks an address altogether.
        *((venue, "ban") for venue in VENUES),
    ],
    indirect=["desks"],
)
def test_nothing_reaches_a_venue_that_wants_silence_until_the_silence_ends(
    undisturbed: Simulator, desks: tuple[Desk, Desk], shared_limits: RunningRedis, action: str
) -> None:
    """The address is meant: other accounts, look-ups, polls and closing orders are silent too."""
    (desk, _), seconds = desks, 2
    last = desk.resting()
    assert last.price is not None
    requests = [call for each in desks for call in every_kind_of_request(each, last.price)]
    refill(shared_limits)
    undisturbed.disturb(action, path=POLL_PATHS[desk.venue], retry_after=seconds, venue=desk.venue)
    asked_at = time.monotonic()
    # Of several lists only the first is refused; the others wait no longer than this.
    with asking(Lane.POLL, within=0.05), pytest.raises(RateLimited):
        run(poll(desk.market))
    last_seen = undisturbed.last_request()

    for send in requests:
        with asking(Lane.POLL, within=0.05), pytest.raises(RateLimited, match="nothing was sent"):
            send()

    assert seen(undisturbed, desk.venue, after=last_seen) == []
    with asking(Lane.CLOSE, within=seconds + 1.0):
        run(desk.trading.submit(last))
    assert time.monotonic() - asked_at >= seconds - 0.1
    assert len(seen(undisturbed, desk.venue, after=last_seen)) == 1


@pytest.mark.parametrize("desks", VENUES, indirect=True)
def test_a_venue_that_is_down_and_says_for_how_long_is_left_alone_so_long(
    undisturbed: Simulator, desks: tuple[Desk, Desk]
) -> None:
    desk, _ = desks
    undisturbed.disturb(
        "server_error",
        path=POLL_PATHS[desk.venue],
        status=503,
        headers={"Retry-After": "2"},
        venue=desk.venue,
    )
    asked_at = time.monotonic()
    with asking(Lane.POLL, within=0.05), pytest.raises(VenueUnavailable):
        run(poll(desk.market))
    last_seen = undisturbed.last_request()

    with asking(Lane.POLL, within=0.05), pytest.raises(RateLimited, match="wants no request"):
        run(poll(desk.market))

    assert POLL_PATHS[desk.venue] not in [
        one["path"] for one in seen(undisturbed, desk.venue, after=last_seen)
    ]
    with asking(Lane.POLL, within=3.0):
        run(poll(desk.market))
    assert time.monotonic() - asked_at >= 1.9


@pytest.mark.parametrize(("venue", "seconds"), [("bybit", 1.5), ("gate", 2.0), ("kucoin", 1.5)])
def test_a_pause_lasts_as_long_as_the_venues_own_header_says(
    undisturbed: Simulator, open_desk: OpenDesk, venue: str, seconds: float
) -> None:
    """Five seconds is what Carry takes where a venue says nothing."""
    desk = open_desk(venue)
    first, second = desk.resting(), desk.resting()
    run(desk.trading.open_orders(desk.symbol))
    undisturbed.disturb(
        "rate_limit", client_order_id=first.client_order_id, venue=venue, retry_after=seconds
    )
    asked_at = time.monotonic()
    with pytest.raises(RateLimited):
        submit(desk, first, Lane.CLOSE)
    refused_at = time.monotonic()

    with asking(Lane.CLOSE, within=4.0):
        run(desk.trading.submit(second))

    assert time.monotonic() - asked_at >= seconds - 0.1
    assert time.monotonic() - refused_at <= seconds + 1.5


# What each venue says to one key that asked for too much, where it is not what its face says of
# itself. Kraken Futures counts orders by address.
OF_ONE_KEY = {
    "binance": {"code": -1015, "message": "Too many new orders."},
    "binanceusdm": {"code": -1015, "message": "Too many new orders."},
    "hyperliquid": {"message": "Too many cumulative requests sent (10003 > 10000)", "status": 200},
}


@pytest.mark.parametrize("desks", sorted(set(VENUES) - {"krakenfutures"}), indirect=True)
def test_a_pause_of_one_key_silences_no_other_one(
    undisturbed: Simulator, desks: tuple[Desk, Desk]
) -> None:
    noisy, quiet = desks
    request, closing = noisy.resting(), quiet.resting()
    words = OF_ONE_KEY.get(noisy.venue, {})
    undisturbed.disturb(
        "reject" if words else "rate_limit",
        client_order_id=request.client_order_id,
        venue=noisy.venue,
        retry_after=5,
        **{"status": 429, **words} if words else {},
    )
    with pytest.raises(RateLimited):
        submit(noisy, request, Lane.CLOSE)

    # What the key's quota counts waits; no other key and no poll does.
    with pytest.raises(RateLimited, match="wants no request"):
        submit(noisy, noisy.order(price=request.price), Lane.CLOSE)
    submit(quiet, closing, Lane.CLOSE)
    run(poll(quiet.market))


@pytest.mark.parametrize("desks", ["gate", "kraken", "kucoin", "okx"], indirect=True)
def test_a_pause_of_polls_silences_no_order_where_orders_are_counted_by_user(
    undisturbed: Simulator, desks: tuple[Desk, Desk]
) -> None:
    desk, _ = desks
    closing = desk.resting()
    undisturbed.disturb("rate_limit", path=POLL_PATHS[desk.venue], retry_after=5, venue=desk.venue)
    with pytest.raises(RateLimited):
        run(poll(desk.market))

    with asking(Lane.POLL, within=0.05), pytest.raises(RateLimited, match="wants no request"):
        run(poll(desk.market))
    submit(desk, closing, Lane.CLOSE)


def test_polls_that_use_up_a_limit_leave_room_to_look_up_and_to_close(
    desks: tuple[Desk, Desk],
) -> None:
    desk, _ = desks
    request = desk.resting()
    with asking(Lane.POLL, within=0.0), pytest.raises(RateLimited, match="in the poll lane"):
        for _ in range(1000):
            run(poll(desk.market))

    submit(desk, request, Lane.CLOSE)
    with asking(Lane.LOOK_UP, within=0.0):
        assert run(desk.trading.find_order(request.client_order_id, desk.symbol)).venue_order_id


# KuCoin allows more orders than are sent here one after the other.
@pytest.mark.parametrize("desks", sorted(set(VENUES) - {"kucoin"}), indirect=True)
def test_an_order_without_tokens_before_its_deadline_is_surely_not_sent(
    simulator: Simulator, desks: tuple[Desk, Desk]
) -> None:
    (desk, _), sent = desks, list[OrderRequest]()
    price = desk.resting().price
    with pytest.raises(RateLimited, match="in the entry lane; nothing was sent") as caught:
        for _ in range(200):
            sent.append(desk.order(price=price))
            submit(desk, sent[-1], Lane.ENTRY)

    assert isinstance(caught.value, VenueUnavailable)
    *placed, refused = sent
    assert placed
    assert simulator.requests(refused.client_order_id) == []
    with pytest.raises(OrderNotFound):
        run(desk.trading.find_order(refused.client_order_id, desk.symbol))
    # What closes is served next.
    submit(desk, desk.order(price=price), Lane.CLOSE, within=1.0)


def test_a_process_that_starts_in_a_silence_keeps_it(
    undisturbed: Simulator, open_desk: OpenDesk
) -> None:
    desk = open_desk("binanceusdm")
    run(poll(desk.market))
    undisturbed.disturb(
        "ban", method="GET", path=POLL_PATHS[desk.venue], retry_after=60, venue=desk.venue
    )
    with pytest.raises(RateLimited):
        run(poll(desk.market))
    last_seen = undisturbed.last_request()

    # All that a restarted process knows is what Redis tells it.
    registry.close_all()
    newcomer = open_desk("binanceusdm")
    with pytest.raises(RateLimited, match="wants no request"):
        run(newcomer.trading.submit(newcomer.order()))

    assert seen(undisturbed, desk.venue, after=last_seen) == []
