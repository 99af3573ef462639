"""Plant each known bug in a copy of the project and see whether the tests notice.

`python -m tests.mutants.run [NAME …]`; ends with 0 only when all were caught. The project itself is
never changed. A bug that hangs the tests, or breaks them before they run, is not caught.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.mutant import ROOT, Mutant, Stale
from tests.mutants.mutants import MUTANTS

COPIES = 2
LONGEST_SECONDS = 600
SEEDS = "50"
TESTS_FAILED = 1


def main(names: Sequence[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    with tempfile.TemporaryDirectory(prefix="carry-mutants-") as folder:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(COPIES):
            copies.put(_copy(Path(folder) / f"copy-{number}" / ROOT.name))
        if not _is_sound(chosen, copies):
            return 2
        with ThreadPoolExecutor(COPIES) as pool:
            caught = list(pool.map(lambda mutant: _judge(mutant, copies), chosen))
    print(f"caught={sum(caught)}/{len(chosen)}")
    return 0 if all(caught) else 1


def _copy(target: Path) -> Path:
    """Copy what is tracked, as it is on disk, beside a link to the data that tests read."""
    git = shutil.which("git") or "git"
    listed = subprocess.run(  # noqa: S603  (words of our own)
        [git, "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    data = ROOT.parent / "shared"
    if data.is_dir():
        (target.parent / "shared").symlink_to(data)
    return target


def _is_sound(chosen: Sequence[Mutant], copies: SimpleQueue[Path]) -> bool:
    """Tell whether the tests pass without any bug; otherwise nothing that follows would count."""
    tests = list(dict.fromkeys(test for mutant in chosen for test in mutant.tests))
    copy = copies.get()
    code, output = _run(copy, tests)
    copies.put(copy)
    if code != 0:
        print(f"the tests fail without a planted bug:\n{output}")
    return code == 0


def _judge(mutant: Mutant, copies: SimpleQueue[Path]) -> bool:
    copy, started = copies.get(), time.monotonic()
    target = copy / mutant.path
    sound = target.read_text()
    try:
        target.write_text(mutant.planted(copy))
        code, output = _run(copy, mutant.tests)
    except Stale as error:
        print(f"stale     {error}", flush=True)
        return False
    except subprocess.TimeoutExpired:
        print(f"hung      {mutant.name}", flush=True)
        return False
    finally:
        target.write_text(sound)
        copies.put(copy)
    verdict = {0: "survived", TESTS_FAILED: "caught"}.get(code, f"broken({code})")
    spent = time.monotonic() - started
    print(f"{verdict:9} {mutant.name:44} {spent:4.0f} s  {_first_failure(output)}", flush=True)
    return code == TESTS_FAILED


def _run(copy: Path, tests: Sequence[str]) -> tuple[int, str]:
    # Bytecode is told apart by time and size of the source, and a bug may change neither.
    done = subprocess.run(  # noqa: S603  (words of our own)
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        cwd=copy,
        env={
            **os.environ,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "CARRY_SIMULATION_SEEDS": SEEDS,
        },
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
    )
    return done.returncode, done.stdout[-4000:] + done.stderr[-2000:]


def _first_failure(output: str) -> str:
    failed = [line for line in output.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return failed[0].split(" - ")[0] if failed else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
