"""A venue to which no real order is sent, for who trades on paper: planned there like elsewhere."""

from __future__ import annotations

from decimal import Decimal

import pytest

from arbsite.accounts.models import User
from exchanges import registry, selectors
from exchanges.domain import SettlementKind
from exchanges.models import Exchange, ExchangeAccount, Instrument
from exchanges.modes import Mode
from exchanges.venues import PROFILES
from exchanges.venues.profile import VenueProfile
from tests.market import NOW, make_book, make_quote, make_rate
from tests.services.scan_market import (
    Market,
    list_perpetual,
    make_market,
    on_the_board,
    open_account,
)
from trading.core.parameters import ParameterErrors
from trading.models import Position
from trading.selectors.venues import venue_statuses
from trading.services import configure
from trading.services.engine import active_accounts
from trading.services.entry_legs import long_short
from trading.services.hedgeable import hedgeable
from trading.services.plan_entry import Refused, plan_entry

pytestmark = [pytest.mark.db, pytest.mark.django_db]

WATCHED = [name for name, profile in PROFILES.items() if profile.read_only]


@pytest.fixture
def market(owner: User) -> Market:
    """dYdX pays 20 bp, more than Bybit; the owner has an account at all three."""
    market = make_market(owner)
    open_account(owner, list_perpetual("dydx"))
    market.tell(make_book("dydx"), make_rate("dydx", rate="0.002"), make_quote("dydx"))
    return market


def trade_in(mode: Mode) -> None:
    Exchange.objects.update(mode=mode)


def planned(market: Market) -> Position | Refused:
    with on_the_board(market):
        return plan_entry(
            user=market.user,
            base="BTC",
            legs=long_short(market.instrument("binanceusdm"), market.instrument("dydx")),
            size_usd=Decimal(5_000),
            opened_by="owner",
            is_manual=True,
            idempotency_key=None,
            now=NOW,
        )


def test_a_pair_with_dydx_is_found_and_planned_on_paper(market: Market) -> None:
    trade_in(Mode.PAPER)

    finding = market.judge()
    assert finding.refusal is None
    assert finding.short.instrument.venue == "dydx"
    position = planned(market)

    assert isinstance(position, Position), position
    assert position.mode == Mode.PAPER
    venues = position.legs.order_by("index").values_list("instrument__exchange__code", flat=True)
    assert set(venues) == {"binanceusdm", "dydx"}


@pytest.mark.parametrize("mode", [Mode.REHEARSAL, Mode.TESTNET])
def test_the_same_pair_is_refused_in_other_modes_with_why(market: Market, mode: Mode) -> None:
    trade_in(mode)

    finding = market.judge()
    assert finding.short.instrument.venue == "bybit"
    answer = planned(market)

    assert isinstance(answer, Refused)
    assert PROFILES["dydx"].read_only in [one.sentence for one in answer.refusals]
    assert "no real order is sent there" in PROFILES["dydx"].read_only
    assert not Position.objects.exists()


def test_a_pair_with_deribit_which_pays_all_along_is_found_on_paper(market: Market) -> None:
    Exchange.objects.filter(code="dydx").update(code="deribit")
    market.tell(make_book("deribit"), make_rate("deribit", rate="0.002"), make_quote("deribit"))
    trade_in(Mode.PAPER)

    finding = market.judge()

    assert finding.refusal is None
    assert finding.short.instrument.venue == "deribit"


def test_a_watched_venue_chooses_the_asset_only_where_somebody_trades_it(market: Market) -> None:
    trade_in(Mode.PAPER)
    list_perpetual("hyperliquid")
    Exchange.objects.filter(code="hyperliquid").update(mode=Mode.PAPER)
    in_usdc = Instrument.objects.filter(exchange__code__in=["bybit", "hyperliquid"])
    in_usdc.update(settle="USDC", symbol="BTC/USDC:USDC")

    # In USDT there are Binance and dYdX.
    assert {slot.venue for slot in hedgeable()["BTC"]} == {"binanceusdm", "dydx"}
    ExchangeAccount.objects.filter(exchange__code="dydx").update(is_active=False)
    assert {slot.venue for slot in hedgeable()["BTC"]} == {"bybit", "hyperliquid"}


def test_a_watched_venue_makes_no_pair_with_one_in_another_mode(market: Market) -> None:
    list_perpetual("hyperliquid")
    in_usdc = Instrument.objects.filter(exchange__code__in=["bybit", "hyperliquid"])
    in_usdc.update(settle="USDC", symbol="BTC/USDC:USDC")
    Exchange.objects.filter(code="dydx").update(mode=Mode.PAPER)

    assert {slot.venue for slot in hedgeable()["BTC"]} == {"bybit", "hyperliquid"}


def test_a_configuration_may_name_it_on_paper(market: Market) -> None:
    values = {"venues": ["binanceusdm", "dydx"]}
    saving = {"user": market.user, "values": values, "actor": "owner", "now": NOW}
    with pytest.raises(ParameterErrors, match="dYdX is read-only"):
        configure.save(expected_version=1, **saving)  # type: ignore[arg-type]
    trade_in(Mode.PAPER)

    configure.save(expected_version=1, **saving)  # type: ignore[arg-type]

    assert configure.current(market.user).saved.venues == ("binanceusdm", "dydx")
    offered = {mode: selectors.trading_exchanges(mode) for mode in (Mode.PAPER, Mode.TESTNET)}
    assert {mode: "dydx" in {one.code for one in found} for mode, found in offered.items()} == {
        Mode.PAPER: True,
        Mode.TESTNET: False,
    }


def test_the_engine_panel_calls_it_read_only_to_others_alone(market: Market) -> None:
    accounts, exchanges = active_accounts(market.user), selectors.enabled_exchanges()

    shown = {
        mode: {
            line.code: line.read_only
            for line in venue_statuses(accounts, exchanges, market.board, mode, NOW)
        }["dydx"]
        for mode in (Mode.PAPER, Mode.REHEARSAL)
    }

    assert shown == {Mode.PAPER: "", Mode.REHEARSAL: PROFILES["dydx"].read_only}


@pytest.mark.parametrize("venue", sorted({*WATCHED, "deribit"}))
def test_registry_opens_its_doors_on_paper(venue: str) -> None:
    key = registry.AccountKey(
        credential_id="1", venue=venue, mode=Mode.PAPER, api_key="", secret=""
    )

    doors = registry.trading(key), registry.account(key), registry.account_stream(key)

    names = [type(door).__name__ for door in doors]
    assert names == ["PaperTrading", "PaperReads", "PaperStream"]
    registry.close_all()


def test_no_venue_can_be_described_that_pays_all_along_and_tells_nothing_of_parts() -> None:
    values = {name: getattr(PROFILES["dydx"], name) for name in VenueProfile.__slots__}

    with pytest.raises(ValueError, match="what a part of a period earns"):
        VenueProfile(**{**values, "settlement": SettlementKind.ACCRUED})
