from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from exchanges.depths import HASH, _encoded, _field
from exchanges.domain import Depth, Level, Symbol
from exchanges.matching import tiers_from
from exchanges.risk_tiers import TierLadder
from exchanges.selectors import board_redis
from exchanges.tier_rows import store_ladders
from tests.web.conftest import D, Desk

pytestmark = pytest.mark.db

LIVE = {"symbol": "BTC", "long": "binanceusdm:perpetual", "short": "bybit:perpetual"}


def answers(html: str) -> dict[str, str]:
    """Return the figures of a page by their label."""
    found = re.findall(r"<dt>([^<]*)</dt><dd[^>]*>([^<]*)</dd>", html.partition("h-answers")[2])
    return {unescape(label): unescape(text) for label, text in found}


def sentences(html: str) -> str:
    return " ".join(unescape(text) for text in re.findall(r'class="why"[^>]*>([^<]+)<', html))


def test_every_calculator_opens_with_the_worked_example(desk: Desk) -> None:
    pages = {
        key: answers(desk.client.get(f"/calculators/{key}/").content.decode())
        for key in ("arbitrage", "income", "minimum", "leverage", "liquidation")
    }

    assert pages["arbitrage"]["Funding spread, 8 h"] == "+0.0100 %"
    assert pages["arbitrage"]["Price gap"] == "+0.3003 %"
    assert pages["arbitrage"]["Fees, four orders"] == "−0.2000 %"
    assert pages["income"]["Size per leg"] == "$166,667"
    assert pages["income"]["In base units"] == "3.33"
    assert pages["minimum"]["All four orders"] == "1.50 %"
    assert pages["minimum"]["Opening only"] == "1.15 %"
    assert pages["leverage"]["Most that is safe"] == "16.67x"
    assert pages["leverage"]["Half of the most"] == "8x"
    assert pages["leverage"]["Recommended"] == "5x"
    assert pages["liquidation"]["Long: liquidated at"] == "40,201.01"
    assert pages["liquidation"]["Short: liquidated at"] == "59,701.49"


def test_what_is_typed_is_counted_and_stands_in_the_address(desk: Desk) -> None:
    page = desk.client.get("/calculators/income/", {"income": "100", "price": "25000"})

    assert answers(page.content.decode())["Size per leg"] == "$333,333"
    assert 'name="income" value="100"' in page.content.decode()
    assert 'method="get"' in page.content.decode()


@pytest.mark.parametrize(
    ("key", "typed", "sentence"),
    [
        ("arbitrage", {"size": "-5"}, "Size per leg: -5 USD is below the least, 1 USD."),
        ("arbitrage", {"hold": "soon"}, "Hold time: 'soon' is not a number."),
        ("arbitrage", {"long_fee": "50"}, "Fee: 50 % is above the most, 5 %."),
        ("minimum", {"round": "1", "slippage": "nan"}, "Slippage: 'nan' is not a number."),
        ("leverage", {"volatility": "0"}, "Daily volatility: 0 % is below the least, 0.01 %."),
        ("liquidation", {"leverage": "0.5"}, "Leverage: 0.5x is below the least, 1x."),
    ],
)
def test_bad_input_is_refused_with_a_sentence_that_names_it(
    desk: Desk, key: str, typed: dict[str, str], sentence: str
) -> None:
    page = desk.client.get(f"/calculators/{key}/", typed)

    assert page.status_code == 422
    assert sentence in sentences(page.content.decode())
    assert answers(page.content.decode()) == {}


def test_an_empty_interval_is_a_spot_leg(desk: Desk) -> None:
    both = answers(desk.client.get("/calculators/arbitrage/").content.decode())
    spot = answers(
        desk.client.get("/calculators/arbitrage/", {"long_interval": ""}).content.decode()
    )

    assert both["Funding spread, 8 h"] == "+0.0100 %"
    assert spot["Funding spread, 8 h"] == "+0.0150 %"


def test_live_facts_fill_the_form_and_the_address(desk: Desk) -> None:
    asked = desk.client.get("/calculators/arbitrage/", {**LIVE, "hold": "72", "fill": "market"})

    assert asked.status_code == 302
    query = {
        name: values[0] for name, values in parse_qs(urlsplit(asked["Location"]).query).items()
    }
    assert (query["long_rate"], query["short_rate"]) == ("0.01", "0.04")
    assert (query["long_interval"], query["long_fee"]) == ("8", "0.05")
    assert query["hold"] == "72"
    assert "fill" not in query
    assert answers(desk.client.get(asked["Location"]).content.decode())["Funding spread, 8 h"] == (
        "+0.0300 %"
    )


def test_slippage_is_filled_in_from_both_sides_of_the_book_at_the_size_typed(desk: Desk) -> None:
    # 100 are bought at 0.2 % on average, and sold at 0.5 %; the touch is 0.01 % away.
    levels = {"bids": (("99.9", "50"), ("99.1", "50")), "asks": (("100.1", "50"), ("100.3", "50"))}
    sides = {
        name: [Level(price=D(price), base_quantity=D(quantity)) for price, quantity in rows]
        for name, rows in levels.items()
    }
    for venue in ("binanceusdm", "bybit"):
        symbol = Symbol(desk.instruments[venue, "BTC"].symbol)
        depth = Depth(venue=venue, symbol=symbol, observed_at=desk.now, **sides)
        board_redis().hset(HASH, mapping={_field((venue, symbol)): _encoded(depth)})

    asked = desk.client.get("/calculators/arbitrage/", {**LIVE, "size": "10000", "fill": "market"})

    query = parse_qs(urlsplit(asked["Location"]).query)
    assert (query["long_slippage"], query["long_exit_slippage"]) == (["0.2"], ["0.5"])
    assert (query["short_slippage"], query["short_exit_slippage"]) == (["0.5"], ["0.2"])
    found = answers(desk.client.get(asked["Location"]).content.decode())
    assert found["Slippage, four orders"] == "−1.4000 %"


def test_a_market_that_does_not_exist_is_named(desk: Desk) -> None:
    page = desk.client.get("/calculators/arbitrage/", {**LIVE, "symbol": "nope", "fill": "market"})

    assert page.status_code == 422
    assert "'NOPE' is not listed at 'binanceusdm:perpetual'" in sentences(page.content.decode())


def test_the_liquidation_form_takes_one_market(desk: Desk) -> None:
    asked = desk.client.get("/calculators/liquidation/", {**LIVE, "fill": "market"})

    query = parse_qs(urlsplit(asked["Location"]).query)
    assert query["maintenance"] == ["0.5"]
    assert "entry" in query


def test_the_maintenance_margin_is_of_the_risk_tier_that_the_size_is_in(desk: Desk) -> None:
    contract = desk.instruments["binanceusdm", "BTC"]
    tiers = TierLadder(tiers_from([("50000", "50", "0.004"), ("100000", "20", "0.02")]))
    store_ladders([contract], {Symbol(contract.symbol): tiers}, desk.now)

    def filled(**typed: str) -> list[str]:
        query = {**LIVE, **typed, "fill": "market"}
        asked = desk.client.get("/calculators/liquidation/", query)
        return parse_qs(urlsplit(asked["Location"]).query)["maintenance"]

    assert filled() == filled(size="50000") == ["0.4"]
    assert filled(size="60000") == ["2"]


def test_moves_need_recorded_prices(desk: Desk) -> None:
    page = desk.client.get("/calculators/leverage/", {"symbol": "BTC", "fill": "market"})

    assert page.status_code == 422
    assert "'BTC' has less than five days of recorded prices." in sentences(page.content.decode())


def test_a_calculator_that_does_not_exist_is_not_found(desk: Desk) -> None:
    assert desk.client.get("/calculators/oracle/").status_code == 404


def test_nobody_counts_without_signing_in(client: Client) -> None:
    assert client.get("/calculators/").status_code == 302
