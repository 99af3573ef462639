"""The units of a server start what the launcher starts on one machine."""

from __future__ import annotations

import configparser
import re
import shlex
import sys
from pathlib import Path

import pytest

from arbsite.launcher import processes
from arbsite.launcher.child import ProcessSpec
from tests.machine import ROOT

pytestmark = pytest.mark.core

UNITS = ROOT / "deploy" / "systemd"
PORTS = processes.Ports(web=8000, redis=1, simulator=2, control=3)
STARTED = [
    processes.web(PORTS),
    *processes.workers(),
    processes.beat(),
    processes.streams(),
    processes.bot(),
]


def unit(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text())
    return parser


def on_a_server(spec: ProcessSpec) -> list[str]:
    """Return its command there, where each process runs the system checks itself."""
    places = {sys.executable: "/opt/carry/.venv/bin/python", str(ROOT / "manage.py"): "manage.py"}
    return [places.get(part, part) for part in spec.command if part != "--skip-checks"]


@pytest.mark.parametrize("spec", STARTED, ids=lambda spec: spec.name)
def test_a_unit_starts_what_the_launcher_starts(spec: ProcessSpec) -> None:
    service = unit(UNITS / f"carry-{spec.name}.service")["Service"]

    assert shlex.split(service["ExecStart"].replace("%%", "%")) == on_a_server(spec)
    assert int(service["TimeoutStopSec"]) >= spec.stop_seconds
    assert service["Restart"] == "always"


def test_there_is_a_unit_for_each_process_and_each_waits_for_the_preparation() -> None:
    services = {path.stem.removeprefix("carry-"): unit(path) for path in UNITS.glob("*.service")}
    prepare = services.pop("prepare")

    assert services.keys() == {spec.name for spec in STARTED}
    assert prepare["Service"]["ExecStart"] == "/opt/carry/.venv/bin/python manage.py prepare"
    for one in services.values():
        assert one["Unit"]["Requires"] == one["Unit"]["After"] == "carry-prepare.service"


def test_the_environment_names_what_the_settings_read() -> None:
    settings = (ROOT / "arbsite" / "settings.py").read_text()
    named = re.findall(r"^(\w+)=", (ROOT / "deploy" / "carry.env").read_text(), re.MULTILINE)

    assert {name for name in named if f'"{name}"' not in settings} == set()
