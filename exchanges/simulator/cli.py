"""Command line of the simulator: state, market and ports."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType

from exchanges.simulator.control import ControlDoor
from exchanges.simulator.core import Simulator
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.listings import EPISODE_ORDER, many_bases
from exchanges.simulator.market import GeneratedMarket, Market, UnusableRecording
from exchanges.simulator.quarters import quarterly
from exchanges.simulator.server import Doors, listen
from exchanges.simulator.storage import Storage
from exchanges.simulator.venues import Venues
from exchanges.simulator.wire import Json

logger = logging.getLogger(__name__)
DEFAULT_SEED = 20250701
BORN = "born"
EXPIRIES = "expiries"


class ForeignState(Exception):
    """The state directory was begun with another market; the text says what to do."""


def add_arguments(parser: argparse.ArgumentParser, *, state: Path | None = None) -> None:
    """Declare the options; without a default `state` the directory must be given."""
    parser.add_argument("--port", type=int, required=True, help="port of all venues")
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument(
        "--state",
        type=Path,
        default=state,
        required=state is None,
        help="directory of ledger, seed and clock",
    )
    parser.add_argument("--seed", type=int, help="of a new market; an existing one keeps its own")
    parser.add_argument(
        "--interval-minutes", type=float, default=4, help="between settlements; 0.5 is 30 s"
    )
    parser.add_argument(
        "--symbols", type=int, default=len(EPISODE_ORDER), help="contracts of each venue"
    )
    parser.add_argument(
        "--watched",
        action="store_true",
        help="list dYdX, Bitget, Deribit, Gate, KuCoin and both Krakens, which no rehearsal needs",
    )
    parser.add_argument(
        "--replay", type=Path, nargs="+", help="Parquet or CSV files of funding and prices"
    )
    parser.add_argument(
        "--expiry",
        type=day,
        nargs="+",
        help="when dated futures are delivered; default: the next two quarters' last Fridays",
    )
    parser.add_argument("--replay-start", type=day, default=day("2025-07-01"))
    parser.add_argument("--replay-end", type=day, help="default: the end of the recording")
    parser.add_argument("--seconds-per-hour", type=float, default=3.0, help="of replayed time")


def utc_now() -> datetime:
    return datetime.now(UTC)


def day(text: str) -> datetime:
    """Read an ISO date or time; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def open_simulator(options: argparse.Namespace) -> Simulator:
    """Open the state directory, or begin a new one, and book what was missed."""
    ledger = Ledger(Storage(options.state))
    wanted = _market_settings(options)
    stored = ledger.meta(BORN)
    born = stored or _birth(options, wanted, utc_now())
    if born["market"] != wanted:
        ledger.close()
        raise ForeignState(
            f"{options.state} holds a market with {born['market']}, not with {wanted}; "
            "choose another --state or the same options"
        )
    market = _market(
        options,
        seed=born["seed"],
        epoch=datetime.fromisoformat(born["epoch"]),
        expiries=_expiries(ledger, options, utc_now()),
    )
    if stored is None:
        ledger.put_meta(BORN, born)
        ledger.commit()
    return Simulator(ledger=ledger, market=market, seed=born["seed"], now=utc_now)


def _birth(options: argparse.Namespace, market: Json, now: datetime) -> Json:
    """Return what a new state keeps for good: seed, epoch, and the market's own settings."""
    epoch = _replay().epoch_for(now, options.seconds_per_hour) if options.replay else now
    seed = DEFAULT_SEED if options.seed is None else options.seed
    return {"seed": seed, "epoch": epoch.isoformat(), "market": market}


def _expiries(ledger: Ledger, options: argparse.Namespace, now: datetime) -> tuple[datetime, ...]:
    """Return every expiry this state has known, and the next: nothing held may be forgotten."""
    known = {datetime.fromisoformat(text) for text in ledger.meta(EXPIRIES) or []}
    expiries = tuple(sorted(known | set(options.expiry or quarterly(now))))
    ledger.put_meta(EXPIRIES, [at.isoformat() for at in expiries])
    ledger.commit()
    return expiries


def _market_settings(options: argparse.Namespace) -> Json:
    if not options.replay:
        many = {} if options.symbols == len(EPISODE_ORDER) else {"symbols": options.symbols}
        return {"interval_minutes": options.interval_minutes, **many}
    return {
        "replay_start": options.replay_start.isoformat(),
        "seconds_per_hour": options.seconds_per_hour,
    }


def _market(
    options: argparse.Namespace, *, seed: int, epoch: datetime, expiries: tuple[datetime, ...]
) -> Market:
    if not options.replay:
        interval = timedelta(minutes=options.interval_minutes)
        return GeneratedMarket(
            seed=seed,
            epoch=epoch,
            interval=interval,
            bases=many_bases(options.symbols),
            expiries=expiries,
            watched=options.watched,
        )
    replay = _replay()
    compression = replay.Compression(
        start=options.replay_start,
        end=options.replay_end,
        epoch=epoch,
        seconds_per_hour=options.seconds_per_hour,
    )
    recording = replay.read_recording(
        options.replay, start=options.replay_start, end=options.replay_end
    )
    market: Market = replay.ReplayMarket(recording, compression)
    return market


def _replay() -> ModuleType:
    """Load the replay when it is asked for: it brings polars, which other starts can spare."""
    return import_module("exchanges.simulator.replay")


async def serve(options: argparse.Namespace) -> None:
    """Run until SIGINT or SIGTERM; what was committed survives any other end."""
    try:
        simulator = open_simulator(options)
    except (ForeignState, UnusableRecording) as refusal:
        raise SystemExit(f"simulator: {refusal}") from refusal
    venues = Venues(simulator)
    doors = Doors(venues)
    runners = [
        await listen(doors.app(), options.port),
        await listen(ControlDoor(venues, doors.sockets).app(), options.control_port),
    ]
    logger.info("venues on port %d, control on port %d", options.port, options.control_port)
    beats = asyncio.create_task(doors.run_beats())
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, beats.cancel)
    try:
        with suppress(asyncio.CancelledError):
            await beats
    finally:
        await doors.sockets.close_all()
        for runner in runners:
            await runner.cleanup()
        simulator.ledger.close()


async def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    add_arguments(parser)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    await serve(parser.parse_args(arguments))
    return 0
