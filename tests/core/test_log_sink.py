"""A log that nobody reads holds up nobody."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys

import pytest

from tests.machine import ROOT, clean_environment

pytestmark = pytest.mark.core

# More than any pipe holds, then a word on standard output, then one more line when told so.
TALKATIVE = """
import logging, logging.config
from arbsite.logging import logging_settings
logging.config.dictConfig(logging_settings(json=True, level="INFO"))
logger = logging.getLogger("trade")
for number in range(300):
    logger.info("order sent", extra={"number": number, "text": "so many words " * 100})
print("traded", flush=True)
input()
logger.info("after the blockade")
"""


def test_a_process_whose_log_nobody_reads_trades_on_and_tells_how_much_was_lost() -> None:
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", TALKATIVE],
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        has_spoken, _, _ = select.select([process.stdout], [], [], 60)
        if not has_spoken:
            process.kill()
        assert has_spoken, "the process waits for a reader of its log"
        assert process.stdout.readline() == b"traded\n"
        assert process.stderr is not None
        begun = os.read(process.stderr.fileno(), 1 << 20)
        _, rest = process.communicate(b"\n", timeout=60)

    lines = [json.loads(line) for line in (begun + rest).splitlines() if line.endswith(b"}")]
    sent = [line for line in lines if line["event"] == "order sent"]
    [lost] = [line for line in lines if line["event"] == "log lines were lost"]
    assert [line["number"] for line in sent] == list(range(len(sent)))
    assert len(sent) + lost["lines"] == 300
    assert lines[-1]["event"] == "after the blockade"
