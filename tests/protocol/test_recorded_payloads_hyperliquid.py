"""Hyperliquid's payloads, recorded or from its documentation, read by the parsers of all."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.ccxt_adapter import parse, parse_account
from exchanges.ccxt_adapter.calls import hyperliquid_rows as rows
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.faults import PARSE_FAILURES
from exchanges.ccxt_adapter.feeds import hyperliquid as hyperliquid_feeds
from exchanges.ccxt_adapter.listing import Listing, Listings, read_listings
from exchanges.domain import BookTop, FillCause, FundingRate, Quote, Side, VenueOrderStatus
from exchanges.venues.hyperliquid import PROFILE
from tests.protocol.conftest import assert_exact
from tests.protocol.test_recorded_payloads import ADAPTERS, recorded

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WALLET = "0x360878d351f05975e25f1807a27895e1e5e004fb"

pytestmark = [
    pytest.mark.protocol,
    pytest.mark.skipif(not ADAPTERS.is_dir(), reason="../shared with recorded payloads is absent"),
]


def told(name: str) -> Any:
    return recorded(f"hyperliquid/{name}.json")


def contexts() -> list[Any]:
    """Return the recorded contexts of the first markets, with the recorded list of these."""
    meta = told("http_meta_perp_sample")
    [_, every] = told("ws_all_dexs_asset_ctxs")["data"]["ctxs"][0]
    return [meta, every[: len(meta["universe"])]]


def listings(**changes: Any) -> Listings:
    exchange = VenueClient(Catalogue(PROFILE)).exchange
    meta, each = contexts()
    markets = [
        {**contract, **context, "baseId": index, **changes}
        for index, (contract, context) in enumerate(zip(meta["universe"], each, strict=True))
    ]
    return read_listings(PROFILE, [exchange.parse_market(row) for row in markets], {})


def bitcoin() -> Listing:
    return listings().by_venue_symbol["BTC"]


class TestMarket:
    def test_contract_is_margined_in_usdc_and_priced_in_five_digits(self) -> None:
        instrument = bitcoin().instrument

        assert (instrument.symbol, instrument.settle) == ("BTC/USDC:USDC", "USDC")
        assert instrument.venue_symbol == "BTC"
        # At 77,562 a price is whole; a size has five decimals.
        assert (instrument.price_tick, instrument.lot) == (1, Decimal("0.00001"))
        assert (instrument.min_base_quantity, instrument.min_notional) == (Decimal("0.00001"), 10)
        # Half of the initial margin at 40x.
        assert (instrument.max_leverage, instrument.maintenance_margin_rate) == (
            40,
            Decimal("0.0125"),
        )
        assert_exact(instrument)

    def test_a_thousand_of_a_coin_is_listed_as_one(self) -> None:
        [first, *_] = listings(name="kPEPE", markPx="0.0123").by_symbol.values()

        assert (first.instrument.base, first.instrument.contract_base) == ("PEPE", 1000)
        assert first.instrument.venue_symbol == "kPEPE"

    def test_prices_rate_and_top_of_a_context(self) -> None:
        [row, *_] = rows.contexts(contexts())
        listing = bitcoin()

        quote = parse.quote(row, PROFILE.quotes.columns, listing, NOW)
        top = parse.book_top(row, PROFILE.book_tops.columns, listing, NOW)

        assert quote is not None
        assert top is not None
        assert (quote.mark_price, quote.index_price) == (77_562, 77_605)
        # What 20,000 dollars trade at on average, and how much of the coin that is.
        assert (top.bid, top.ask) == (77_558, 77_559)
        assert (top.bid_quantity, top.ask_quantity) == (Decimal("0.25787"), Decimal("0.25786"))
        assert_exact(top)

    def test_settlements(self) -> None:
        columns = PROFILE.settled_funding.columns if PROFILE.settled_funding else {}
        found = [
            parse.settled_funding(row, columns, bitcoin())
            for row in rows.listed(told("http_funding_history"))
        ]

        assert [one.funding_rate for one in found] == [
            Decimal("0.0000125"),
            Decimal("-0.0000081"),
            Decimal("0.0000033"),
        ]

    def test_only_this_venues_prediction_counts(self) -> None:
        answer = [
            ["BTC", [["BinPerp", {"fundingRate": "0.0001", "nextFundingTime": 9}]]],
            [
                "ETH",
                [
                    ["BinPerp", None],
                    [
                        "HlPerp",
                        {
                            "fundingRate": "0.0000125",
                            "nextFundingTime": 1_733_958_000_000,
                            "fundingIntervalHours": 1,
                        },
                    ],
                ],
            ],
        ]

        assert rows.predictions(answer) == [
            {"coin": "ETH", "nextFundingTime": 1_733_958_000_000, "hours": 1}
        ]

    def test_streamed_context_and_book(self) -> None:
        context = contexts()[1][0]
        book = {"coin": "BTC", "time": 1, "bbo": [{"px": "77558", "sz": "1.5", "n": 1}, None]}

        quote, rate = hyperliquid_feeds.context_facts({"ctx": context}, bitcoin(), NOW)

        assert isinstance(quote, Quote)
        assert isinstance(rate, FundingRate)
        assert (quote.mark_price, rate.funding_rate) == (77_562, Decimal("-0.0000015186"))
        assert rate.next_funding_at is None
        assert list(hyperliquid_feeds.book_facts(book, bitcoin(), NOW)) == []
        book["bbo"] = [book["bbo"][0], {"px": "77559", "sz": "2", "n": 1}]  # type: ignore[index]
        [top] = hyperliquid_feeds.book_facts(book, bitcoin(), NOW)
        assert isinstance(top, BookTop)
        assert (top.bid, top.ask_quantity) == (77_558, 2)


class TestAccount:
    def test_equity_and_what_is_free(self) -> None:
        state = told("http_clearinghouse_state_negative_total_raw_usd")
        state["marginSummary"] = state["crossMarginSummary"]

        balance = parse_account.balance(
            rows.balance(state), PROFILE.balances.columns, PROFILE.name, NOW
        )

        assert (balance.asset, balance.equity) == ("USDC", Decimal("1736.030875"))
        assert balance.free == Decimal("772.232111")
        assert_exact(balance)

    def test_only_the_liquidated_wallets_own_fills_are_liquidations(self) -> None:
        [row] = told("ws_user_fill_liquidation")["data"]["fills"]

        fills = [
            parse_account.fill(rows.fill(row, wallet), PROFILE.fills.columns, bitcoin(), PROFILE)
            for wallet in (WALLET, "0x" + "00" * 20)
        ]

        assert [fill.cause for fill in fills] == [FillCause.LIQUIDATION, FillCause.ORDER]
        assert (fills[0].side, fills[0].price, fills[0].fee) == (
            Side.SELL,
            66_653,
            Decimal("0.009997"),
        )
        assert fills[0].is_maker
        assert_exact(fills[0])

    def test_snapshot_of_fills_is_no_news(self) -> None:
        [row] = told("ws_user_fill_liquidation")["data"]["fills"]
        known, data = listings().by_venue_symbol, {"user": WALLET, "fills": [row]}

        news = list(hyperliquid_feeds.account_facts("userFills", data, known, WALLET, NOW))
        again: dict[str, Any] = {**data, "isSnapshot": True}

        assert len(news) == 1
        assert not list(hyperliquid_feeds.account_facts("userFills", again, known, WALLET, NOW))

    @pytest.mark.parametrize(
        ("word", "size", "status"),
        [
            ("open", "0.01", VenueOrderStatus.OPEN),
            ("open", "0.004", VenueOrderStatus.PARTIAL),
            ("filled", "0.0", VenueOrderStatus.FILLED),
            # The rest of an immediate order is gone.
            ("filled", "0.004", VenueOrderStatus.CANCELED),
            ("canceled", "0.01", VenueOrderStatus.CANCELED),
            ("reduceOnlyCanceled", "0.01", VenueOrderStatus.CANCELED),
            ("scheduledCancel", "0.01", VenueOrderStatus.CANCELED),
            ("rejected", "0.01", VenueOrderStatus.REJECTED),
            ("iocCancelRejected", "0.01", VenueOrderStatus.REJECTED),
        ],
    )
    def test_states_of_an_order(self, word: str, size: str, status: VenueOrderStatus) -> None:
        row = {"order": {**PLACED, "sz": size}, "status": word, "statusTimestamp": 1}

        report = parse_account.order_report(rows.order(row), bitcoin(), NOW)

        assert report.status is status
        assert report.client_order_id == PLACED["cloid"]
        assert report.filled_base_quantity == Decimal("0.01") - Decimal(size)

    @pytest.mark.parametrize(
        ("delta", "amount"),
        [
            ({"type": "deposit", "usdc": "100.5"}, "100.5"),
            ({"type": "withdraw", "usdc": "100", "nonce": 1, "fee": "1"}, "-101"),
            ({"type": "accountClassTransfer", "usdc": "7", "toPerp": True}, "7"),
            ({"type": "accountClassTransfer", "usdc": "7", "toPerp": False}, "-7"),
            ({"type": "internalTransfer", "usdc": "3", "destination": WALLET.upper()}, "3"),
            ({"type": "subAccountTransfer", "usdc": "3", "destination": "0x1"}, "-3"),
            ({"type": "spotTransfer", "token": "PURR", "amount": "3"}, None),
        ],
    )
    def test_transfers_have_a_sign(self, delta: dict[str, Any], amount: str | None) -> None:
        row = rows.transfer({"time": 1, "hash": "0x1", "delta": delta}, WALLET)

        assert (row and row["amount"]) == (None if amount is None else Decimal(amount))


PLACED = {
    "coin": "BTC",
    "side": "B",
    "limitPx": "50000.0",
    "sz": "0.01",
    "oid": 91490942,
    "timestamp": 1_700_000_000_000,
    "origSz": "0.01",
    "reduceOnly": False,
    "cloid": "0x" + "ab" * 16,
}
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_garbage_in_place_of_any_field_is_refused_or_exact(data: st.DataObject) -> None:
    """No answer of another shape is taken for an empty one, and no number becomes a float."""
    readers = {
        "fill": (rows.fill, told("http_user_fills_dust_conversion")[0]),
        "order": (rows.order, dict(PLACED)),
    }
    reader, row = readers[data.draw(st.sampled_from(sorted(readers)))]
    row[data.draw(st.sampled_from(sorted(row)))] = data.draw(SHAPES)
    try:
        if reader is rows.fill:
            told_row = rows.fill(row, WALLET)
            assert_exact(parse_account.fill(told_row, PROFILE.fills.columns, bitcoin(), PROFILE))
        else:
            assert_exact(parse_account.order_report(rows.order(row), bitcoin(), NOW))
    except PARSE_FAILURES:
        return
