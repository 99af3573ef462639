"""`make bench`: run the measurements, print them, keep them in `build/bench.json`.

Each measurement module has `measure()` and returns `{name: {"p50", "p99", "unit", "n"}}`.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from tests.benchmarks import (
    bench_alerts,
    bench_api,
    bench_event_to_orders,
    bench_feed,
    bench_kill,
    bench_recovery,
    bench_scan,
)

REPORT = Path(__file__).resolve().parents[2] / "build" / "bench.json"


def main() -> None:
    """Measure one thing after the other, so that they do not disturb each other."""
    logging.disable(logging.WARNING)
    modules = (
        *(bench_scan, bench_feed, bench_event_to_orders),
        *(bench_recovery, bench_kill, bench_api, bench_alerts),
    )
    results: dict[str, dict[str, Any]] = {}
    REPORT.parent.mkdir(exist_ok=True)
    for each in modules:
        measured = each.measure()
        results |= measured
        for name, result in measured.items():
            print(
                f"{name:16} p50 {result['p50']:10.3f} {result['unit']}   "
                f"p99 {result['p99']:10.3f} {result['unit']}   n {result['n']}",
                flush=True,
            )
        # What was measured stays, whatever becomes of the rest.
        REPORT.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
