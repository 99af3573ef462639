"""`make bench`: run the measurements, print them, keep them in `build/bench.json`.

Each measurement module has `measure()` and returns `{name: {"p50", "p99", "unit", "n"}}`.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks import (
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
    modules = (bench_scan, bench_feed, bench_event_to_orders, bench_recovery, bench_kill, bench_api)
    results = {name: result for each in modules for name, result in each.measure().items()}
    for name, result in results.items():
        print(
            f"{name:16} p50 {result['p50']:10.3f} {result['unit']}   "
            f"p99 {result['p99']:10.3f} {result['unit']}   n {result['n']}"
        )
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
