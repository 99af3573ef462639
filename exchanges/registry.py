"""(venue, credential, mode) → ports: the only place that knows the mode.

Adapters are resolved by dotted name at first use, so that a web process which never asks for one
never loads the client library. Everything is cached per process, and its clients run on the loop
of `exchanges.loop`. A forked child starts with an empty cache.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from threading import RLock
from typing import Any, cast

from django.conf import settings

from exchanges import loop
from exchanges.domain import Instrument
from exchanges.errors import Block, VenueError
from exchanges.limits.limiter import ALONE_SHARE, Limiter
from exchanges.modes import Mode
from exchanges.outcomes import Outcome, of_this_process
from exchanges.ports import Account, AccountStream, MarketData, MarketStream, Trading
from exchanges.venues import PROFILES

CLIENT = "exchanges.ccxt_adapter.client"
MARKET_DATA = "exchanges.ccxt_adapter.market_data"
STREAMS = "exchanges.ccxt_adapter.streams"
TRADING = "exchanges.ccxt_adapter.trading"
ACCOUNT = "exchanges.ccxt_adapter.account"
PAPER = "exchanges.paper"

WARM_UP_SECONDS = 30.0
CLOSE_SECONDS = 10.0

_REFUSALS = {
    Mode.LIVE: "Live trading stays shut until its go-live checks exist: use rehearsal.",
}


class ModeRefused(VenueError):
    """This mode may not be used; the message says why and what to use."""


class VenueReadOnly(VenueError):
    """Nothing is traded at this venue in this mode; the message says why."""


class VenueUnknown(VenueError):
    """No such venue is supported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKey:
    """What opens one account. It shows no secret."""

    credential_id: str
    venue: str
    mode: Mode
    owner_id: str = ""
    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)


class _Cache:
    """The catalogues, clients and ports of one process, and its way to the shared limits."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.limiter = Limiter(settings.REDIS_URL, share=ALONE_SHARE / _processes)
        self.catalogues: dict[tuple[str, Mode, bool], Any] = {}
        self.clients: dict[Hashable, Any] = {}
        self.ports: dict[Hashable, Any] = {}
        self.public_sides: dict[str, Any] = {}
        self.remembered: set[Hashable] = set()


_lock = RLock()
_cache: _Cache | None = None
# How many processes do what this one does.
_processes = 1


def share_with(processes: int) -> None:
    """Keep to an equal part of what `processes` of a kind, this one among them, may do together.

    That is openings of sockets, which no process counts for another, and requests while Redis does
    not count them. Call it before anything else here.
    """
    global _processes
    close_all()
    _processes = processes


def market_data(venue: str, mode: Mode) -> MarketData:
    """Return the public reads of a venue."""
    data = _port(MARKET_DATA, "CcxtMarketData", (venue, mode, MARKET_DATA))
    if mode is Mode.PAPER:
        return cast(MarketData, _paper_port("market_data", "PaperMarketData", venue, data))
    return cast(MarketData, data)


def market_stream(venue: str, mode: Mode) -> MarketStream:
    """Return the public WebSockets of a venue, with reads by REST of what they do not tell."""
    return cast(MarketStream, _port(STREAMS, "CcxtMarketStream", (venue, mode, STREAMS)))


def trading(key: AccountKey) -> Trading:
    """Return the orders of one account. Raise VenueReadOnly."""
    _refuse_accounts(key)
    if key.mode is Mode.PAPER:
        return cast(Trading, _paper_port("trading", "PaperTrading", key, _paper_venue(key)))
    return cast(Trading, _port(TRADING, "CcxtTrading", key))


def account(key: AccountKey) -> Account:
    """Return the private reads of one account. Raise VenueReadOnly."""
    _refuse_accounts(key)
    if key.mode is Mode.PAPER:
        return cast(Account, _paper_port("account", "PaperReads", key, _paper_venue(key)))
    return cast(Account, _port(ACCOUNT, "CcxtAccount", key))


def account_stream(key: AccountKey) -> AccountStream:
    """Return the own orders and fills of one account by WebSocket. Raise VenueReadOnly."""
    _refuse_accounts(key)
    if key.mode is Mode.PAPER:
        return cast(AccountStream, _paper_port("stream", "PaperStream", key, _paper_venue(key)))
    return cast(AccountStream, _port(STREAMS, "CcxtAccountStream", key))


def remember(key: AccountKey, traded: Callable[[], Iterable[Instrument]]) -> None:
    """Have this process know what was traded at an account's venue, listed or not; asks once."""
    _refuse_accounts(key)
    place = (key.venue, key.mode)
    with _lock:
        if place in _current().remembered:
            return
    _client(_speaker(key)).remember(traded())
    with _lock:
        _current().remembered.add(place)


def why_no_dead_man(venue: str) -> str:
    """Return why a venue's orders are not counted down, empty where they are."""
    return PROFILES[venue].uncounted


def warm_up(keys: Collection[AccountKey]) -> None:
    """Load listings and open connections for accounts, and keep them so, before an order comes.

    A venue that does not answer is left cold; the first call to it says so.
    """
    loop.call(_warm([_client(_speaker(key)) for key in keys]), WARM_UP_SECONDS)


def limiter() -> Limiter:
    """Return this process's way to the shared limits."""
    with _lock:
        return _current().limiter


def close_all() -> None:
    """Close every client of this process; a later call builds new ones."""
    global _cache
    with _lock:
        closing, _cache = _cache, None
    if closing is not None and closing.pid == os.getpid() and closing.clients:
        loop.call(_close([*closing.clients.values(), closing.limiter]), CLOSE_SECONDS)


def _speaker(key: AccountKey) -> AccountKey | tuple[str, Mode, str]:
    """Return whose client speaks for an account: its own, or of a paper account the public one."""
    return (key.venue, key.mode, MARKET_DATA) if key.mode is Mode.PAPER else key


def _port(module: str, class_name: str, owner: AccountKey | tuple[str, Mode, str]) -> Any:
    """Return the cached adapter on the client of `owner`: an account, or one public use."""
    client = _client(owner)
    with _lock:
        ports = _current().ports
        if (class_name, owner) not in ports:
            ports[class_name, owner] = getattr(import_module(module), class_name)(client)
        return ports[class_name, owner]


def _paper_port(module: str, class_name: str, owner: Hashable, behind: Any) -> Any:
    """Return the cached paper port of an account or a venue, on what it stands on."""
    with _lock:
        ports = _current().ports
        if (class_name, owner) not in ports:
            found = import_module(f"{PAPER}.{module}")
            ports[class_name, owner] = getattr(found, class_name)(behind)
        return ports[class_name, owner]


def _paper_venue(key: AccountKey) -> Any:
    """Return the one paper account of a key; those at one venue read its public side together."""
    data = market_data(key.venue, key.mode)
    with _lock:
        cache = _current()
        side = cache.public_sides.get(key.venue)
        if side is None:
            found = import_module(f"{PAPER}.public_side")
            side = cache.public_sides[key.venue] = found.PublicSide(data, PROFILES[key.venue])
        if (PAPER, key) not in cache.clients:
            venue = import_module(f"{PAPER}.venue").PaperVenue(key.credential_id, side)
            cache.clients[PAPER, key] = venue
        return cache.clients[PAPER, key]


def _client(owner: AccountKey | tuple[str, Mode, str]) -> Any:
    """Return the one client of an account, or of one public use of a venue."""
    credential = None
    if isinstance(owner, AccountKey):
        venue, mode = owner.venue, owner.mode
    else:
        venue, mode, _ = owner
    _refuse(venue, mode)
    with _lock:
        cache, library = _current(), import_module(CLIENT)
        if owner in cache.clients:
            return cache.clients[owner]
        if isinstance(owner, AccountKey):
            credential = library.Credential(
                name=owner.credential_id,
                tenant=owner.owner_id,
                api_key=owner.api_key,
                secret=owner.secret,
                passphrase=owner.passphrase,
            )
        practice = PROFILES[venue].practice if credential and mode is Mode.TESTNET else None
        # What a place for practice lists is its own.
        place = (venue, mode, practice is not None)
        catalogue = cache.catalogues.get(place)
        if catalogue is None:
            catalogue = cache.catalogues[place] = library.Catalogue(
                PROFILES[venue], processes=_processes
            )
        cache.clients[owner] = library.VenueClient(
            catalogue,
            credential=credential,
            simulator_url=_elsewhere(mode),
            practice=practice,
            surroundings=library.Surroundings(
                limiter=cache.limiter,
                address=f"{mode}:{settings.CARRY_ADDRESS}",
                note=partial(_note, venue, mode),
                note_block=partial(_note_block, venue, mode),
            ),
        )
        return cache.clients[owner]


def _note(venue: str, mode: Mode, symptom: str) -> None:
    of_this_process.note(Outcome(venue=venue, mode=mode, symptom=symptom))


def _note_block(venue: str, mode: Mode, block: Block) -> None:
    of_this_process.note(Outcome(venue=venue, mode=mode, block=block))


def _refuse(venue: str, mode: Mode) -> None:
    if mode in _REFUSALS:
        raise ModeRefused(_REFUSALS[mode], venue=venue)
    if venue not in PROFILES:
        raise VenueUnknown(f"{venue!r} is not a supported venue: choose {', '.join(PROFILES)}")
    if mode is Mode.TESTNET and PROFILES[venue].practice is None:
        raise ModeRefused("this venue has no accounts for practice", venue=venue)
    if mode is Mode.REHEARSAL and not settings.CARRY_SIMULATOR_URL:
        raise ModeRefused(
            "Rehearsal needs the venue simulator, and CARRY_SIMULATOR_URL is not set.", venue=venue
        )


def _refuse_accounts(key: AccountKey) -> None:
    known = PROFILES.get(key.venue)
    if known is not None and (why := known.untraded(key.mode)):
        raise VenueReadOnly(why, venue=key.venue)


def _elsewhere(mode: Mode) -> str | None:
    """Return where a mode's requests go instead of to the venues themselves."""
    url = settings.CARRY_SIMULATOR_URL if mode is Mode.REHEARSAL else settings.CARRY_VENUES_URL
    return url or None


def _current() -> _Cache:
    global _cache
    if _cache is None or _cache.pid != os.getpid():
        _cache = _Cache()
    return _cache


async def _warm(clients: list[Any]) -> None:
    await asyncio.gather(*(client.ready() for client in clients), return_exceptions=True)
    for client in clients:
        client.keep_warm()


async def _close(clients: list[Any]) -> None:
    await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)


def _forget_lock() -> None:
    """Replace a lock that another thread may have held when this process was forked."""
    global _lock
    _lock = RLock()


os.register_at_fork(after_in_child=_forget_lock)
