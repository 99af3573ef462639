"""The configuration page and its admin twin: typed, compared, asked about, saved, returned to."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from arbsite.accounts.models import AuditEntry, User
from exchanges.models import SettledFundingRate
from tests.web.conftest import Desk
from trading.core.parameters import PARAMETER_FIELDS, Parameters
from trading.models import ConfigurationPreset, ConfigurationVersion, StaffLimit
from trading.services import configure
from trading.views.configuration_form import texts

pytestmark = pytest.mark.db

ADD = "/admin/trading/configurationversion/add/"
ADD_LIMIT = "/admin/trading/stafflimit/add/"


def form_of(desk: Desk) -> dict[str, object]:
    """Return the configuration form as the page would post it unchanged."""
    html = desk.client.get("/configuration/").content.decode()
    fields: dict[str, object] = dict(
        re.findall(r'<input[^>]* name="(\w+)" value="([^"]*)" inputmode', html)
    )
    fields["symbols"] = "BTC-USDT, ETH-USDT, SOL-USDT"
    fields["strategies"] = ["", "funding_spread"]
    fields["venues"] = [""]
    fields["funding_regime_exit"] = "true"
    fields["version"] = re.findall(r'name="version" value="(\d+)"', html)[0]
    return fields


def save_meanwhile(desk: Desk, **values: object) -> None:
    configure.save(
        user=desk.user,
        values=values,
        expected_version=configure.current(desk.user).version,
        actor="other tab",
        now=desk.now,
    )


def row_of(html: str, key: str) -> str:
    found = re.search(rf'<tr id="row-{key}".*?</tr>', html, re.DOTALL)
    assert found is not None
    return unescape(found[0])


def test_saving_what_the_page_shows_changes_nothing(desk: Desk) -> None:
    assert desk.client.post("/configuration/", form_of(desk)).status_code == 302

    current = configure.current(desk.user)
    assert current.version == 1
    assert current.saved == Parameters()


def test_every_parameter_has_a_row(desk: Desk) -> None:
    html = desk.client.get("/configuration/").content.decode()

    for described in PARAMETER_FIELDS:
        row = row_of(html, described.key)
        assert described.label in row
        assert described.help in row
    assert "Return after all costs" in row_of(html, "entry_policy")


def test_the_bare_threshold_is_told_in_red_what_it_did(desk: Desk) -> None:
    assert "bare threshold would" not in row_of(page(desk), "entry_policy")
    save_meanwhile(desk, entry_policy="spread_only", negative_spread_tolerance="conservative")
    assert "Too little was settled here to say" in row_of(page(desk), "entry_policy")

    for venue, pattern in (("binanceusdm", ["0"]), ("bybit", ["0", "0.0002", "-0.0001"])):
        SettledFundingRate.objects.bulk_create(
            SettledFundingRate(
                instrument=desk.instruments[venue, "BTC"],
                settled_at=desk.now - timedelta(hours=8 * (31 - index)),
                funding_rate=Decimal(pattern[index % len(pattern)]),
            )
            for index in range(32)
        )

    # In after ten spreads of 2 bp, out after nine that cost 1 bp; four fees of 5 bp each time.
    assert (
        '<p class="why" id="did-entry_policy">On what was settled since '
        f"{desk.now - timedelta(hours=240):%Y-%m-%d} the bare threshold would have opened 10 "
        "positions on 1 pair of venues and lost 2.09 % of one leg: −0.09 % of funding less "
        "2.00 % of taker fees.</p>"
    ) in row_of(page(desk), "entry_policy")


def page(desk: Desk) -> str:
    return desk.client.get("/configuration/").content.decode()


def test_suggestions_are_asked_for_by_base_and_say_when_history_is_too_short(desk: Desk) -> None:
    html = desk.client.get("/configuration/", {"history": "BTC"}).content.decode()

    assert "Too little of BTC was settled to suggest anything." in html
    assert (
        "settled to suggest" not in desk.client.get("/configuration/?history=XX").content.decode()
    )


def test_configuration_is_saved_as_a_new_version(desk: Desk) -> None:
    form = form_of(desk) | {
        "max_open_positions": "4",
        "symbols": "btcusdt, ETH-USDT",
        "strategies": ["", "funding_spread", "cash_and_carry"],
        "venues": ["", "bybit"],
    }

    assert desk.client.post("/configuration/", form).status_code == 302

    current = configure.current(desk.user)
    assert current.version == 1
    assert current.saved.max_open_positions == 4
    assert current.saved.symbols == ("BTC/USDT", "ETH/USDT")
    assert current.saved.strategies == ("funding_spread", "cash_and_carry")
    assert current.saved.venues == ("bybit",)


def test_wrong_values_are_named_and_nothing_is_saved(desk: Desk) -> None:
    form = form_of(desk) | {
        "leverage": "9",
        "symbols": "BTCEUR",
        "hold_horizon": "soon",
        "max_position_per_pair_usd": "-5",
    }

    answer = desk.client.post("/configuration/", form)

    html = answer.content.decode()
    assert answer.status_code == 422
    assert "9x is above the most, 5x." in row_of(html, "leverage")
    assert "'BTCEUR' is not a pair" in row_of(html, "symbols")
    assert "'soon' is not a number" in row_of(html, "hold_horizon")
    assert "-5 USD is below the least, 1 USD" in row_of(html, "max_position_per_pair_usd")
    assert 'value="9"' in row_of(html, "leverage")
    assert not ConfigurationVersion.objects.exists()


def test_an_unusual_value_is_asked_about_and_saved_when_confirmed(desk: Desk) -> None:
    form = form_of(desk) | {"min_opening_arbitrage_pct": "0.01"}

    asked = desk.client.post("/configuration/", form)

    assert asked.status_code == 422
    row = row_of(asked.content.decode(), "min_opening_arbitrage_pct")
    assert "0.01 % is far from the usual 1 %. Did you mean 1 %?" in row
    assert not ConfigurationVersion.objects.exists()
    form["confirm-min_opening_arbitrage_pct"] = "0.01"
    assert desk.client.post("/configuration/", form).status_code == 302
    assert configure.current(desk.user).version == 1


def test_reviewing_shows_the_difference_and_saves_nothing(desk: Desk) -> None:
    form = form_of(desk) | {"max_open_positions": "4", "review": "1"}

    html = desk.client.post("/configuration/", form).content.decode()

    assert "Not saved yet" in html
    assert 'value="4"' in row_of(html, "max_open_positions")
    assert not ConfigurationVersion.objects.exists()


def test_a_save_in_between_is_shown_with_both_values(desk: Desk) -> None:
    form = form_of(desk) | {"max_open_positions": "4", "persistence": "5"}
    save_meanwhile(desk, max_open_positions="7", stop_loss_pct="1")

    answer = desk.client.post("/configuration/", form)

    html = answer.content.decode()
    assert answer.status_code == 409
    row = row_of(html, "max_open_positions")
    assert "Keep mine, 4" in row
    assert "Take theirs, 7" in row
    # Only they changed it: it stays theirs. Only I did: it stays mine. Neither is asked.
    assert 'value="1"' in row_of(html, "stop_loss_pct")
    assert 'value="5"' in row_of(html, "persistence")
    assert html.count("Keep mine") == 1
    assert configure.current(desk.user).saved.max_open_positions == 7


@pytest.mark.parametrize(("chosen", "kept"), [("mine", 4), ("theirs", 7)])
def test_mine_or_theirs_is_what_is_saved_next(desk: Desk, chosen: str, kept: int) -> None:
    form = form_of(desk) | {"version": "1", "max_open_positions": "4", "stop_loss_pct": "1"}
    save_meanwhile(desk, max_open_positions="7", stop_loss_pct="1")

    form["choose-max_open_positions"] = chosen
    assert desk.client.post("/configuration/", form).status_code == 302

    assert configure.current(desk.user).saved.max_open_positions == kept


def test_a_preset_fills_the_form_and_saves_nothing(desk: Desk) -> None:
    answer = desk.client.get("/configuration/preset/", {"name": "Aggressive"})

    html = answer.content.decode()
    assert 'value="0.5"' in row_of(html, "order_amount")
    assert 'value="5"' in row_of(html, "spot_perp_leverage")
    assert 'name="note" value="preset Aggressive"' in html
    # Nothing here is called binance, so the page says at once what would be refused.
    assert answer.status_code == 422
    assert "no enabled venue has this code" in row_of(html, "venues")
    assert not ConfigurationVersion.objects.exists()
    unknown = desk.client.get("/configuration/preset/", {"name": "Foo"}, follow=True)
    assert "You have no preset 'Foo'." in unescape(unknown.content.decode())


def test_own_presets_are_kept_and_removed(desk: Desk, stranger: User) -> None:
    save_meanwhile(desk, max_open_positions="7")
    desk.client.post("/configuration/presets/", {"name": "quiet"})
    save_meanwhile(desk, max_open_positions="9")

    html = desk.client.get("/configuration/preset/", {"name": "quiet"}).content.decode()
    assert 'value="7"' in row_of(html, "max_open_positions")
    other = Client()
    other.force_login(stranger)
    other.post("/configuration/presets/", {"name": "quiet", "drop": "1"})
    assert ConfigurationPreset.objects.count() == 1
    desk.client.post("/configuration/presets/", {"name": "quiet", "drop": "1"})
    assert not ConfigurationPreset.objects.exists()


def test_a_pasted_file_is_compared_first_and_its_unknown_keys_are_named(desk: Desk) -> None:
    text = "trading:\n  symbols: [BTC-USDT]\n  leverage: {default: 3, BTC-USDT: 2}\n"

    answer = desk.client.post("/configuration/import/", {"text": text})

    html = answer.content.decode()
    assert answer.status_code == 200
    assert "* BTC-USDT 2" in row_of(html, "leverage_overrides")
    assert "import of a trading file" in html
    upload = SimpleUploadedFile("a.yaml", b"trading:\n  max_risk: 3\n")
    refused = desk.client.post("/configuration/import/", {"file": upload})
    assert refused.status_code == 422
    assert "trading has no key 'max_risk'" in unescape(refused.content.decode())
    assert not ConfigurationVersion.objects.exists()


def test_a_version_is_compared_and_then_returned_to(desk: Desk) -> None:
    save_meanwhile(desk, max_open_positions="7")
    save_meanwhile(desk, max_open_positions="3")

    page = desk.client.get("/configuration/versions/1/").content.decode()
    assert re.search(r"Open positions</th>.*>3<.*<b>7</b>", page)
    stale = desk.client.post("/configuration/versions/1/", {"version": "1"})
    assert stale.status_code == 409
    assert desk.client.post("/configuration/versions/1/", {"version": "2"}).status_code == 302

    assert configure.current(desk.user).saved.max_open_positions == 7
    assert desk.client.get("/configuration/versions/9/").status_code == 404


def test_what_staff_leaves_is_shown_beside_the_field(desk: Desk) -> None:
    save_meanwhile(desk, max_open_positions="7")
    StaffLimit.objects.create(field="max_open_positions", most=5)

    html = desk.client.get("/configuration/").content.decode()

    assert "staff: at most 5" in row_of(html, "max_open_positions")
    assert "Open positions counts as 5, not 7" in html
    answer = desk.client.post("/configuration/", form_of(desk))
    assert "7 is beyond what staff allows, at most 5." in answer.content.decode()


@pytest.fixture
def staff(desk: Desk) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="root-password"))
    return client


def admin_form(desk: Desk, **typed: str) -> dict[str, str]:
    values = texts(configure.current(desk.user).saved)
    values = {key: text for key, text in values.items() if text != "false"}
    return values | typed | {"user": str(desk.user.pk)}


def test_admin_edits_the_same_versions_with_the_same_sentences(staff: Client, desk: Desk) -> None:
    refused = staff.post(ADD, admin_form(desk, leverage="9"))
    assert "9x is above the most, 5x." in refused.content.decode()
    doubted = staff.post(ADD, admin_form(desk, min_opening_arbitrage_pct="0.01"))
    assert "Did you mean 1 %?" in doubted.content.decode()
    assert not ConfigurationVersion.objects.exists()

    assert staff.post(ADD, admin_form(desk, max_open_positions="4")).status_code == 302

    row = ConfigurationVersion.objects.get()
    assert (row.user, row.saved_by, row.note) == (desk.user, "root", "admin")
    page = f"/admin/trading/configurationversion/{row.pk}/change/"
    staff.post(page, admin_form(desk, max_open_positions="5", auto_entry="on"))
    current = configure.current(desk.user)
    assert (current.version, current.saved.max_open_positions) == (2, 5)
    assert current.saved.auto_entry
    assert AuditEntry.objects.filter(actor="root").count() == 2
    # An earlier version is only looked at.
    assert staff.get(page).status_code == 200
    assert staff.post(page, admin_form(desk)).status_code == 403


def test_admin_shows_both_values_after_a_save_in_between(staff: Client, desk: Desk) -> None:
    save_meanwhile(desk, max_open_positions="7")

    answer = staff.post(ADD, admin_form(desk, max_open_positions="4"))

    text = answer.content.decode()
    assert "Version 1 is in force: open that one and edit it again." in text
    assert configure.current(desk.user).version == 1


def test_staff_limits_are_checked_like_the_field(staff: Client) -> None:
    body = {"user": "", "field": "leverage", "least": "", "most": "7"}
    assert "7x is above the most, 5x." in staff.post(ADD_LIMIT, body).content.decode()
    empty = staff.post(ADD_LIMIT, body | {"most": ""})
    assert "Name at least one end" in empty.content.decode()
    crossed = staff.post(ADD_LIMIT, body | {"least": "3", "most": "2"})
    assert "is above the most" in crossed.content.decode()

    assert staff.post(ADD_LIMIT, body | {"most": "3"}).status_code == 302

    limit = StaffLimit.objects.get()
    delete = f"/admin/trading/stafflimit/{limit.pk}/delete/"
    staff.post(delete, {"post": "yes"})
    assert not StaffLimit.objects.exists()
    assert list(AuditEntry.objects.values_list("action", flat=True)) == [
        "staff limit removed",
        "staff limit set",
    ]
    listed = {"action": "verify", "_selected_action": [AuditEntry.objects.latest("pk").pk]}
    verified = staff.post("/admin/accounts/auditentry/", listed, follow=True)
    assert "The chain is unbroken." in verified.content.decode()
