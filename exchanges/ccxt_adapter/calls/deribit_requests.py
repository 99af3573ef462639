"""Requests to Deribit: signed, bounded in time, and read page by page.

Source: docs.deribit.com, Authentication and JSON-RPC over HTTP. What reads goes by GET; what
changes something goes by POST, which nothing on its way sends again by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.calls import deribit_orders as orders
from exchanges.ccxt_adapter.numbers import plain
from exchanges.ccxt_adapter.rows import all_of

Row = dict[str, Any]

DOLLAR, KIND = "USDC", "future"
OF_DOLLARS = {"currency": DOLLAR, "kind": KIND}
# As much as a list tells at once.
ROWS, ENTRIES = 1000, 250
MOST_PAGES = 200
MILLISECOND = timedelta(milliseconds=1)
# How long ago an order may have been sent that is looked up for the first time.
SOUGHT = timedelta(days=3) // MILLISECOND
# Executions are in the recent list for a day; then in the other one alone, which lags.
RECENT = timedelta(hours=23) // MILLISECOND


def signature(secret: str, text: str) -> str:
    """Return the HMAC-SHA256 of a text by the secret, in hex."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def call_text(method: str, params: Mapping[str, Any]) -> str:
    """Return a JSON-RPC request whose numbers are written exactly."""
    written = (
        f"{json.dumps(name)}:{plain(value) if isinstance(value, Decimal) else json.dumps(value)}"
        for name, value in params.items()
    )
    named = json.dumps(method)
    return f'{{"jsonrpc":"2.0","id":1,"method":{named},"params":{{{",".join(written)}}}}}'


class DeribitRequests(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes before the library's class, which sends orders by GET and signs by our clock."""

    receive_window: timedelta

    def now_there(self) -> int:
        """Return the venue's time in milliseconds."""
        return int(self.milliseconds()) - int(self.options.get("timeDifference", 0))

    def sign(
        self,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Any = None,
        headers: Any = None,
        body: Any = None,
    ) -> Any:
        group = api if isinstance(api, str) else api[0]
        if group != "private":
            return super().sign(path, [group], method, params or {})
        self.check_required_credentials()
        asked, root, text = dict(params or {}), f"/api/{self.version}", ""
        uri = f"{root}/{group}/{path}"
        if method == "POST":
            uri, text = root, call_text(f"{group}/{path}", asked)
        elif asked:
            uri = f"{uri}?{urlencode(asked)}"
        stamp, nonce = self.now_there(), token_hex(8)
        proof = signature(self.secret, f"{stamp}\n{nonce}\n{method}\n{uri}\n{text}\n")
        said = f"deri-hmac-sha256 id={self.apiKey},ts={stamp},sig={proof},nonce={nonce}"
        sent = {"Authorization": said, "Content-Type": "application/json"}
        url = f"{self.urls['api']['rest']}{uri}"
        return {"url": url, "method": method, "body": text or None, "headers": sent}

    async def _get(self, path: str, **asked: Any) -> Any:
        return (await self.fetch2(path, "private", "GET", asked))["result"]

    async def _post(self, path: str, **asked: Any) -> Any:
        return (await self.fetch2(path, "private", "POST", asked))["result"]

    async def _history(self, symbol: str) -> list[Row]:
        """Return a contract's ended orders, the lately ended and the older ones, unfilled too."""
        both = await all_of([self._ended(symbol, is_old=False), self._ended(symbol, is_old=True)])
        return [row for rows in both for row in rows]

    async def _ended(self, symbol: str, *, is_old: bool) -> list[Row]:
        asked: Row = {"instrument_name": symbol, "count": ROWS, "include_unfilled": "true"}
        asked |= {"include_old": "true", "historical": "true"} if is_old else {}
        since, found = self.now_there() - SOUGHT, list[Row]()
        for _ in range(MOST_PAGES):
            page = orders.listed(
                await self._get("get_order_history_by_instrument", **asked, offset=len(found))
            )
            found += page
            if len(page) < ROWS or all(row["last_update_timestamp"] < since for row in page):
                return found
        raise LookupError("pages without an end")

    async def _trades(self, symbol: str, since: int, until: int) -> list[Row]:
        """Return executions of a contract in a span of milliseconds, each once."""
        lists = [False] if since > self.now_there() - RECENT else [False, True]
        told = await all_of([self._listed(symbol, since, until, is_old=each) for each in lists])
        return list({row["trade_id"]: row for rows in told for row in rows}.values())

    async def _listed(self, symbol: str, since: int, until: int, *, is_old: bool) -> list[Row]:
        found: dict[str, Row] = {}
        asked: Row = {"instrument_name": symbol, "count": ROWS, "sorting": "asc"}
        asked |= {"historical": "true"} if is_old else {}
        begins = since
        for _ in range(MOST_PAGES):
            span = {"start_timestamp": begins, "end_timestamp": until}
            told = await self._get("get_user_trades_by_instrument_and_time", **asked, **span)
            page = orders.listed(told["trades"])
            known = len(found)
            found |= {row["trade_id"]: row for row in page}
            if len(page) < ROWS:
                return list(found.values())
            if len(found) == known:
                break
            # Those of the same millisecond may not have fitted.
            begins = max(int(row["timestamp"]) for row in page)
        raise LookupError("pages without an end")

    async def _log(self, since: int, until: int) -> list[Row]:
        """Return all entries of the account's log of USDC, in milliseconds."""
        asked: Row = {"currency": DOLLAR, "count": ENTRIES}
        asked |= {"start_timestamp": since, "end_timestamp": until}
        found: list[Row] = []
        for _ in range(MOST_PAGES):
            told = await self._get("get_transaction_log", **asked)
            found += orders.listed(told["logs"])
            token = told["continuation"]
            if not token:
                return found
            if token == asked.get("continuation"):
                break
            asked["continuation"] = token
        raise LookupError("pages without an end")
