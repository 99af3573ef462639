"""Requests that their venue serves for long after their stamp, and that are not to be done late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.parse import MILLISECOND


class EarlyStamps(Exchange):  # type: ignore[misc]  # the library has no types
    """Stamps what changes something so early that the venue itself refuses it late."""

    receive_window: timedelta
    # How long after its stamp a request is served.
    stamps_last: timedelta
    _stamped_back = timedelta(0)

    def nonce(self) -> Any:
        return super().nonce() - self._stamped_back // MILLISECOND

    def sign(
        self,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Any = None,
        headers: Any = None,
        body: Any = None,
    ) -> Any:
        if method != "GET":
            self._stamped_back = self.stamps_last - self.receive_window
        try:
            return super().sign(path, api, method, params or {})
        finally:
            self._stamped_back = timedelta(0)
