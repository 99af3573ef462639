"""`make run` on one machine: starts, resumes, refuses, and leaves nothing running."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet

from tests.machine import ROOT, RunningCarry, clean_environment, is_alive, wait_until

pytestmark = pytest.mark.scenario

# The house alone: what runs inside these parts has stories of its own.
WITHOUT = ("simulator", "seed", "streams", "close", "entry", "beat")


def up(var: Path) -> subprocess.CompletedProcess[str]:
    """Run `manage.py up` where it is expected to refuse."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "manage.py", "up", "--var", str(var), "--without", *WITHOUT],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def contents(folder: Path) -> dict[str, bytes]:
    # SQLite leaves an empty log beside a database that was only read.
    journals = ("-wal", "-shm")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(journals) and path.name != "up.lock"
    }


def test_one_start_serves_a_second_is_refused_and_a_stop_leaves_nothing(tmp_path: Path) -> None:
    with RunningCarry(tmp_path / "var", *WITHOUT) as carry:
        connection = http.client.HTTPConnection(urlsplit(carry.url).netloc, timeout=5)
        connection.request("GET", "/api/health")
        answer = connection.getresponse()
        assert answer.status == 200
        assert json.loads(answer.read())["status"] == "ok"
        connection.close()

        second = up(tmp_path / "var")
        assert second.returncode == 1
        assert "already running" in second.stderr
        assert "Traceback" not in second.stderr

        pids = carry.facts["processes"]
        assert set(pids) == {"redis", "web", "work"}
        assert carry.stop() == 0

    assert not any(is_alive(pid) for pid in pids.values())
    assert not (tmp_path / "var/run.json").exists()
    assert (tmp_path / "var/carry.key").stat().st_mode & 0o777 == 0o600


def test_what_dies_is_started_again(tmp_path: Path) -> None:
    with RunningCarry(tmp_path / "var", *WITHOUT, "work") as carry:
        first = carry.facts["processes"]["web"]
        os.kill(first, signal.SIGKILL)

        wait_until(
            lambda: carry.facts["processes"]["web"] != first, timeout=10, what="web started again"
        )
        assert "web ended with status" in carry.output


def test_a_killed_launcher_takes_its_children_along(tmp_path: Path) -> None:
    with RunningCarry(tmp_path / "var", *WITHOUT) as carry:
        pids = carry.facts["processes"]
        carry.process.kill()

        wait_until(
            lambda: not any(is_alive(pid) for pid in pids.values()),
            timeout=5,
            what="all children are gone",
        )


def test_a_damaged_key_file_stops_the_first_start_and_changes_nothing(tmp_path: Path) -> None:
    key = tmp_path / "carry.key"
    key.write_text("not a key\n")
    key.chmod(0o600)

    refused = up(tmp_path)

    assert refused.returncode == 1
    assert "damaged or not a Carry key file" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert set(contents(tmp_path)) <= {"carry.key", "secret.key"}
    assert key.read_text() == "not a key\n"


@pytest.mark.parametrize("replacement", [Fernet.generate_key() + b"\n", None])
def test_a_foreign_or_missing_key_file_stops_a_later_start(
    tmp_path: Path, replacement: bytes | None
) -> None:
    with RunningCarry(tmp_path / "var", *WITHOUT, "web", "work"):
        pass
    key = tmp_path / "var/carry.key"
    key.unlink()
    if replacement:
        key.touch(mode=0o600)
        key.write_bytes(replacement)
    before = contents(tmp_path / "var")

    refused = up(tmp_path / "var")

    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert ("belongs to another database" if replacement else "is missing") in refused.stderr
    assert contents(tmp_path / "var") == before
