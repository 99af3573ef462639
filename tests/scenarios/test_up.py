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
        timeout=120,
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


def test_what_dies_is_started_again_and_all_of_it_dies_with_the_launcher(tmp_path: Path) -> None:
    with RunningCarry(tmp_path / "var", *WITHOUT) as carry:
        first = carry.facts["processes"]["web"]
        os.kill(first, signal.SIGKILL)
        wait_until(
            lambda: carry.facts["processes"]["web"] != first, timeout=30, what="web started again"
        )
        assert "web ended with status" in carry.output

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


def test_a_missing_or_foreign_key_file_stops_a_later_start(tmp_path: Path) -> None:
    var = tmp_path / "var"
    with RunningCarry(var, *WITHOUT, "web", "work"):
        pass
    key = var / "carry.key"
    key.unlink()
    before = contents(var)

    missing = up(var)

    assert (missing.returncode, contents(var)) == (1, before)
    assert "is missing" in missing.stderr

    key.touch(mode=0o600)
    key.write_bytes(Fernet.generate_key() + b"\n")
    before = contents(var)

    foreign = up(var)

    assert (foreign.returncode, contents(var)) == (1, before)
    assert "belongs to another database" in foreign.stderr
    assert "Traceback" not in missing.stderr + foreign.stderr
