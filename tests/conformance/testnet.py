"""Plays the cards that need no scripted venue on a venue's own testnet, by hand, with a key.

CARRY_TESTNET_KEY=… CARRY_TESTNET_SECRET=… [CARRY_TESTNET_PASSPHRASE=…] \\
    python -m tests.conformance.testnet MARKET [--most 250]

MARKET is a column of docs/VENUES.md. The client speaks to the venue's place for practice and to no
other; a market that is not flat is refused, and whatever happens it is left flat. `--most` is what
one order may be worth, in what the market is quoted in. Nothing is written down.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal

from exchanges.ccxt_adapter.account import CcxtAccount
from exchanges.ccxt_adapter.client import Catalogue, VenueClient
from exchanges.ccxt_adapter.library import Credential, Surroundings
from exchanges.ccxt_adapter.market_data import CcxtMarketData
from exchanges.ccxt_adapter.trading import CcxtTrading
from exchanges.errors import VenueError
from exchanges.limits.lanes import Lane, asking
from exchanges.limits.limiter import Limiter
from exchanges.venues import PROFILES
from tests.conformance.cards import BY_NUMBER, SUBJECTS, Subject
from tests.conformance.testnet_cards import PATIENCE, PLAYED, Market, NotFlat

Say = Callable[[str], None]
PASSED, FAILED, REFUSED = 0, 1, 2
MOST = Decimal(250)


async def play(
    market: str,
    credential: Credential,
    *,
    most: Decimal = MOST,
    venues_url: str | None = None,
    say: Say = print,
) -> int:
    """Play the cards and say what came of each; return 0 where all passed and the market is flat.

    `venues_url`: a simulator that stands for the venues.
    """
    subject = next((one for one in SUBJECTS if one.name == market), None)
    if subject is None or (refusal := _refusal(subject)):
        say(f"refused: {refusal if subject else f'{market!r} is no column of docs/VENUES.md'}")
        return REFUSED
    client = _client_at_practice(subject, credential, venues_url)
    try:
        # Nobody else asks with this key: what must wait for a limit may.
        with asking(Lane.CLOSE, within=PATIENCE):
            return await _play(client, subject, most, say)
    except (VenueError, NotFlat) as failure:
        say(f"refused: {failure}")
        return REFUSED
    finally:
        await client.close()


def _refusal(subject: Subject) -> str:
    if subject.is_paper:
        return "a paper account has no venue to ask"
    if PROFILES[subject.venue].practice is None:
        return f"{PROFILES[subject.venue].title} has no accounts for practice"
    return ""


def _client_at_practice(
    subject: Subject, credential: Credential, venues_url: str | None
) -> VenueClient:
    profile = PROFILES[subject.venue]
    assert profile.practice is not None
    return VenueClient(
        Catalogue(profile),
        credential=credential,
        practice=profile.practice,
        simulator_url=venues_url,
        surroundings=Surroundings(limiter=Limiter(share=1), address="testnet"),
    )


async def _play(client: VenueClient, subject: Subject, most: Decimal, say: Say) -> int:
    trading, account, data = CcxtTrading(client), CcxtAccount(client), CcxtMarketData(client)
    market = await Market.opened(subject, trading, account, data, most)
    results = []
    try:
        for number, played in PLAYED:
            results.append(await _result(number, played, market))
            say(f"{number}  {BY_NUMBER[number].title}  {results[-1]}")
    finally:
        left = await market.flatten()
        say(f"not flat: {left}" if left else "flat: no order and no position is left")
    is_good = not left and all(result in ("passed", "-") for result in results)
    return PASSED if is_good else FAILED


async def _result(number: str, played: Callable[[Market], object], market: Market) -> str:
    if market.subject not in BY_NUMBER[number].subjects:
        return "-"
    try:
        await played(market)  # type: ignore[misc]
    except (AssertionError, VenueError, TimeoutError) as failure:
        return f"FAILED: {type(failure).__name__}: {failure}"
    return "passed"


def credential_of(environment: Mapping[str, str]) -> Credential:
    """Return the key of the environment; raise KeyError with the name of what is missing."""
    return Credential(
        name="testnet",
        api_key=environment["CARRY_TESTNET_KEY"],
        secret=environment["CARRY_TESTNET_SECRET"],
        passphrase=environment.get("CARRY_TESTNET_PASSPHRASE", ""),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Play the cards on a venue's testnet.")
    parser.add_argument("market", help="a column of docs/VENUES.md, e.g. bybit or 'okx spot'")
    parser.add_argument("--most", type=Decimal, default=MOST, help="what one order may be worth")
    chosen = parser.parse_args()
    try:
        credential = credential_of(os.environ)
    except KeyError as missing:
        parser.error(f"{missing.args[0]} is not set: it names a key of the testnet alone")
    url = os.environ.get("CARRY_VENUES_URL") or None
    return asyncio.run(play(chosen.market, credential, most=chosen.most, venues_url=url))


if __name__ == "__main__":
    sys.exit(main())
