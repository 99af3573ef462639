"""The processes of one machine: what each is called and how it is started."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from arbsite.launcher.child import ProcessSpec
from arbsite.launcher.ports import LOOPBACK, free_port

# The launcher has run the system checks once for all, hence `--skip-checks` below.
PARTS = ("redis", "simulator", "seed", "web", "close", "entry", "work", "beat", "streams", "bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Loopback ports of one run; the web port is remembered by bookmarks, the rest by nobody."""

    web: int
    redis: int
    simulator: int
    control: int


def choose_ports(preferred_web: int) -> Ports:
    """Pick free ports; the preferred web port if nobody has it."""
    return Ports(
        web=free_port(preferred_web),
        redis=free_port(),
        simulator=free_port(),
        control=free_port(),
    )


def manage(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *arguments)


def simulator(ports: Ports) -> ProcessSpec:
    """Describe the rehearsal venues."""
    return ProcessSpec(
        name="simulator",
        command=manage(
            "simulator",
            *("--port", str(ports.simulator), "--control-port", str(ports.control)),
            *shlex.split(settings.CARRY_SIMULATOR_OPTIONS),
        ),
    )


def seed() -> ProcessSpec:
    """Describe the step that creates the demo user and venues if they are missing."""
    return ProcessSpec(name="seed", command=manage("seed_demo", "--skip-checks"), speaks=True)


def web(ports: Ports) -> ProcessSpec:
    """Describe the web server."""
    return ProcessSpec(
        name="web",
        command=(
            *(sys.executable, "-m", "uvicorn", "arbsite.asgi:application"),
            *("--host", LOOPBACK, "--port", str(ports.web)),
            *("--loop", "uvloop", "--ws", "websockets-sansio", "--lifespan", "off"),
            *("--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "2"),
        ),
    )


def worker(name: str, queues: str) -> ProcessSpec:
    """Describe one Celery worker process. It may finish what it is sending before it ends."""
    return ProcessSpec(
        name=name,
        command=(
            *(sys.executable, "-m", "celery", "-A", "arbsite", "worker", "-Q", queues),
            *("-n", f"{name}@%h", "-P", "threads", "-c", "4", "--loglevel", "WARNING"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ),
        stop_seconds=30,
    )


def workers() -> list[ProcessSpec]:
    """Describe the lanes: closing, entering, and all the rest."""
    return [
        worker("close", "close"),
        worker("entry", "entry"),
        worker("work", "poll,books,alerts,batch"),
    ]


def beat() -> ProcessSpec:
    """Describe the clock that rings the schedules."""
    return ProcessSpec(
        name="beat",
        command=(
            *(sys.executable, "-m", "celery", "-A", "arbsite", "beat", "-S", "django"),
            *("--loglevel", "WARNING", "--pidfile="),
        ),
    )


def streams() -> ProcessSpec:
    """Describe the process that listens to the venues' WebSockets."""
    return ProcessSpec(name="streams", command=manage("streams", "--skip-checks"))


def bot() -> ProcessSpec:
    """Describe the Telegram bot."""
    return ProcessSpec(name="bot", command=manage("bot", "--skip-checks"))
