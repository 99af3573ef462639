"""Messages read as the source lays them out, whatever is in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape

import pytest

from alerts import wording
from alerts.rules import Severity
from alerts.wording import LegFacts, Message, PositionFacts

pytestmark = pytest.mark.core

D = Decimal
FACTS = PositionFacts(
    pair="BTC-USDT",
    long=LegFacts(venue="Binance", price=D("42150")),
    short=LegFacts(venue="Bybit", price=D("42145")),
    size_usd=D(25_000),
    spread=D("0.00032"),
    expected_funding=D(8),
    net=D("-1234.56"),
    price_pnl=D("-1240.56"),
    funding=D(16),
    fees=D(10),
    held="2 d 4 h",
)


def message(
    severity: Severity, title: str, lines: list[str], *, count: int = 1, repeat: int = 0
) -> Message:
    return Message(
        alert_id=7,
        delivery_id=9,
        kind="position.open",
        severity=severity,
        title=title,
        lines=tuple(lines),
        created_at=datetime(2026, 3, 10, tzinfo=UTC),
        count=count,
        repeat=repeat,
    )


def test_an_opened_position_reads_as_the_source_lays_it_out() -> None:
    text = message(Severity.INFO, "Position Opened", wording.opened(FACTS)).text

    assert text == (
        "🟢 INFO | Position Opened\n"
        "Pair: BTC-USDT\n"
        "Long: Binance @ $42,150.00\n"
        "Short: Bybit @ $42,145.00\n"
        "Size: $25,000 | Spread: 0.032%\n"
        "Expected funding: $8.00"
    )


def test_a_liquidation_names_the_leg_the_loss_and_what_follows() -> None:
    sentence = "Bybit liquidated 2 ETH at 100; the other leg follows at once"
    lines = wording.struck(FACTS, "Liquidated", sentence)
    text = message(Severity.CRITICAL, "Liquidation Detected", lines).text

    assert text == (
        "🔴 CRITICAL | Liquidation Detected\n"
        "Pair: BTC-USDT\n"
        "Liquidated: SHORT on Bybit\n"
        "Bybit liquidated 2 ETH at 100\n"
        "Loss: −$1,234.56\n"
        "Action: the other leg follows at once\n"
        "Answer /ack 7 or press Acknowledge."
    )


def test_where_both_legs_are_at_one_venue_none_is_named() -> None:
    one_venue = replace(FACTS, short=FACTS.long)

    lines = wording.struck(one_venue, "Liquidated", "Binance liquidated 2 BTC at 100")

    assert lines == ["Pair: BTC-USDT", "Binance liquidated 2 BTC at 100", "Loss: −$1,234.56"]


def test_a_closed_position_tells_its_parts() -> None:
    assert wording.closed(FACTS)[-1] == (
        "P&L: −$1,234.56 (price −$1,240.56, funding +$16.00, fees −$10.00)"
    )


def test_what_is_not_known_is_a_question_mark() -> None:
    unknown = replace(FACTS, expected_funding=None, long=LegFacts(venue="Binance", price=None))

    assert "Long: Binance @ ?" in wording.opened(unknown)
    assert "Expected funding: ?" in wording.opened(unknown)


def test_small_prices_keep_their_digits() -> None:
    assert wording.price(D("0.00001234")) == "$0.00001234"


def test_repeats_and_counts_are_said() -> None:
    text = message(Severity.CRITICAL, "Kill Switch", [], count=3, repeat=2).text

    assert text.endswith("Said 3 times.\nAnswer /ack 7 or press Acknowledge. Said again, time 3.")


def test_markup_in_names_is_shown_and_not_obeyed() -> None:
    [html] = message(Severity.WARNING, "A<b>", ["<a href='x'>BTC</a> & co"]).html_pages

    assert html.startswith("<b>🟡 WARNING | A&lt;b&gt;</b>\n")
    assert "&lt;a href=&#x27;x&#x27;&gt;BTC&lt;/a&gt; &amp; co" in html


def test_a_long_report_is_several_messages_that_telegram_takes() -> None:
    lines = [f"position {number}: +$1.00 & more" for number in range(400)]

    found = message(Severity.INFO, "Daily Report", lines).html_pages

    assert len(found) == 4
    assert max(len(unescape(page)) for page in found) < 4096
    assert found[0].startswith("<b>🟢 INFO | Daily Report</b>\nposition 0: ")
    assert found[-1].endswith("position 399: +$1.00 &amp; more")


def test_long_texts_are_cut_between_lines_and_nothing_is_lost() -> None:
    lines = [f"line {number}" for number in range(100)]

    found = wording.pages(lines, length=120)

    assert max(len(page) for page in found) <= 120
    assert "\n".join(found).split("\n") == lines


def test_a_line_longer_than_a_page_is_cut_and_nothing_is_lost() -> None:
    [*found] = wording.pages(["x" * 250], length=100)

    assert "".join(found) == "x" * 250
    assert max(len(page) for page in found) <= 100


def test_pages_are_escaped_after_they_were_cut() -> None:
    assert wording.pages(["&" * 5], length=100) == ["&amp;" * 5]
