"""A venue to which no real order is sent: shown everywhere, traded on paper at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from arbsite.accounts.models import User
from exchanges import registry, selectors
from exchanges.account_keys import VenueReadOnly, store_account
from exchanges.board import Board, Channel
from exchanges.domain import InstrumentKind, Symbol
from exchanges.market_poll import silence_at
from exchanges.models import Exchange, ExchangeAccount, Instrument
from exchanges.modes import Mode
from exchanges.unheard import Topic, Unheard
from exchanges.venues import PROFILES
from exchanges.venues.profile import UNASKED, VenueProfile
from tests.market import NOW, make_book, make_quote, make_rate
from tests.services.scan_market import Market, list_perpetual, make_market
from trading.core.parameters import ParameterErrors
from trading.selectors.venues import venue_statuses
from trading.services import configure
from trading.services.engine import active_accounts
from trading.services.hedgeable import hedgeable

pytestmark = [pytest.mark.db, pytest.mark.django_db]

WHY = PROFILES["dydx"].read_only


@pytest.fixture
def market(owner: User) -> Market:
    return make_market(owner)


@pytest.fixture
def watched(market: Market) -> Iterator[Market]:
    """dYdX pays more than both others; its market is fresh."""
    list_perpetual("dydx")
    market.tell(make_book("dydx"), make_rate("dydx", rate="0.009"), make_quote("dydx"))
    yield market


def test_a_better_rate_there_hides_no_pair_that_may_be_entered(watched: Market) -> None:
    finding = watched.judge()

    assert finding.refusal is None
    assert {finding.long.instrument.venue, finding.short.instrument.venue} == {
        "binanceusdm",
        "bybit",
    }


def test_pair_with_it_alone_is_shown_as_refused_with_why(watched: Market) -> None:
    Instrument.objects.filter(exchange__code="binanceusdm").update(is_active=False)

    assert watched.refusal() == ("read_only", WHY)
    assert "no real order is sent there" in WHY


def test_what_may_be_traded_chooses_the_asset_of_a_base(watched: Market) -> None:
    Instrument.objects.filter(exchange__code="bybit").update(settle="USDC", symbol="BTC/USDC:USDC")
    list_perpetual("hyperliquid")
    Instrument.objects.filter(exchange__code="hyperliquid").update(settle="USDC")

    # In USDT only Binance and the read-only venue would be left.
    assert {slot.venue for slot in hedgeable()["BTC"]} == {"bybit", "hyperliquid"}


@pytest.mark.parametrize("mode", [Mode.REHEARSAL, Mode.TESTNET, Mode.LIVE])
def test_no_account_is_added_there_with_a_key(owner: User, mode: Mode) -> None:
    exchange = list_perpetual("dydx")
    exchange.mode = mode

    with pytest.raises(VenueReadOnly, match="dYdX is read-only"):
        store_account(user=owner, exchange=exchange, label="main", api_key="a", secret="b")
    assert not ExchangeAccount.objects.filter(exchange=exchange).exists()


@pytest.mark.parametrize("mode", [Mode.REHEARSAL, Mode.TESTNET, Mode.LIVE])
def test_registry_opens_no_door_to_real_orders_or_accounts(mode: Mode) -> None:
    key = registry.AccountKey(credential_id="1", venue="dydx", mode=mode, api_key="k", secret="s")
    for door in (registry.trading, registry.account, registry.account_stream):
        with pytest.raises(registry.VenueReadOnly, match="dYdX is read-only"):
            door(key)


def test_configuration_names_it_only_to_refuse_it(watched: Market) -> None:
    with pytest.raises(ParameterErrors) as refused:
        configure.save(
            user=watched.user,
            values={"venues": ["bybit", "dydx"]},
            expected_version=configure.current(watched.user).version,
            actor="test",
            now=NOW,
        )

    assert refused.value.errors == {"venues": WHY}
    assert "dydx" not in {one.code for one in selectors.trading_exchanges(Mode.REHEARSAL)}


def test_leverage_it_does_not_offer_keeps_nobody_from_saving(watched: Market) -> None:
    Instrument.objects.filter(exchange__code="dydx").update(max_leverage=1)

    configure.save(
        user=watched.user,
        values={"leverage": "5"},
        expected_version=configure.current(watched.user).version,
        actor="test",
        now=NOW,
    )

    assert configure.current(watched.user).saved.leverage == 5


def test_engine_panel_says_so(watched: Market) -> None:
    exchanges = selectors.enabled_exchanges()
    accounts = active_accounts(watched.user)
    lines = venue_statuses(accounts, exchanges, watched.board, Mode.REHEARSAL, NOW)

    assert {line.code: line.read_only for line in lines} == {
        "binanceusdm": "",
        "bybit": "",
        "dydx": WHY,
    }


def silent_at(board: Board, rows: Sequence[Instrument], now: datetime) -> frozenset[Topic]:
    """Return what a poll would read of one venue, all of whose contracts are streamed."""
    pks = {row.pk for row in rows}
    unheard = Unheard(rows[0].exchange.code)
    return silence_at(board, rows[0].exchange, rows, pks, unheard, now).topics


def test_polling_waits_for_two_rounds_of_what_is_read_in_a_list(watched: Market) -> None:
    rows = list(Instrument.objects.filter(exchange__code="dydx").select_related("exchange"))
    behind = {
        seconds: bool(silent_at(watched.board, rows, NOW + timedelta(seconds=seconds)))
        for seconds in (3, 5)
    }

    assert behind == {3: False, 5: True}


def test_no_channel_waits_longer_than_four_seconds_for_its_poll(watched: Market) -> None:
    """MEXC's list is read every three seconds: two rounds of it would be six."""
    Exchange.objects.filter(code="dydx").update(code="mexc")
    exchange = Exchange.objects.get(code="mexc")
    rows = list(exchange.instruments.select_related("exchange"))
    board = Board()
    for fact in (make_rate("mexc"), make_quote("mexc")):
        board.apply(fact)

    late = {
        seconds: bool(silent_at(board, rows, NOW + timedelta(seconds=seconds)))
        for seconds in (4, 5)
    }

    assert late == {4: False, 5: True}


@pytest.mark.parametrize(("venue", "late"), [("bybit", [4, 14, 16]), ("hyperliquid", [16])])
def test_a_book_that_rests_is_read_later_where_the_list_is_heavy(
    market: Market, venue: str, late: list[int]
) -> None:
    """Hyperliquid's list takes a sixtieth of what may be asked in a minute."""
    Exchange.objects.filter(code="bybit").update(code=venue)
    [row] = Instrument.objects.filter(exchange__code=venue).select_related("exchange")
    found = []
    for seconds in (4, 14, 16):
        now, board = NOW + timedelta(seconds=seconds), Board()
        lively = replace(make_book(venue), symbol=Symbol("ETH/USDT:USDT"))
        for fact in (make_rate(venue), make_quote(venue), lively):
            board.apply(replace(fact, observed_at=now))
        board.apply(make_book(venue))
        if (row.symbol, Channel.BOOK) in silent_at(board, [row], now):
            found.append(seconds)

    assert found == late


def test_book_that_no_list_tells_is_nothing_a_poll_brings(watched: Market) -> None:
    rows = list(Instrument.objects.filter(exchange__code="dydx").select_related("exchange"))
    board = Board()
    for fact in (make_rate("dydx"), make_quote("dydx")):
        board.apply(fact)

    assert not silent_at(board, rows, NOW)
    assert not selectors.lists_tops("dydx", InstrumentKind.PERPETUAL)
    assert selectors.lists_tops("bybit", InstrumentKind.PERPETUAL)


def test_staff_switch_it_on_and_off() -> None:
    call_command("watch_venue", "dydx")
    exchange = Exchange.objects.get(code="dydx")
    assert (exchange.mode, exchange.is_enabled, exchange.name) == (Mode.PAPER, True, "dYdX")

    call_command("watch_venue", "dydx", off=True)
    exchange.refresh_from_db()
    assert not exchange.is_enabled
    with pytest.raises(CommandError, match="not a supported venue"):
        call_command("watch_venue", "nowhere")


def test_venue_that_is_traded_must_say_how() -> None:
    values = {name: getattr(PROFILES["bybit"], name) for name in VenueProfile.__slots__}

    with pytest.raises(ValueError, match="orders are not described"):
        VenueProfile(**{**values, "cancel_order": UNASKED})
    assert replace(PROFILES["dydx"], read_only="because").cancel_order is UNASKED
