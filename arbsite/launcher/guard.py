"""Runs a command that dies with the launcher: `python guard.py LAUNCHER_PID COMMAND…`.

A script of its own, started without site packages, so that it costs milliseconds and nothing runs
between fork and exec in a launcher that has threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    launcher, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # The launcher may have died before the line above took effect.
        if os.getppid() != launcher:
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the command is the launcher's own
