"""A server is made ready by one command, as often as it is started and on as many machines."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from arbsite.schedules import SLOTS
from tests.machine import ROOT, clean_environment

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("prepare")]


class Server:
    """A new database on the test's PostgreSQL, and machines that share it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def prepare(self, var: Path, *, key: Path | None = None) -> subprocess.Popen[str]:
        """Begin `manage.py prepare` on a machine whose state is under `var`."""
        return subprocess.Popen(
            [sys.executable, "manage.py", "prepare"],
            cwd=ROOT,
            env={
                **clean_environment(),
                "DATABASE_URL": self.url,
                "SECRET_KEY": "of this test",
                "ALLOWED_HOSTS": "carry.example",
                "CARRY_VAR": str(var),
                "CARRY_KEY_FILE": str(key or var / "carry.key"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rows(self, question: str) -> list[str]:
        with psycopg.connect(self.url) as connection:
            return [str(row[0]) for row in connection.execute(question.encode())]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    given = os.environ["CARRY_TEST_POSTGRES_URL"]
    name = f"carry_prepare_{secrets.token_hex(4)}"
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield Server(urlunsplit(urlsplit(given)._replace(path=f"/{name}")))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def machines(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of two machines that began together on a new database, with one key."""
    folder = tmp_path_factory.mktemp("machines")
    began = [server.prepare(folder / name, key=folder / "carry.key") for name in ("one", "two")]
    said = [process.communicate()[1] for process in began]

    # One of them may have come too late to make the key, and says so.
    late = [words for words in said if words]
    assert len(late) < len(said) and all("is never overwritten" in words for words in late), said
    return folder


def test_machines_that_start_together_share_tables_and_schedules(
    server: Server, machines: Path
) -> None:
    names = server.rows("SELECT name FROM django_celery_beat_periodictask")

    assert sorted(names) == sorted(slot.name for slot in SLOTS)
    assert (machines / "carry.key").stat().st_mode & 0o777 == 0o600
    assert list(machines.glob("*/staticfiles/staticfiles.json"))


def test_a_machine_without_the_key_of_the_database_is_refused(
    server: Server, machines: Path
) -> None:
    stranger = server.prepare(machines / "three")
    _, words = stranger.communicate()

    assert stranger.returncode == 1
    assert "carry.key is missing, and the database holds credentials sealed with it" in words
    assert not (machines / "three" / "carry.key").exists()


def test_a_database_that_does_not_answer_is_said(tmp_path: Path) -> None:
    nobody = Server("postgresql://carry:canary-password@127.0.0.1:1/carry").prepare(tmp_path)
    _, words = nobody.communicate()

    assert nobody.returncode == 1
    assert words.startswith("CommandError: The database does not answer: ")
    assert "canary-password" not in words
