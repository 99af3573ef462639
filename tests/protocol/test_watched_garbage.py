"""Garbage in any place of any answer of a venue that is watched: refused, or exact; never a crash.

The payloads are those of each venue's own tests.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.domain import Symbol
from exchanges.errors import VenueError
from tests.protocol import (
    test_bitfinex,
    test_bitget,
    test_coinbase,
    test_deribit,
    test_dydx,
    test_gate,
    test_kraken,
    test_krakenfutures,
    test_kucoin,
    test_mexc,
)
from tests.protocol.canned import CannedVenue, Question
from tests.protocol.conftest import assert_exact
from tests.protocol.test_recorded_payloads import ADAPTERS

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]

VENUES: dict[str, tuple[Callable[[], CannedVenue], str]] = {
    "bitfinex": (test_bitfinex.venue, test_bitfinex.BITCOIN),
    "bitget": (test_bitget.venue, test_bitget.BITCOIN),
    "coinbase": (test_coinbase.venue, test_coinbase.BITCOIN),
    "deribit": (test_deribit.venue, test_deribit.BITCOIN),
    "dydx": (test_dydx.recorded_venue, test_dydx.BITCOIN),
    "gate": (test_gate.venue, test_gate.BITCOIN),
    "kraken": (test_kraken.venue, test_kraken.BITCOIN),
    "krakenfutures": (test_krakenfutures.venue, test_krakenfutures.ETHER),
    "kucoin": (test_kucoin.venue, test_kucoin.BITCOIN),
    "mexc": (test_mexc.venue, test_mexc.BITCOIN),
}
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["NaN", "Infinity", "1e500", "9" * 30, "0x10", "-1", ""])
)
GARBAGE = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.text(max_size=4), LEAVES)


def spoil(payload: Any, data: st.DataObject) -> Any:
    """Return the payload with garbage in one place, at any depth."""
    inside = isinstance(payload, dict | list) and payload
    if not inside or data.draw(st.integers(0, 9)) == 0:
        return data.draw(GARBAGE)
    keys = sorted(payload) if isinstance(payload, dict) else range(len(payload))
    key = data.draw(st.sampled_from(list(keys)))
    spoilt = copy.copy(payload)
    spoilt[key] = spoil(payload[key], data)
    return spoilt


def spoilt_answer(payload: Any, data: st.DataObject) -> Any:
    """Return a payload to answer with; one that depends on its query is spoilt as it is asked."""
    if not callable(payload):
        return spoil(payload, data)

    def told(query: Mapping[str, str]) -> Any:
        return spoil(payload(query), data)

    return told


def questions(at: CannedVenue, symbol: Symbol) -> list[Question]:
    since = at.now - timedelta(hours=20)
    return [
        CcxtMarketData.instruments,
        CcxtMarketData.funding_rates,
        CcxtMarketData.quotes,
        CcxtMarketData.book_tops,
        CcxtMarketData.activity,
        lambda data: data.depth(symbol, levels=5),
        lambda data: data.settled_funding(symbol, since=since),
        lambda data: data.accrued_rate(symbol, since=since, until=at.now),
        CcxtMarketData.server_time,
    ]


def careful(question: Question) -> Question:
    """Ask, and take a refusal in the venue's name for an empty answer."""

    async def asked(data: CcxtMarketData) -> Any:
        try:
            return await question(data)
        except VenueError:
            return []

    return asked


@pytest.mark.parametrize("venue", sorted(VENUES))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_garbage_is_refused_or_exact(venue: str, data: st.DataObject) -> None:
    build, symbol = VENUES[venue]
    at = build()
    name = data.draw(st.sampled_from(sorted(at.payloads)))
    at.payloads[name] = spoilt_answer(at.payloads[name], data)

    answers = at.ask(*map(careful, questions(at, Symbol(symbol))))

    for facts in answers:
        for fact in facts if isinstance(facts, list) else [facts]:
            if hasattr(type(fact), "__dataclass_fields__"):
                assert_exact(fact)
