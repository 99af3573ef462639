"""The numbered cards that every venue must pass, and which of them apply to which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from exchanges.domain import Symbol
from exchanges.simulator.listings import (
    BITGET,
    BYBIT,
    BYBIT_SPOT,
    DERIBIT,
    DYDX,
    GATE,
    HYPERLIQUID,
    KRAKEN,
    KRAKEN_FUTURES,
    KUCOIN,
    OKX,
    SPOT,
    USDM,
)

PERPETUAL, COIN = Symbol("BTC/USDT:USDT"), Symbol("BTC/USDT")
IN_USDC, IN_USD = Symbol("BTC/USDC:USDC"), Symbol("BTC/USD:USD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One market of one venue: `venue` is the adapter's name, `simulated` the simulator's.

    Of a paper account only the market is the venue's.
    """

    name: str
    venue: str
    simulated: str
    symbol: Symbol
    venue_symbol: str = "BTCUSDT"
    is_paper: bool = False
    # Nothing is traded there: only its market is under test.
    is_watched: bool = False
    # Whether its list of book tops tells all that stands there.
    tells_whole_tops: bool = True
    # Whether its funding is owed all along, and paid for a part of a period too.
    accrues: bool = False
    # Whether that is paid once a day, at 08:00 UTC.
    pays_daily: bool = False
    # Whether it tells an account's own fees.
    tells_fees: bool = True

    @property
    def is_contract(self) -> bool:
        return ":" in self.symbol

    @property
    def dollar(self) -> str:
        """Return what margins or pays for it."""
        return self.symbol.rpartition("/")[2].partition(":")[0]


SUBJECTS = (
    Subject(name="binance", venue="binance", simulated=SPOT, symbol=COIN),
    Subject(name="binanceusdm", venue="binanceusdm", simulated=USDM, symbol=PERPETUAL),
    Subject(name="bybit", venue="bybit", simulated=BYBIT, symbol=PERPETUAL),
    Subject(name="bybit spot", venue="bybit", simulated=BYBIT_SPOT, symbol=COIN),
    Subject(
        name="okx",
        venue="okx",
        simulated=OKX,
        symbol=PERPETUAL,
        venue_symbol="BTC-USDT-SWAP",
    ),
    Subject(name="okx spot", venue="okx", simulated=OKX, symbol=COIN, venue_symbol="BTC-USDT"),
    Subject(name="paper", venue="bybit", simulated=BYBIT, symbol=PERPETUAL, is_paper=True),
    Subject(name="paper spot", venue="bybit", simulated=BYBIT_SPOT, symbol=COIN, is_paper=True),
    # Paid by the hour on paper, for parts of it as the venue tells them.
    Subject(
        name="paper deribit",
        venue="deribit",
        simulated=DERIBIT,
        symbol=IN_USDC,
        venue_symbol="BTC_USDC-PERPETUAL",
        is_paper=True,
        accrues=True,
    ),
    Subject(
        name="hyperliquid",
        venue="hyperliquid",
        simulated=HYPERLIQUID,
        symbol=IN_USDC,
        venue_symbol="BTC",
        tells_whole_tops=False,
    ),
    Subject(name="bitget", venue="bitget", simulated=BITGET, symbol=PERPETUAL),
    Subject(name="kraken", venue="kraken", simulated=KRAKEN, symbol=COIN, venue_symbol="XBTUSDT"),
    Subject(
        name="gate",
        venue="gate",
        simulated=GATE,
        symbol=PERPETUAL,
        venue_symbol="BTC_USDT",
    ),
    Subject(
        name="krakenfutures",
        venue="krakenfutures",
        simulated=KRAKEN_FUTURES,
        symbol=IN_USD,
        venue_symbol="PF_XBTUSD",
        accrues=True,
        tells_fees=False,
    ),
    Subject(
        name="kucoin",
        venue="kucoin",
        simulated=KUCOIN,
        symbol=PERPETUAL,
        venue_symbol="XBTUSDTM",
    ),
    Subject(
        name="deribit",
        venue="deribit",
        simulated=DERIBIT,
        symbol=IN_USDC,
        venue_symbol="BTC_USDC-PERPETUAL",
        accrues=True,
        pays_daily=True,
    ),
    Subject(
        name="dydx",
        venue="dydx",
        simulated=DYDX,
        symbol=IN_USDC,
        venue_symbol="BTC-USD",
        is_watched=True,
    ),
)


def read(subject: Subject) -> bool:
    return True


def funded(subject: Subject) -> bool:
    return subject.is_contract


def any_market(subject: Subject) -> bool:
    """Every market that is traded."""
    return not subject.is_watched


def listed_tops(subject: Subject) -> bool:
    """No list of Deribit's tells how much stands at a touch: books are read one by one."""
    return any_market(subject) and subject.venue != DERIBIT


def once(subject: Subject) -> bool:
    """Gate and Deribit take an id again: there nobody but us refuses a second."""
    return any_market(subject) and (subject.is_paper or subject.venue not in (GATE, DERIBIT))


def contract(subject: Subject) -> bool:
    return subject.is_contract and not subject.is_watched


def hedged(subject: Subject) -> bool:
    """Hyperliquid, Kraken and Deribit have one position a contract, as paper has."""
    one_way = (HYPERLIQUID, KRAKEN_FUTURES, DERIBIT)
    return contract(subject) and subject.venue not in one_way and not subject.is_paper


def signed_stream(subject: Subject) -> bool:
    """Binance USD-M opens its private stream by key alone: a wrong secret is found elsewhere.

    Hyperliquid tells everybody of every wallet.
    """
    return subject.venue not in (USDM, HYPERLIQUID) and keyed(subject)


def fills_streamed(subject: Subject) -> bool:
    """Kraken's socket may add executions up: they are read, and the socket tells of orders."""
    return any_market(subject) and subject.venue != KRAKEN


def streamed(subject: Subject) -> bool:
    """A paper account's market is the venue's, streamed from there."""
    return not subject.is_paper


def wire(subject: Subject) -> bool:
    """A paper order travels no wire on which its answer could be lost; its streams are no own."""
    return any_market(subject) and not subject.is_paper


def keyed(subject: Subject) -> bool:
    """A paper account has no key and no mode that somebody could have switched."""
    return any_market(subject) and not subject.is_paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One promise of a port, in one sentence."""

    number: str
    port: str
    title: str
    applies: Callable[[Subject], bool] = any_market

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return tuple(subject for subject in SUBJECTS if self.applies(subject))


def _cards(*rows: tuple[str, str, Callable[[Subject], bool]]) -> tuple[Card, ...]:
    return tuple(
        Card(number=f"C{number:02}", port=port, title=title, applies=applies)
        for number, (port, title, applies) in enumerate(rows, start=1)
    )


T, A, M = "Trading", "Account", "MarketData"
MS, AS = "MarketStream", "AccountStream"
CARDS = _cards(
    (T, "A resting order is placed and found by our own id.", any_market),
    (T, "An order is cancelled, and a second cancel finds nothing.", any_market),
    (T, "A market order fills at an average price near the market.", any_market),
    (T, "An order for more than the touch holds is partly filled and works on.", any_market),
    (T, "A fill that comes later is told by the look-up.", any_market),
    (T, "An order that the account cannot carry is refused for it.", any_market),
    (T, "The same id twice is told as already there, and placed once.", once),
    (T, "An order that nobody placed is not found.", any_market),
    (T, "An accepted order whose answer is lost is unknown, sent once and found.", wire),
    (T, "Reduce-only with nothing to reduce is refused and opens nothing.", contract),
    (T, "A quantity or price off the grid is not sent.", any_market),
    (T, "An order below the least size or value is refused.", any_market),
    (T, "A leverage that is not offered is refused.", any_market),
    (T, "An account in hedge mode is refused with what to do.", hedged),
    (A, "A funding payment has the ledger's number, sign and every digit.", contract),
    (A, "A fill has the ledger's price, quantity and fee, > 0 where paid.", any_market),
    (A, "A short position is negative, in coins.", contract),
    (A, "A flat account reads empty; a failed read raises.", any_market),
    (A, "Balance and fees are the account's own.", any_market),
    (A, "A key that may withdraw is refused.", keyed),
    (M, "Instruments are exact, active and of a known tick and lot.", read),
    (M, "The funding interval is a fact with a source.", funded),
    (M, "Quote and book top agree with the depth.", listed_tops),
    (M, "Settlements come oldest first, each once.", funded),
    (MS, "A book top arrives, of a perpetual its mark and its rate too.", streamed),
    (AS, "An own fill is streamed as it is read.", fills_streamed),
    (AS, "A wrong secret ends the stream.", signed_stream),
)
BY_NUMBER = {card.number: card for card in CARDS}


def card(number: str) -> Callable[[Any], Any]:
    """Mark a test as that card's, run for every market that the card applies to."""
    # The rows of a paper account are written on a thread of its own.
    rows = pytest.mark.django_db(transaction=True)
    subjects = [
        pytest.param(one, id=one.name, marks=[rows] if one.is_paper else [])
        for one in BY_NUMBER[number].subjects
    ]

    def marked(test: Any) -> Any:
        test.card = number
        return pytest.mark.parametrize("bench", subjects, indirect=True)(test)

    return marked
