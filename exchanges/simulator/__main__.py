"""Run the venue simulator: `python -m exchanges.simulator --port P --control-port C --state DIR`."""

from __future__ import annotations

import asyncio
import sys

from exchanges.simulator.cli import main

if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
