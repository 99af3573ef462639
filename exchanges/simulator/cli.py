"""Command line of the simulator: state, market and ports."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from exchanges.simulator.control import ControlDoor
from exchanges.simulator.core import Simulator
from exchanges.simulator.ledger import Ledger
from exchanges.simulator.market import GeneratedMarket, Market
from exchanges.simulator.server import Doors, listen
from exchanges.simulator.storage import Storage
from exchanges.simulator.venues import Venues

logger = logging.getLogger(__name__)
DEFAULT_SEED = 20250701


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
    parser.add_argument("--interval-minutes", type=int, default=4, help="between settlements")


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_simulator(options: argparse.Namespace) -> Simulator:
    """Open the state directory, or begin a new one, and book what was missed."""
    ledger = Ledger(Storage(options.state))
    born = ledger.meta("born")
    if born is None:
        born = {"seed": options.seed or DEFAULT_SEED, "epoch": utc_now().isoformat()}
        ledger.put_meta("born", born)
        ledger.commit()
    market: Market = GeneratedMarket(
        seed=born["seed"],
        epoch=datetime.fromisoformat(born["epoch"]),
        interval=timedelta(minutes=options.interval_minutes),
    )
    return Simulator(ledger=ledger, market=market, seed=born["seed"], now=utc_now)


async def serve(options: argparse.Namespace) -> None:
    """Run until SIGINT or SIGTERM; what was committed survives any other end."""
    simulator = open_simulator(options)
    venues = Venues(simulator)
    doors = Doors(venues)
    runners = [
        await listen(doors.app(), options.port),
        await listen(ControlDoor(venues).app(), options.control_port),
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
