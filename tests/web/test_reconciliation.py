"""The reconciliation page, and what a person decides about held positions and differences."""

from __future__ import annotations

from html import unescape

import pytest
from django.utils import timezone

from exchanges.account_keys import seal_keys
from tests.web.conftest import Desk
from tests.web.rows import make_discrepancy
from trading.core.states import PositionState
from trading.models import AccountReview, Discrepancy, Position
from trading.services import engine
from trading.services.halt import halt_account

pytestmark = pytest.mark.db

HTMX = {"HX-Request": "true"}


def page(desk: Desk) -> str:
    return unescape(desk.client.get("/reconciliation/").content.decode())


def held(desk: Desk, reason: str = "Bybit says -12 BTC, our fills say -10") -> Position:
    # The state is set as a whole row would be found: the tables forbid nothing to a test's set-up.
    Position.objects.filter(pk=desk.position.pk).update(
        state=PositionState.HELD, held_reason=reason, held_at=timezone.now()
    )
    desk.position.refresh_from_db()
    return desk.position


def test_both_sides_of_an_account_stand_beside_each_other(desk: Desk) -> None:
    text = page(desk)

    # The short leg sold 10 and the venue reports 10 sold.
    assert "−10" in text
    assert ">equal<" in text.replace("</i> equal", "</i>>equal")
    assert "Nothing to decide" in text


def test_a_difference_is_shown_with_its_quantity_value_and_choices(desk: Desk) -> None:
    make_discrepancy(desk.position)

    text = page(desk)

    # Two more sold at a mark of 100.
    assert "Owner's difference." in text
    assert "−2" in text
    assert "$200" in text
    assert "Ignore…" in text
    assert "Close ours…" in text
    assert "Adopt…" not in text


def test_a_decision_is_confirmed_with_figures_and_taken_once(desk: Desk) -> None:
    row = make_discrepancy(desk.position)
    address = f"/reconciliation/differences/{row.pk}/ignored/"
    dialog = unescape(desk.client.get(address, headers=HTMX).content.decode())
    assert "−2 ($200.00) is not ours and is left alone" in dialog

    first = desk.client.post(address, {"seen": "-10 -12"}, headers=HTMX)
    second = desk.client.post(address, {"seen": "-10 -12"}, headers=HTMX)

    assert first.status_code == 200
    assert second.status_code == 422
    row.refresh_from_db()
    assert (row.resolution, row.resolved_by) == ("ignored", "owner")
    assert desk.user.events.filter(kind="discrepancy.resolved").count() == 1
    assert "owner" in page(desk)


def test_figures_that_moved_are_shown_again_before_anything_is_decided(desk: Desk) -> None:
    row = make_discrepancy(desk.position)
    Discrepancy.objects.filter(pk=row.pk).update(theirs=-15)

    answer = desk.client.post(
        f"/reconciliation/differences/{row.pk}/ignored/", {"seen": "-10 -12"}, headers=HTMX
    )

    assert answer.status_code == 409
    assert "figures have changed" in answer.content.decode()
    row.refresh_from_db()
    assert row.resolved_at is None


def test_closing_ours_asks_for_the_exit_of_our_own_quantity(desk: Desk) -> None:
    row = make_discrepancy(desk.position)

    desk.client.post(f"/reconciliation/differences/{row.pk}/closed/", {"seen": "-10 -12"})

    desk.position.refresh_from_db()
    assert (desk.position.goal, desk.position.close_reason) == ("flat", "discrepancy")


def test_writing_off_says_what_is_gone_what_it_is_worth_and_what_it_does(desk: Desk) -> None:
    row = make_discrepancy(desk.position, kind="missing", theirs=-7)
    assert "Write off…" in page(desk)

    dialog = unescape(
        desk.client.get(
            f"/reconciliation/differences/{row.pk}/written_off/", headers=HTMX
        ).content.decode()
    )

    # 3 of the 10 sold at a mark of 100.
    assert "−3 BTC ($300.00) of our leg is gone without a fill" in dialog
    assert "booked as closed at $100.00, the mark of now, without a fee" in dialog
    assert "money moved out" not in dialog
    assert "Type WRITE OFF BTC to confirm" in dialog


@pytest.mark.parametrize("typed", ["", "WRITE OFF", "WRITE OFF ETH"])
def test_writing_off_needs_its_words(desk: Desk, typed: str) -> None:
    row = make_discrepancy(desk.position, kind="missing", theirs=-7)

    answer = desk.client.post(
        f"/reconciliation/differences/{row.pk}/written_off/",
        {"seen": "-10 -7", "phrase": typed},
        headers=HTMX,
    )

    assert answer.status_code == 422
    assert "type WRITE OFF BTC" in answer.content.decode()


def test_nothing_is_written_off_that_the_venue_was_not_asked_about_once_more(desk: Desk) -> None:
    row = make_discrepancy(desk.position, kind="missing", theirs=-7)
    row.account.sealed_keys = seal_keys(row.account, api_key="a", secret="b")  # type: ignore[assignment]  # as in store_account
    row.account.save()

    answer = desk.client.post(
        f"/reconciliation/differences/{row.pk}/written_off/",
        {"seen": "-10 -7", "phrase": "write off btc"},
        headers=HTMX,
    )

    assert answer.status_code == 422
    assert "Bybit could not be read" in unescape(answer.content.decode())
    row.refresh_from_db()
    assert row.resolved_at is None
    assert not desk.position.trades.filter(order=None).exists()


@pytest.mark.parametrize(
    "what", [{"theirs": -12}, {"kind": "missing", "theirs": -7, "confirmed_at": None}]
)
def test_what_is_not_ours_and_what_may_be_lag_cannot_be_written_off(
    desk: Desk, what: dict[str, object]
) -> None:
    row = make_discrepancy(desk.position, **what)
    assert "Write off…" not in page(desk)

    answer = desk.client.post(
        f"/reconciliation/differences/{row.pk}/written_off/",
        {"seen": f"-10 {what['theirs']}", "phrase": "WRITE OFF BTC"},
        headers=HTMX,
    )

    assert answer.status_code == 422
    assert "Only what is surely missing of our leg" in answer.content.decode()


def test_a_word_that_is_no_choice_is_not_found(desk: Desk) -> None:
    row = make_discrepancy(desk.position)

    assert desk.client.get(f"/reconciliation/differences/{row.pk}/burned/").status_code == 404


def test_reconcile_now_asks_the_engine_for_it(desk: Desk) -> None:
    account = desk.user.exchange_accounts.first()
    assert account is not None

    answer = desk.client.post(f"/reconciliation/{account.pk}/compare/", headers=HTMX)

    assert "is compared with its venue within seconds" in answer.content.decode()
    assert AccountReview.objects.get().reason == "asked for by owner"


def test_a_halted_account_says_why_on_the_page(desk: Desk) -> None:
    account = desk.user.exchange_accounts.first()
    assert account is not None
    halt_account(account, reason="it holds what is not ours", now=desk.now)

    assert "it holds what is not ours" in page(desk)


def test_a_held_position_says_what_happened_what_is_exposed_and_what_helps(desk: Desk) -> None:
    position = held(desk)

    text = unescape(desk.client.get(f"/positions/{position.pk}/").content.decode())

    assert "Bybit says -12 BTC, our fills say -10" in text
    assert "long +10 on BIN, short −10 on BYB; hedged" in text
    for button in ("Release after check…", "Close now…", "Close one leg alone…"):
        assert button in text


def test_an_unhedged_held_position_offers_to_hedge_and_names_the_exposure(desk: Desk) -> None:
    position = held(desk)
    leg = position.legs.get(index=1)
    leg.orders.update(filled_base_quantity=4)

    text = unescape(desk.client.get(f"/positions/{position.pk}/").content.decode())

    # 10 bought, 4 sold, at a mark of 100.
    assert "unhedged +6 BTC, +$600.00" in text
    assert "Hedge now…" in text


def test_releasing_lets_the_plan_act_again_once(desk: Desk) -> None:
    position = held(desk)
    address = f"/positions/{position.pk}/release/"
    assert "read back" in desk.client.get(address, headers=HTMX).content.decode()

    desk.client.post(address, headers=HTMX)
    again = desk.client.post(address, headers=HTMX)

    position.refresh_from_db()
    assert position.state == PositionState.UNWINDING
    assert position.changes.get(event="released").cause == "released by owner after a check"
    assert again.status_code == 422
    assert "is unwinding, not held" in again.content.decode()


def test_closing_a_held_position_by_hand_counts_as_asking_after_the_hold(desk: Desk) -> None:
    position = held(desk)
    desk.client.post(f"/positions/{position.pk}/close/")

    position.refresh_from_db()
    assert position.held_at is not None
    assert position.exit_requested_at is not None
    assert position.exit_requested_at > position.held_at


@pytest.mark.parametrize("typed", ["", "ONE LEG", "ONE LEG ETH"])
def test_closing_one_leg_alone_needs_its_words(desk: Desk, typed: str) -> None:
    position = held(desk)

    answer = desk.client.post(f"/positions/{position.pk}/one-sided/", {"phrase": typed})

    assert answer.status_code == 422
    assert "type ONE LEG BTC" in answer.content.decode()
    position.refresh_from_db()
    assert not position.force_one_sided


def test_closing_one_leg_alone_is_allowed_by_a_person_and_told(desk: Desk) -> None:
    position = held(desk)

    desk.client.post(f"/positions/{position.pk}/one-sided/", {"phrase": "one leg btc"})

    position.refresh_from_db()
    assert position.force_one_sided
    assert position.goal == "flat"
    assert desk.user.events.filter(kind="position.one_sided", severity="critical").exists()


def test_the_page_says_when_an_account_was_compared(desk: Desk) -> None:
    assert "never compared" in page(desk)

    for account in desk.user.exchange_accounts.all():
        engine.note_reconciled(account.pk, now=desk.now)

    assert f"compared {desk.now:%H:%M:%S} UTC" in page(desk)
