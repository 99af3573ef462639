"""Requests to Kraken Futures: signed, bounded in time, and read page by page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import ccxt
from ccxt.async_support.base.exchange import Exchange

from exchanges.ccxt_adapter.calls import kraken_futures_orders as orders
from exchanges.ccxt_adapter.calls.kraken_futures_signing import signature
from exchanges.ccxt_adapter.instants import of_iso

Row = dict[str, Any]

# Interfaces whose requests are signed: the version, and how the signed path begins.
SIGNED = {
    "private": ("v3", "/api/"),
    "history": ("v3", "/api/history/"),
    "auth": ("v1", "/api/auth/"),
}
# Where Kraken announces maintenance of all its houses.
SCHEDULE = "publicSchedule"
# What may be refused once it would be done later than asked for.
BOUNDED = frozenset({"sendorder", "cancelorder"})
FILLS, EVENTS, MOST_PAGES = 100, 1000, 200
# Of the log: few cost the least, and mostly there are no more.
FEW_ENTRIES, ENTRIES = 25, 1000
# How long ago an order may have been sent that is looked up for the first time.
SOUGHT = timedelta(days=3)
MILLISECOND = timedelta(milliseconds=1)


class KrakenFuturesRequests(Exchange):  # type: ignore[misc]  # the library has no types
    """Goes before the library's class, which signs fewer of the calls that are made here."""

    receive_window: timedelta

    def describe(self) -> Any:
        others = {
            "auth": "https://futures.kraken.com/api/auth/",
            SCHEDULE: "https://api.kraken.com/0/",
        }
        return self.deep_extend(super().describe(), {"urls": {"api": others}})

    def sign(
        self,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Any = None,
        headers: Any = None,
        body: Any = None,
    ) -> Any:
        """Sign what is asked for as it is written in the address; no nonce is needed."""
        group = api if isinstance(api, str) else api[0]
        if group not in SIGNED:
            return super().sign(path, [group], method, params or {})
        self.check_required_credentials()
        asked = dict(params or {})
        if path in BOUNDED:
            until = self._now_there() + self.receive_window
            asked["processBefore"] = until.isoformat(timespec="microseconds").replace("+00:00", "Z")
        version, begins = SIGNED[group]
        query, endpoint = urlencode(asked), f"{version}/{path}"
        proof = signature(self.secret, f"{query}{begins}{endpoint}")
        url = f"{self.urls['api'][group]}{endpoint}"
        return {
            "url": f"{url}?{query}" if query else url,
            "method": method,
            "body": None,
            "headers": {"Accept": "application/json", "APIKey": self.apiKey, "Authent": proof},
        }

    def _now_there(self) -> datetime:
        ahead = self.options.get("timeDifference", 0)
        return datetime.fromtimestamp((self.milliseconds() - ahead) / 1000, UTC)

    def handle_errors(
        self,
        code: int,
        reason: str,
        url: str,
        method: str,
        headers: Any,
        body: str,
        response: Any,
        request_headers: Any,
        request_body: Any,
    ) -> None:
        """Raise as the library does, and where an answer of success says that nothing was done.

        The schedule is of Kraken's other house, whose answers list their errors, mostly none.
        """
        if isinstance(response, dict) and response.get("error") == []:
            response = {name: told for name, told in response.items() if name != "error"}
        super().handle_errors(
            code, reason, url, method, headers, body, response, request_headers, request_body
        )
        if refused := orders.refusal(response):
            raise ccxt.ExchangeError(refused)

    def _as_listed(self, rows: Iterable[Row]) -> list[Row]:
        """Return rows whose contracts are written as they are listed, which may be PF_AAPLxUSD.

        Lists were recorded in small letters too; what is not recognised would be left out.
        """
        names = {name.upper(): name for name in self.markets_by_id or ()}
        return [row | {"symbol": names.get(row["symbol"].upper(), row["symbol"])} for row in rows]

    async def _get(self, path: str, group: str = "private", **asked: Any) -> Any:
        return await self.fetch2(path, group, "GET", asked)

    async def _post(self, path: str, **asked: Any) -> Any:
        return await self.fetch2(path, "private", "POST", asked)

    async def _events(self, own_id: str, symbol: str) -> list[tuple[str, Row]]:
        """Return what happened to an order, newest first."""
        since = self.milliseconds() - SOUGHT // MILLISECOND
        asked = {"tradeable": symbol, "since": since, "sort": "desc", "count": EVENTS}
        found: list[tuple[str, Row]] = []
        for _ in range(MOST_PAGES):
            told = await self._get("orders", "history", **asked)
            page = orders.listed(told, "elements")
            found += orders.events_of(own_id, page)
            token = told.get("continuationToken")
            begins = max((int(one["timestamp"]) for _, one in found), default=None)
            # What happened in the millisecond of its beginning may be on the next page.
            is_all = begins is not None and page and int(page[-1]["timestamp"]) < begins
            if is_all or not token:
                return found
            if token == asked.get("continuation_token"):
                break
            asked["continuation_token"] = token
        raise LookupError("pages without an end")

    async def _fills(self, since: int | None = None) -> list[Row]:
        """Return the last hundred fills of all contracts, newest first, or all since then."""
        found: dict[str, Row] = {}
        asked: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = self._as_listed(orders.listed(await self._get("fills", **asked), "fills"))
            known = len(found)
            found |= {row["fill_id"]: row for row in page}
            if since is None or len(page) < FILLS:
                return list(found.values())
            oldest = min(of_iso(row["fillTime"]) for row in page)
            if oldest < since:
                return list(found.values())
            if len(found) == known:
                break
            # Those of the same millisecond may not have fitted.
            asked = {"lastFillTime": self.iso8601(oldest + 1)}
        raise LookupError("pages without an end")

    async def _log(self, since: int, until: int) -> list[Row]:
        """Return all entries of the account's log from `since` to `until`, in milliseconds."""
        found: dict[str, Row] = {}
        begins, count = since, FEW_ENTRIES
        for _ in range(MOST_PAGES):
            span = {"since": begins, "before": until + 1, "sort": "asc", "count": count}
            page = orders.listed(await self._get("account-log", "history", **span), "logs")
            found |= {str(row["id"]): row for row in page}
            if len(page) < count:
                return list(found.values())
            # Those of the same millisecond may not have fitted.
            before, begins = begins, max(of_iso(row["date"]) for row in page)
            if begins == before and count == ENTRIES:
                break
            count = ENTRIES
        raise LookupError("pages without an end")
