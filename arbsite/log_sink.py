"""Where log lines go: to standard error, and never at the price of waiting for who reads it."""

from __future__ import annotations

import logging
import os
import select

STANDARD_ERROR = 2


class UnhurriedHandler(logging.Handler):
    """Write what standard error takes now and drop the rest: an order must not wait for a reader.

    How many lines were dropped is the first line that gets through again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0
        self._is_cut = False
        self._sink = select.poll()
        self._sink.register(STANDARD_ERROR, select.POLLOUT)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, or count it as lost (called under the handler's lock)."""
        try:
            if self.lost and self._write(self.format(_loss(self.lost))):
                self.lost = 0
            if self.lost or not self._write(self.format(record)):
                self.lost += 1
        except OSError:
            # A full disk or a reader that is gone: as lost as what is dropped.
            self.lost += 1

    def _write(self, line: str) -> bool:
        """Tell whether the whole line was taken; the next begins anew where it was cut."""
        rest = ("\n" if self._is_cut else "").encode() + line.encode(errors="replace") + b"\n"
        is_begun = False
        while rest:
            if not self._sink.poll(0):
                self._is_cut = self._is_cut or is_begun
                return False
            # A pipe that is ready takes so much at once.
            written = os.write(STANDARD_ERROR, rest[: select.PIPE_BUF])
            rest, is_begun = rest[written:], True
        self._is_cut = False
        return True


def _loss(lines: int) -> logging.LogRecord:
    record = logging.LogRecord(
        __name__, logging.WARNING, __file__, 0, "log lines were lost", None, None
    )
    record.lines = lines
    return record
