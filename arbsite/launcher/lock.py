"""One launcher per folder of state."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from arbsite.launcher.errors import StartRefused


def lock(var_dir: Path) -> IO[str]:
    """Take the folder; it is free again when the returned file closes or the process dies.

    Raise StartRefused if another launcher holds it.
    """
    file = (var_dir / "up.lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise StartRefused(
            f"Carry is already running on {var_dir}: use that one, stop it with Ctrl-C in its "
            "terminal, or start another with --var DIR."
        ) from None
    return file
