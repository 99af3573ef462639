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


def test_a_pause_of_one_key_silences_no_other_one(
    undisturbed: Simulator, open_desk: OpenDesk
) -> None:
    noisy, quiet = open_desk("bybit"), open_desk("bybit")
    run(quiet.trading.open_orders(quiet.symbol))
    request = noisy.resting()
    undisturbed.disturb("rate_limit", client_order_id=request.client_order_id, retry_after=5)
    with pytest.raises(RateLimited):
        submit(noisy, request, Lane.CLOSE)

    with asking(Lane.LOOK_UP, within=0.05), pytest.raises(RateLimited, match="wants no request"):
        run(noisy.account.balances())
    submit(quiet, quiet.resting(), Lane.CLOSE)
    run(poll(quiet.market))


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
