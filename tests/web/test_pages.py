from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client

from arbsite.accounts.models import User
from exchanges.models import Activity, Exchange, SettledFundingRate, VenueHealth
from exchanges.models.notices import FactChange, VenueNotice
from exchanges.selectors import board_redis
from tests.web import rows
from tests.web.conftest import Desk
from trading.models import (
    EquitySnapshot,
    FittedBeta,
    Opportunity,
)
from trading.services import kill_switch

pytestmark = pytest.mark.db

PAGES = (
    "/",
    "/?tab=closed",
    "/?tab=orders",
    "/?tab=passed",
    "/positions/",
    "/opportunities/",
    "/pnl/",
    "/alerts/",
    "/calendar/",
    "/configuration/",
    "/preferences/",
    "/help/",
    "/kill/",
    "/ticket/",
    "/rates/BTC/",
)


def text_of(html: str) -> str:
    """Return what a person reads, with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.mark.parametrize("address", PAGES)
def test_every_page_answers_with_nothing_yet(client: Client, stranger: User, address: str) -> None:
    client.force_login(stranger)

    answer = client.get(address)

    assert answer.status_code == (404 if address == "/rates/BTC/" else 200)


@pytest.mark.parametrize("address", PAGES)
def test_pages_carry_no_inline_code_and_stay_out_of_caches(desk: Desk, address: str) -> None:
    answer = desk.client.get(address)
    html = answer.content.decode()

    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert not re.findall(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|javascript:", html)
    assert re.findall(r'href="(?:#|)"', html) == []


def test_the_dashboard_shows_rates_pair_position_and_alert(desk: Desk) -> None:
    shown = text_of(desk.client.get("/").content.decode())

    # 0.0004 per 8 h is 0.0004 x 3 x 365 = 43.8 % a year; 0.0001 is 10.95 %.
    assert "+43.8" in shown
    assert "+11.0" in shown
    # The ETH opportunity: 0.0003 per 8 h = 32.85 % (half even 32.8), 20.6 % net.
    assert "L BIN S BYB 32.8 +20.6 1.9 d 38k" in shown
    # The BTC position: +3.00 funding, 2 x 0.50 fees, 2 x 0.10 slippage, marks at the entry mids.
    assert "BTC 6h 00m L BIN S BYB 1,000 Hedged +32.8 +$3.00 −$0.20 −$1.00 +$1.80" in shown
    assert "Net +$1.80 funding +$3.00 · price −$0.20 · fees −$1.00" in shown
    assert "Owner's alert." in shown
    assert "SIMULATION" in shown


def test_every_page_is_reached_from_a_phone_and_left_there_too(desk: Desk) -> None:
    page = desk.client.get("/").content.decode()
    bar = page[page.index('class="bn"') :]

    for address in ("/reconciliation/", "/pnl/", "/calculators/", "/calendar/", "/configuration/"):
        assert f'href="{address}"' in bar
    for address in ("/alerts/", "/help/", "/preferences/", "/opportunities/", "/positions/"):
        assert f'href="{address}"' in bar
    assert 'action="/account/logout/"' in bar
    assert "data-pause" in bar


def test_a_pressed_switch_is_why_nothing_is_open(desk: Desk, stranger: User) -> None:
    kill_switch.press(
        user=stranger, actor="stranger", reason="drill", closes_positions=False, now=desk.now
    )
    desk.client.force_login(stranger)
    shown = text_of(desk.client.get("/").content.decode())
    assert "The kill switch is pressed: nothing is opened, by hand neither" in shown
    assert "open one by hand in the ticket" not in shown


def test_what_is_open_is_not_added_up_above_what_is_closed(desk: Desk) -> None:
    assert "Net +$1.80" not in text_of(desk.client.get("/?tab=closed").content.decode())


def test_the_day_is_measured_from_midnight_or_from_the_first_position(desk: Desk) -> None:
    midnight = desk.now.replace(hour=0, minute=0, second=0, microsecond=0)

    def snapshot(at: datetime, equity: int) -> None:
        EquitySnapshot.objects.create(
            user=desk.user, at=at, equity_usd=Decimal(equity), free_usd=Decimal(equity)
        )

    snapshot(desk.now, 200_100)
    # Nothing was read before today: the position's +1.80 is the day.
    assert "P&L today, net +$1.80" in text_of(desk.client.get("/").content.decode())

    snapshot(midnight - timedelta(minutes=1), 200_000)
    assert "P&L today, net +$100.00 +0.05% of equity" in text_of(
        desk.client.get("/").content.decode()
    )


def test_settled_rates_and_their_mean_replace_the_predicted_ones(desk: Desk) -> None:
    for hours, rate in ((17, "0.0001"), (9, "0.0002"), (1, "0.0004")):
        SettledFundingRate.objects.create(
            instrument=desk.instruments["bybit", "BTC"],
            settled_at=desk.now - timedelta(hours=hours),
            funding_rate=Decimal(rate),
        )

    settled = text_of(desk.client.get("/?rates=settled").content.decode())
    mean = text_of(desk.client.get("/?rates=mean").content.decode())

    # 0.0004 x 3 x 365 = 43.8 %; the mean of 0.0002 and 0.0004 is 32.85 %, half even 32.8; the
    # first settlement has none before it, so its interval is unknown.
    assert "BTC ? +43.8" in settled
    assert "BTC ? +32.8" in mean


def test_a_fee_in_a_third_coin_counts_at_its_price_or_beside_the_dollars(desk: Desk) -> None:
    leg = desk.position.legs.select_related("account").get(side="SHORT")
    rows.pay_fee_in_coin(leg, desk.now, "0.5", price="600")
    rows.pay_fee_in_coin(leg, desk.now, "0.02")

    shown = text_of(desk.client.get("/").content.decode())

    # 2 x 0.50 of the entry and 0.5 x 600; not 1.00 + 0.5 + 0.02.
    assert "Funding 24 h +$3.00 fees −$301.00 and 0.02 BNB" in shown


def test_the_history_of_a_pair_says_what_it_keeps_and_since_when(desk: Desk) -> None:
    long, short = (desk.instruments[venue, "BTC"] for venue in ("binanceusdm", "bybit"))
    for instrument in (long, short):
        for back in range(3):
            SettledFundingRate.objects.create(
                instrument=instrument,
                settled_at=desk.now - timedelta(hours=8 * back),
                funding_rate=Decimal("0.0001"),
            )
    assert "as configured" in text_of(desk.client.get("/rates/BTC/").content.decode())

    for days, beta in ((3, "0.7"), (7, "0.45")):
        FittedBeta.objects.create(
            perpetual=short,
            other=long,
            half_life=timedelta(hours=72),
            days=days,
            beta=Decimal(beta),
            windows=93,
            fitted_at=desk.now - timedelta(days=12),
        )

    shown = text_of(desk.client.get("/rates/BTC/").content.decode())
    assert "3 d 70% , 7 d 45% ; fitted 12 d ago" in shown


def test_the_history_of_a_pair_shows_cap_and_floor_with_their_age(desk: Desk) -> None:
    page = "/rates/BTC/"
    before = text_of(desk.client.get(page).content.decode())
    instrument = desk.instruments["bybit", "BTC"]
    instrument.funding_cap, instrument.funding_floor = Decimal("0.00375"), Decimal("-0.00375")
    instrument.refreshed_at = desk.now - timedelta(minutes=20)
    instrument.save()

    after = text_of(desk.client.get(page).content.decode())

    assert "Highest and lowest funding" not in before
    assert "Bybit BTC-USDT +0.3750% / 8h −0.3750% / 8h 20 min ago" in after


def test_the_history_of_a_pair_shows_open_interest_and_turnover_with_their_ages(desk: Desk) -> None:
    page = "/rates/BTC/"
    before = text_of(desk.client.get(page).content.decode())
    Activity.objects.create(
        instrument=desk.instruments["bybit", "BTC"],
        open_interest=Decimal(20_000),
        open_interest_at=desk.now - timedelta(minutes=3),
        turnover_usd=Decimal(38_400_000),
        turnover_at=desk.now - timedelta(minutes=5),
    )
    Activity.objects.create(instrument=desk.instruments["binanceusdm", "BTC"])

    after = text_of(desk.client.get(page).content.decode())

    assert "Open interest and turnover" not in before
    # 20,000 coins at a mark of 100 are 2,000,000.
    assert "Bybit BTC-USDT 20,000 2.0M 3 min ago 38.4M 5 min ago" in after
    assert "Binance BTC-USDT ? ? not told ? not told" in after


def test_without_redis_the_page_says_down_and_never_green(desk: Desk) -> None:
    board_redis().flushdb()

    shown = text_of(desk.client.get("/").content.decode())

    assert "BIN DOWN ?" in shown
    assert "OK" not in shown.split("Engine")[1].split("Pause")[0]


def test_an_open_breaker_is_told_above_and_beside_its_venue_and_shuts_the_ticket(
    desk: Desk,
) -> None:
    opened_at = desk.now.replace(hour=14, minute=0, second=5)
    VenueHealth.objects.create(
        exchange=Exchange.objects.get(code="bybit"),
        state="open",
        failures=5,
        symptom="the venue answered HTTP 502",
        opened_at=opened_at,
    )

    page, ticket = (desk.client.get(path).content.decode() for path in ("/", "/ticket/?base=ETH"))

    sentence = (
        "Bybit failed 5 times in a row, the last time because the venue answered HTTP 502: since "
        "14:00:05 UTC nothing is opened there, until a probe succeeds; closing and look-ups go on."
    )
    [banner] = re.findall(r'<p class="bar warn">(.*?)</p>', page)
    assert text_of(banner) == sentence
    assert re.search(r"BYB .{0,20} breaker open", text_of(page))
    assert text_of(page).count("breaker open") == 1
    assert sentence in text_of(ticket)


def test_mixed_modes_are_unknown_and_block_the_ticket(desk: Desk) -> None:
    Exchange.objects.filter(code="bybit").update(mode="live")

    html = desk.client.get("/").content.decode()

    assert "MODE UNKNOWN" in html
    assert re.search(r'<button class="b pri[^>]* disabled>Open position', html)


def test_passed_over_pairs_say_why(desk: Desk) -> None:
    assert "Owner&#x27;s why." in desk.client.get("/opportunities/").content.decode()


def test_fees_that_are_assumed_are_marked_beside_their_figure(desk: Desk) -> None:
    assert "assumed at" not in desk.client.get("/opportunities/").content.decode()

    Opportunity.objects.update(details={"fees": "0.0021", "fees_assumed": ["bybit"]})

    shown = text_of(desk.client.get("/opportunities/").content.decode())
    assert "Fees, all legs both ways 21.0 bp assumed at bybit" in shown


def test_venues_that_tell_no_open_interest_are_named(desk: Desk) -> None:
    assert "Open interest" not in desk.client.get("/opportunities/").content.decode()

    Opportunity.objects.update(details={"interest_untold": ["bybit"]})

    shown = text_of(desk.client.get("/opportunities/").content.decode())
    assert "Open interest is not told at bybit: its 1 % does not bound the size there." in shown


def test_venues_that_tell_no_risk_tiers_are_named(desk: Desk) -> None:
    assert "Risk tiers" not in desk.client.get("/opportunities/").content.decode()

    Opportunity.objects.update(details={"tiers_untold": ["bybit"]})

    shown = text_of(desk.client.get("/opportunities/").content.decode())
    assert (
        "Risk tiers are not told at bybit: a large position is judged there by the lowest tier."
        in shown
    )


def test_pages_that_do_not_exist_answer_with_a_sentence(desk: Desk) -> None:
    answer = desk.client.get("/rates/NOPE/")

    assert answer.status_code == 404
    assert "it is not yours" in answer.content.decode()


def test_preferences_are_saved_and_a_zone_that_is_none_is_refused(desk: Desk) -> None:
    good = {"time_zone": "Europe/Berlin", "theme": "light", "profit_colours": "neutral"}
    assert desk.client.post("/preferences/", good).status_code == 302

    refused = desk.client.post("/preferences/", good | {"time_zone": "Berlin"})

    assert refused.status_code == 422
    assert "&#x27;Berlin&#x27; is not a time zone" in refused.content.decode()
    desk.user.refresh_from_db()
    assert (desk.user.time_zone, desk.user.theme) == ("Europe/Berlin", "light")


def test_the_calendar_shows_notices_and_changes_but_nobody_elses_fees(
    desk: Desk, stranger: User
) -> None:
    instrument = desk.instruments[("bybit", "BTC")]
    exchange = instrument.exchange
    VenueNotice.objects.create(
        exchange=exchange, starts_at=desk.now + timedelta(hours=3), note="Upgrade."
    )
    account = desk.user.exchange_accounts.get(exchange=exchange)
    for fact, whose in (("lot", None), ("taker_fee", account)):
        FactChange.objects.create(
            exchange=exchange,
            instrument=instrument,
            account=whose,
            fact=fact,
            old="1",
            new="2",
            seen_at=desk.now,
        )

    own = text_of(desk.client.get("/calendar/").content.decode())
    client = Client()
    client.force_login(stranger)
    strange = text_of(client.get("/calendar/").content.decode())

    assert "Upgrade." in own
    assert "taker fee" in own
    assert "Upgrade." in strange
    assert "lot" in strange
    assert "taker fee" not in strange
