"""Run the venue simulator without Django: `python -m exchanges.simulator --help`."""

from __future__ import annotations

import asyncio
import sys

from exchanges.simulator.cli import main

if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
