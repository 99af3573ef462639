"""What calls say of a venue's health: who does not answer is ill, who says no is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import pytest

from exchanges import loop
from exchanges.ccxt_adapter import library
from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.errors import CredentialRefused, OrderNotFound, VenueError
from exchanges.loop import DeadlinePassed
from exchanges.venues import PROFILES
from tests.protocol.conftest import DATED, VENUES, Desk, OpenDesk, Simulator, poll, run

pytestmark = pytest.mark.protocol


@dataclass
class Patient:
    """One account at a venue, and all that its calls have said of the venue."""

    desk: Desk
    client: VenueClient
    said: list[str]

    @property
    def trading(self) -> CcxtTrading:
        return CcxtTrading(self.client)

    @property
    def account(self) -> CcxtAccount:
        return CcxtAccount(self.client)

    @property
    def market(self) -> CcxtMarketData:
        return CcxtMarketData(self.client)

    def fail(self, call: Callable[[], object], kind: type[Exception] = VenueError) -> list[str]:
        """Return what a call that must fail says."""
        self.said.clear()
        with pytest.raises(kind):
            call()
        return list(self.said)


@pytest.fixture(params=VENUES)
def patient(
    request: pytest.FixtureRequest, simulator: Simulator, open_desk: OpenDesk
) -> Iterator[Patient]:
    desk = open_desk(request.param)
    said: list[str] = []
    client = VenueClient(
        Catalogue(PROFILES[desk.venue]),
        credential=Credential(
            api_key=desk.key.api_key, secret=desk.key.secret, passphrase=desk.key.passphrase
        ),
        simulator_url=simulator.url,
        surroundings=Surroundings(note=said.append),
    )
    run(client.ready())
    yield Patient(desk, client, said)
    run(client.close())


@pytest.mark.parametrize(
    ("action", "rule", "symptom"),
    [
        ("server_error", {}, "the venue answered HTTP 502"),
        ("server_error", {"status": 503, "code": -1000, "message": "Unknown"}, "Unknown"),
        ("drop_before_accept", {"count": 5}, "the connection to the venue failed"),
        ("garbage", {"garbage": "truncated"}, "the answer was cut off"),
        ("garbage", {"garbage": "html"}, "the answer was cut off"),
        ("garbage", {"garbage": "null"}, "the answer was cut off"),
        ("garbage", {"garbage": "object"}, "the answer was cut off"),
    ],
)
def test_a_read_without_a_proper_answer_is_one_failure_with_its_symptom(
    undisturbed: Simulator, patient: Patient, action: str, rule: dict[str, object], symptom: str
) -> None:
    undisturbed.disturb(action, venue=patient.desk.venue, **rule)

    [said] = patient.fail(lambda: run(poll(patient.market)))

    assert symptom in said


@pytest.mark.parametrize(
    "rule",
    [{"action": "server_error"}, {"action": "garbage", "garbage": "object"}],
    ids=["server error", "no venue id"],
)
def test_an_order_without_a_proper_answer_is_one_failure(
    undisturbed: Simulator, patient: Patient, rule: dict[str, str]
) -> None:
    order = patient.desk.resting()
    undisturbed.disturb(**rule, method="POST", client_order_id=order.client_order_id)

    [said] = patient.fail(lambda: run(patient.trading.submit(order)))

    assert said


def test_who_gives_up_on_a_venue_that_is_silent_says_so(
    undisturbed: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public read may take longer than those who ask for it wait."""
    monkeypatch.setattr(library, "ORDER_TIMEOUT_SECONDS", 1.0)
    said: list[str] = []
    client = VenueClient(
        Catalogue(PROFILES["bybit"]),
        simulator_url=undisturbed.url,
        surroundings=Surroundings(note=said.append),
    )
    undisturbed.disturb("accept_no_answer", method="GET", venue="bybit", count=2)

    for seconds in (0.5, 1.2):
        with pytest.raises(DeadlinePassed):
            loop.call(CcxtMarketData(client).server_time(), seconds)
    run(client.close())

    assert said == ["the venue did not answer in time"]


def test_a_refused_order_and_one_that_is_not_known_are_proper_answers(patient: Patient) -> None:
    huge = patient.desk.resting(quantity="90")
    unknown = patient.desk.resting().client_order_id

    assert patient.fail(lambda: run(patient.trading.submit(huge))) == [""]
    look_up = partial(patient.trading.find_order, unknown, patient.desk.symbol)
    assert patient.fail(lambda: run(look_up()), OrderNotFound) == [""]


@pytest.mark.parametrize("action", ["rate_limit", "ban"])
def test_a_venue_that_wants_silence_is_not_ill(
    undisturbed: Simulator, patient: Patient, action: str
) -> None:
    undisturbed.disturb(action, venue=patient.desk.venue, retry_after=1)

    assert patient.fail(lambda: run(poll(patient.market))) == []


def test_a_key_that_is_refused_says_nothing_of_the_venue(
    simulator: Simulator, open_desk: OpenDesk
) -> None:
    """However often somebody's bad key is refused, the venue stays open for all others.

    Hyperliquid's reads ask for no key.
    """
    for venue in ("binance", *DATED):
        desk = open_desk(venue)
        said: list[str] = []
        client = VenueClient(
            Catalogue(PROFILES[venue]),
            credential=Credential(api_key=desk.key.api_key, secret="not-the-secret"),
            simulator_url=simulator.url,
            surroundings=Surroundings(note=said.append),
        )
        run(client.ready())
        said.clear()
        for _ in range(6):
            with pytest.raises(CredentialRefused):
                run(CcxtAccount(client).balances())
        with pytest.raises(CredentialRefused):
            run(
                CcxtTrading(client).prepare(desk.symbol, leverage=Decimal(1))
                if venue != "binance"
                else CcxtTrading(client).open_orders()
            )
        run(client.close())

        assert said == []


def test_an_answer_is_a_proper_answer(patient: Patient) -> None:
    patient.said.clear()

    run(patient.account.balances())

    assert patient.said == [""]
