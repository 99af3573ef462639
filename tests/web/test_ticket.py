from __future__ import annotations

import re
import uuid
from html import unescape

import pytest

from tests.web.conftest import Desk
from trading.models import IdempotencyKey, Position
from trading.services import configure

pytestmark = pytest.mark.db

TICKET = {"symbol": "ETH", "long": "binanceusdm", "short": "bybit", "size": "2k"}
HTMX = {"HX-Request": "true"}
# Everything with a spread may be opened: these tests are about the form, not the merit.
LENIENT = {
    "entry_policy": "spread_only",
    "min_spread_base": "0",
    "min_spread_per_10k": "0",
    "carry_estimator": "predicted",
    "persistence": "0",
}


@pytest.fixture(autouse=True)
def lenient(desk: Desk) -> None:
    configure.save(user=desk.user, values=LENIENT, expected_version=0, actor="owner", now=desk.now)


def sentences(html: str) -> str:
    return " ".join(unescape(text) for text in re.findall(r'class="why"[^>]*>([^<]+)<', html))


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("symbol", "NOPE", "NOPE is not listed at Binance as a perpetual market"),
        ("symbol", "ETHUSD", "ETH-USD is not listed at Binance as a perpetual market"),
        ("symbol", "E T H", "'E T H' is not a symbol: write BTC, BTC-USDT or BTCUSDT."),
        ("symbol", "", "Name a symbol: BTC."),
        ("size", "lots", "'lots' is not a size: write 25000, 25,000 or 25k."),
        ("size", "0", "'0' is no size: it must be above zero."),
        ("long", "kraken", "'kraken': you have no account at such a venue (yours: BIN, BYB)."),
        ("long", "bybit", "Both legs are ETH/USDT:USDT at BYB: choose two venues."),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_bad_input_is_refused_with_a_sentence_that_names_it(
    desk: Desk, field: str, typed: str, sentence: str, headers: dict[str, str]
) -> None:
    answer = desk.client.post("/ticket/", TICKET | {field: typed}, headers=headers)

    assert answer.status_code == 422
    assert sentence in sentences(answer.content.decode())
    assert Position.objects.count() == 1
    assert not IdempotencyKey.objects.exists()


def test_the_quote_follows_what_is_typed(desk: Desk) -> None:
    html = desk.client.get("/ticket/quote/", TICKET, headers=HTMX).content.decode()

    # (0.0004 - 0.0001) per 8 h on 2,000 USD: 0.60 a settlement, three a day; 32.85 % a year.
    assert "32.8% APR" in html
    assert "+$1.80 / day" in html
    assert "SIM $2,000 × 2" in html


def test_a_valid_ticket_opens_one_position_however_often_it_is_sent(desk: Desk) -> None:
    ticket = TICKET | {"idempotency_key": str(uuid.uuid4())}

    answers = [desk.client.post("/ticket/", ticket) for _ in range(2)]

    opened = Position.objects.get(base="ETH")
    assert opened.opened_by == "owner"
    assert [answer.status_code for answer in answers] == [302, 302]
    assert {answer["Location"] for answer in answers} == {f"/positions/{opened.pk}/"}


def test_a_second_open_on_the_same_pair_is_refused(desk: Desk) -> None:
    answer = desk.client.post("/ticket/", TICKET | {"symbol": "BTC-USDT"}, headers=HTMX)

    assert answer.status_code == 422
    assert "BTC already has a position" in sentences(answer.content.decode())
    assert Position.objects.count() == 1


def test_a_quote_that_moved_is_shown_old_and_new_before_anything_opens(desk: Desk) -> None:
    first = desk.client.post("/ticket/", TICKET | {"quoted_net_apr": "0.9"}, headers=HTMX)
    html = first.content.decode()

    assert first.status_code == 409
    assert "Net APR moved from +90.0% to" in sentences(html)
    assert not Position.objects.filter(base="ETH").exists()

    now_seen = re.search(r'name="quoted_net_apr" value="([^"]+)"', html)
    assert now_seen is not None
    again = desk.client.post("/ticket/", TICKET | {"quoted_net_apr": now_seen[1]}, headers=HTMX)
    assert again.status_code == 200
    assert Position.objects.filter(base="ETH").exists()


def test_fields_that_are_not_of_the_form_change_nothing(desk: Desk, stranger: object) -> None:
    forged = {"user": str(stranger), "mode": "live", "opened_by": "scheduler", "state": "open"}

    desk.client.post("/ticket/", TICKET | forged)

    opened = Position.objects.get(base="ETH")
    assert (opened.user, opened.mode) == (desk.user, "rehearsal")
    assert (opened.opened_by, opened.state) == ("owner", "planned")
