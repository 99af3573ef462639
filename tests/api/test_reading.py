"""What a program reads: figures as texts, pages by cursor, nothing that nobody asked for."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest

from tests.api.conftest import Desk, Program
from tests.web import rows
from trading.models import Order, Position

pytestmark = pytest.mark.db


def test_the_status_tells_engine_and_venues_and_the_money_stands_apart(
    desk: Desk, own: Program
) -> None:
    told = own.get("status").json()

    assert told["mode"] == "SIMULATION"
    assert told["engine"]["state"] == "Paused"
    assert told["kill"] is None
    assert told["open_positions"] == 1
    assert [venue["code"] for venue in told["venues"]] == ["binanceusdm", "bybit"]
    money = own.get("money").json()
    # Ten base units at a mark of 100 on each of two legs.
    assert (money["gross_usd"], money["delta_usd"]) == ("2000", "0")


def test_a_position_tells_its_legs_and_the_parts_of_its_result(desk: Desk, own: Program) -> None:
    [listed] = own.get("positions").json()["results"]

    assert listed["id"] == str(desk.position.pk)
    assert [leg["base_quantity"] for leg in listed["legs"]] == ["10", "-10"]
    assert [leg["liquidation_distance"] for leg in listed["legs"]] == ["0.5", "0.5"]
    # Funding 3, fees of two legs 1, and a cent on each of ten units on both legs.
    assert listed["pnl"]["funding"] == "3"
    assert listed["pnl"]["fees"] == "1"
    assert listed["pnl"]["total"] == "1.8"
    one = own.get(f"positions/{desk.position.pk}").json()
    assert one["legs"] == listed["legs"]


def test_ended_positions_are_history_and_not_positions(desk: Desk, own: Program) -> None:
    ended = {"state": "closed", "close_timestamp": desk.now, "close_reason": "manual"}
    Position.objects.filter(pk=desk.position.pk).update(**ended)

    assert own.get("positions").json()["results"] == []
    [told] = own.get("history", base="BTC").json()["results"]
    assert told["close_reason"] == "manual"
    assert own.get("history", base="ETH").json()["results"] == []


def test_the_ledger_is_listed_and_narrowed(desk: Desk, own: Program) -> None:
    [sold, bought] = sorted(
        own.get("trades").json()["results"], key=lambda row: row["leg_side"], reverse=True
    )
    assert (bought["side"], bought["price"], bought["fee"]) == ("buy", "100.01", "0.5")
    assert (sold["side"], sold["price"]) == ("sell", "99.99")
    [paid] = own.get("funding", position=desk.position.pk).json()["results"]
    assert (paid["payment_usd"], paid["venue"]) == ("3", "bybit")
    assert len(own.get("orders", state="filled").json()["results"]) == 2
    assert own.get("orders", state="open").json()["results"] == []


def test_rates_tell_the_largest_first_and_their_interval(desk: Desk, own: Program) -> None:
    told = own.get("rates", top=2).json()["results"]

    assert [(row["venue"], row["funding_rate"]) for row in told] == [("bybit", "0.0004")] * 2
    # 0.0004 every 8 h: three times a day, 365 days.
    assert told[0]["apr"] == "0.438"
    assert told[0]["interval_seconds"] == 28_800
    assert len(own.get("rates", base="ETH", venue="bybit").json()["results"]) == 1


def test_opportunities_tell_why_they_were_passed_over(desk: Desk, own: Program) -> None:
    [found] = own.get("opportunities", status="passed").json()["results"]

    assert found["reason"] == "Owner's why."
    assert found["net_apr"] == "0.206"
    assert [(leg["side"], leg["venue"]) for leg in found["legs"]] == [("L", "BIN"), ("S", "BYB")]
    assert own.get("opportunities", status="taken").json()["results"] == []


def test_a_long_list_is_walked_to_its_end_once(desk: Desk, own: Program) -> None:
    first = Order.objects.filter(position=desk.position).values().first()
    assert first is not None
    for number in range(7):
        own_columns = {
            "id": uuid4(),
            "sequence": 10 + number,
            "client_order_id": f"more-{number}",
            # Two and two at one instant, so that a page ends between equals.
            "created_at": desk.now - timedelta(minutes=number // 2),
        }
        Order.objects.create(**first | own_columns)

    seen: list[str] = []
    answer = own.get("orders", page_size=2).json()
    while True:
        seen += [row["id"] for row in answer["results"]]
        if answer["next"] is None:
            break
        answer = own.get("orders", **dict(parse_qsl(urlsplit(answer["next"]).query))).json()

    assert len(seen) == len(set(seen)) == Order.objects.count() == 9


def test_an_unchanged_answer_is_not_sent_again(desk: Desk, own: Program) -> None:
    first = own.get("trades")
    again = own.client.get(
        "/api/v1/trades", headers=own.headers() | {"If-None-Match": first["ETag"]}
    )

    assert (again.status_code, again.content) == (304, b"")
    assert "private" in first["Cache-Control"]


def test_calculators_count_what_the_page_counts(own: Program) -> None:
    listed = {row["key"] for row in own.get("calculators").json()["results"]}
    told = own.get("calculators/income", income="50", rate="0.01", interval="8", price="50000")

    assert "income" in listed
    # 50 a day from three payments of 0.01 %: 50 / 0.0003.
    assert told.json()["figures"][0]["text"] == "$166,667"


def test_both_sides_of_every_account_are_told(desk: Desk, own: Program) -> None:
    row = rows.make_discrepancy(desk.position)
    told = own.get("reconciliation").json()

    assert {books["venue"] for books in told["accounts"]} == {"binanceusdm", "bybit"}
    [difference] = told["differences"]
    assert difference["id"] == str(row.pk)
    assert (difference["ours"], difference["theirs"]) == ("-10", "-12")


def test_the_bare_addresses_answer_alike(desk: Desk, own: Program) -> None:
    for path in ("positions", "history", "status"):
        bare = own.client.get(f"/api/{path}", headers=own.headers())
        assert bare.status_code == 200, path
        assert bare.json().keys() == own.get(path).json().keys()
    for path in ("/api/health", "/api/v1/health"):
        assert own.client.get(path).json()["database"] == "ok"
