"""Saving a configuration: checked, audited, in force at once, within what staff allows."""

from __future__ import annotations

import pytest

from arbsite.accounts import audit
from arbsite.accounts.models import AuditEntry, AuditHead, User
from exchanges.models import Instrument
from tests.market import NOW, D
from tests.services.scan_market import VALUES, VENUES, Market, list_perpetual, make_market
from trading.core.importing import ImportErrors
from trading.core.parameters import ParameterErrors, Parameters
from trading.core.presets import PRESETS
from trading.models import AppendOnlyViolation, ConfigurationVersion, Event, Position, StaffLimit
from trading.services import configure, presets
from trading.services.configure import UnitDoubts, VersionConflict, VersionUnknown
from trading.services.import_configuration import read_file
from trading.services.presets import PresetRefused
from trading.services.scan import MarketScan
from trading.services.staff_limits import save_limit
from trading.services.standing import standing_of

pytestmark = [pytest.mark.db, pytest.mark.django_db]

BASIC = """
strategy: spot_perpetual_arbitrage
spot_connector: binance
spot_market: BTC-USDT
perpetual_connector: binance_perpetual
perpetual_market: BTC-USDT
order_amount: 0.01
perpetual_leverage: 3
min_opening_arbitrage_pct: 0.5
min_closing_arbitrage_pct: 0.1
spot_market_slippage_buffer: 0.05
perpetual_market_slippage_buffer: 0.05
next_arbitrage_opening_delay: 300
"""


def save(user: User, confirmed: dict[str, str] | None = None, **values: object) -> int:
    return configure.save(
        user=user,
        values=values,
        expected_version=configure.current(user).version,
        actor="owner",
        now=NOW,
        confirmed=confirmed,
    ).version


def refused(user: User, **values: object) -> dict[str, str]:
    before = ConfigurationVersion.objects.count()
    with pytest.raises(ParameterErrors) as caught:
        save(user, None, **values)
    assert ConfigurationVersion.objects.count() == before
    return caught.value.errors


def set_limit(field: str, *, user: User | None = None, **bounds: object) -> None:
    save_limit(StaffLimit(user=user, field=field, **bounds), actor="root", now=NOW)


def test_every_save_is_told_and_audited_with_what_changed(owner: User) -> None:
    save(owner, max_open_positions="4", stop_loss_pct="1")

    event = Event.objects.get(kind="configuration.saved")
    assert "Stop loss, of capital 2 % → 1 %" in event.sentence
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.subject) == ("owner", "version 1 of owner")
    assert entry.details == {"max_open_positions": ["10", "4"], "stop_loss_pct": ["2 %", "1 %"]}
    assert audit.faults() == []


def test_a_save_of_many_values_tells_the_first_and_counts_the_rest(owner: User) -> None:
    save(
        owner,
        max_open_positions="4",
        stop_loss_pct="1",
        hold_horizon="100",
        persistence="2",
        max_position_per_pair_usd="400",
        order_amount_usd="300",
    )

    sentence = Event.objects.get(kind="configuration.saved").sentence
    assert sentence.endswith(", and 2 more")
    assert len(AuditEntry.objects.get().details) == 6


def test_a_changed_a_missing_and_a_cut_off_audit_entry_are_found(owner: User) -> None:
    for most in ("4", "5", "6"):
        save(owner, max_open_positions=most)
    first, second, last = AuditEntry.objects.order_by("pk")

    AuditEntry.objects.filter(pk=first.pk).update(actor="nobody")
    assert audit.faults() == [f"Entry {first.pk} is not what was written."]
    AuditEntry.objects.filter(pk=first.pk).update(actor="owner")
    AuditEntry.objects.filter(pk=second.pk).delete()
    assert audit.faults() == [f"Entry {last.pk} does not follow the one before it."]
    second.save(force_insert=True)
    AuditEntry.objects.filter(pk=last.pk).delete()
    assert audit.faults() == ["The newest entry is not the last that was written."]
    AuditEntry.objects.all().delete()
    AuditHead.objects.all().delete()
    assert audit.faults() == []


def test_versions_are_never_changed(owner: User) -> None:
    save(owner, max_open_positions="4")
    row = ConfigurationVersion.objects.get()

    with pytest.raises(AppendOnlyViolation):
        row.save()


def test_a_saved_version_is_in_the_next_round_of_a_running_scan(owner: User) -> None:
    market, running = make_market(owner), MarketScan()
    running.adopt(running.load(NOW))
    [scan] = running.users
    assert scan.standing.parameters.max_position_per_pair_usd == 50_000

    save(market.user, max_position_per_pair_usd="2000", min_spread_base="0.0002")
    running.adopt(running.load(NOW))

    [scan] = running.users
    assert scan.standing.configuration_version == 2
    assert scan.standing.parameters.min_spread_base == D("0.0002")
    assert scan.standing.limits_left("BTC", [])["the limit per pair on BTC"] == 2000


def test_a_position_keeps_its_snapshot_while_limits_tighten_at_once(owner: User) -> None:
    market = make_market(owner)
    opened_with = Parameters.from_values(VALUES)
    position = open_position(market, opened_with)

    save(owner, max_position_per_pair_usd="500", stop_loss_pct="1")

    position.refresh_from_db()
    assert Parameters.from_stored(position.parameters) == opened_with
    assert standing_of(owner, NOW).limits_left("BTC", [])["the limit per pair on BTC"] == 500


def open_position(market: Market, parameters: Parameters) -> Position:
    return Position.objects.create(
        user=market.user,
        mode="rehearsal",
        base="BTC",
        strategy="funding_spread",
        open_reason="funding",
        state="open",
        size_usd=D(1000),
        target_base_quantity=D(1),
        parameters=parameters.to_values(),
        configuration_version=1,
        entry_funding_spread=D("0.001"),
        opened_by="owner",
        created_at=NOW,
        entry_deadline=NOW,
    )


def test_a_size_in_the_base_asset_is_what_automation_asks_for(owner: User) -> None:
    market = make_market(owner)
    limits = market.judge().size_usd
    [mid] = {row.book.mid for row in market.board.rows.values() if row.book is not None}

    save(owner, order_amount="0.01")
    in_base = market.judge().size_usd
    save(owner, order_amount="", order_amount_usd="300")

    assert in_base == mid * D("0.01") < limits
    assert market.judge().size_usd == 300


def test_staff_limits_are_in_force_at_once_and_may_only_be_tightened(owner: User) -> None:
    save(owner, max_position_per_pair_usd="40000")
    set_limit("max_position_per_pair_usd", most=D(30_000))
    set_limit("max_position_per_pair_usd", user=owner, most=D(20_000))

    current = configure.current(owner)
    assert current.saved.max_position_per_pair_usd == 40_000
    assert current.parameters.max_position_per_pair_usd == 20_000
    assert refused(owner, max_position_per_pair_usd="25000") == {
        "max_position_per_pair_usd": (
            "Limit per pair: 25000 USD is beyond what staff allows, at most 20000 USD."
        )
    }
    save(owner, max_position_per_pair_usd="15000")
    assert configure.current(owner).parameters.max_position_per_pair_usd == 15_000


def test_off_is_looser_than_any_stop(owner: User, stranger: User) -> None:
    set_limit("stop_loss_pct", most=D(3))
    set_limit("min_margin_ratio", user=stranger, least=D(4))

    errors = refused(owner, stop_loss_pct="")

    assert errors == {
        "stop_loss_pct": "Stop loss, of capital: off is beyond what staff allows, at most 3 %."
    }
    assert configure.current(stranger).parameters.min_margin_ratio == 4
    assert configure.current(owner).parameters.min_margin_ratio == 2


def test_staff_leverage_binds_lines_of_their_own_too(owner: User) -> None:
    for venue in VENUES:
        list_perpetual(venue)
    save(owner, leverage_overrides="* * 5\nbybit BTC-USDT 1")
    set_limit("leverage", most=D(2))

    current = configure.current(owner).parameters
    assert current.leverage_at(venue="binanceusdm", pair="BTC/USDT", against_spot=False) == 2
    assert current.leverage_at(venue="bybit", pair="BTC/USDT", against_spot=False) == 1
    assert refused(owner, leverage_overrides="* * 3\nbybit BTC-USDT 2") == {
        "leverage_overrides": "Leverage per venue and pair: * * 3 is beyond what staff allows, "
        "at most 2x."
    }

    set_limit("spot_perp_leverage", most=D(1))
    current = configure.current(owner).parameters
    assert current.leverage_at(venue="binanceusdm", pair="BTC/USDT", against_spot=True) == 1


def test_empty_order_amount_is_looser_than_any_of_staff(owner: User) -> None:
    set_limit("order_amount_usd", most=D(1_000))

    assert configure.current(owner).parameters.asked_usd(D(50_000)) == 1_000
    assert refused(owner, order_amount_usd="") == {
        "order_amount_usd": "Size of an automatic entry: off is beyond what staff allows, "
        "at most 1000 USD."
    }
    # In base instead: 0.01 x 50,000 are 500, 0.1 would be 5,000.
    save(owner, order_amount="0.01")
    assert configure.current(owner).parameters.asked_usd(D(50_000)) == 500
    save(owner, order_amount="0.1")
    assert configure.current(owner).parameters.asked_usd(D(50_000)) == 1_000


def test_a_value_a_hundred_times_off_is_saved_only_when_confirmed(owner: User) -> None:
    with pytest.raises(UnitDoubts) as caught:
        save(owner, min_opening_arbitrage_pct="0.01")
    assert "Did you mean 1 %?" in caught.value.questions["min_opening_arbitrage_pct"]
    with pytest.raises(UnitDoubts):
        save(owner, {"min_opening_arbitrage_pct": "0.02"}, min_opening_arbitrage_pct="0.01")
    assert not ConfigurationVersion.objects.exists()

    save(owner, {"min_opening_arbitrage_pct": "0.01"}, min_opening_arbitrage_pct="0.01")

    assert configure.current(owner).parameters.min_opening_arbitrage == D("0.0001")


def test_what_no_enabled_venue_has_is_refused_when_it_is_asked_for_anew(owner: User) -> None:
    make_market(owner)

    assert refused(owner, symbols=["BTC-USDT", "DOGE-USDT", "XRP-USDT"]) == {
        "symbols": "DOGE-USDT, XRP-USDT: no enabled venue lists this."
    }
    assert refused(owner, venues=["kraken"]) == {
        "venues": "kraken: no enabled venue has this code; enabled are binanceusdm, bybit."
    }
    Instrument.objects.update(is_active=False)
    assert save(owner, max_open_positions="4") == 2


def test_leverage_above_the_tier_of_a_venue_is_refused(owner: User) -> None:
    make_market(owner)
    Instrument.objects.filter(exchange__code="bybit").update(max_leverage=D("2.5"))

    assert refused(owner, leverage="3") == {
        "leverage": "3x is above what bybit allows on BTC-USDT, 2.5x."
    }
    assert "above what bybit allows" in refused(owner, spot_perp_leverage="4")["spot_perp_leverage"]
    assert (
        "3x is above what bybit"
        in refused(owner, leverage_overrides=["bybit * 3"])["leverage_overrides"]
    )
    assert save(owner, leverage="3", leverage_overrides=["bybit * 2"]) == 2


def test_a_version_is_returned_to_as_a_new_one_unusual_values_and_all(owner: User) -> None:
    save(owner, {"min_spread_base": "0.01"}, min_spread_base="0.01")
    save(owner, min_spread_base="0.0001", max_open_positions="4")

    configure.revert(user=owner, version=1, expected_version=2, actor="owner", now=NOW)

    row = ConfigurationVersion.objects.for_user(owner).first()
    assert row is not None
    assert (row.version, row.note) == (3, "as version 1")
    assert configure.current(owner).parameters.min_spread_base == D("0.01")
    assert configure.current(owner).parameters.max_open_positions == 10
    with pytest.raises(VersionConflict):
        configure.revert(user=owner, version=1, expected_version=2, actor="owner", now=NOW)


def test_only_the_last_ten_versions_of_ones_own_can_be_returned_to(
    owner: User, stranger: User
) -> None:
    for most in range(2, 13):
        save(owner, max_open_positions=str(most))

    assert configure.version_of(owner, 2).version == 2
    for user, version in ((owner, 1), (stranger, 5)):
        with pytest.raises(VersionUnknown):
            configure.version_of(user, version)


def test_presets_are_kept_loaded_and_dropped_per_user(owner: User, stranger: User) -> None:
    mine = Parameters.from_values({"max_open_positions": "4"})
    presets.keep_preset(user=owner, name=" calm  week ", parameters=mine, now=NOW)

    assert presets.preset_names(owner) == [*PRESETS, "calm week"]
    assert presets.preset_values(owner, "calm week")["max_open_positions"] == "4"
    assert presets.preset_names(stranger) == ["Basic", "Aggressive", "Conservative"]
    for name in ("basic", "", "x" * 41):
        with pytest.raises(PresetRefused):
            presets.keep_preset(user=owner, name=name, parameters=mine, now=NOW)
    with pytest.raises(PresetRefused):
        presets.drop_preset(user=stranger, name="calm week")
    presets.drop_preset(user=owner, name="calm week")
    assert presets.preset_names(owner) == list(PRESETS)


def test_an_imported_file_is_the_preset_of_the_same_text() -> None:
    assert read_file(BASIC).values == PRESETS["Basic"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("strategy: [unclosed", "Line "),
        ("just words", "not a list of keys"),
        ("trading: {symbols: [BTC-USDT]}\ntrading: {}", "'trading' is given twice"),
        ("trading: &a {}\nleverage: *a", "references (& and *) are not read"),
        ("a: " + "[" * 5000, ""),
        ("x" * 50_001, "longer than 50000"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, sentence: str) -> None:
    with pytest.raises(ImportErrors) as caught:
        read_file(text)
    assert sentence in str(caught.value)


def test_a_tag_in_a_file_builds_nothing() -> None:
    assert read_file("leverage: !!python/object:os.system {}").values == {}
