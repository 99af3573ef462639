"""What the control port reads and answers: JSON objects, decimals as strings, refusals as 400."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson
from aiohttp import web

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.listings import USDM, Listing
from exchanges.simulator.wire import Json, decimal_of


class ControlRefusal(Exception):
    """A control request that cannot be done; becomes HTTP 400 with its sentence."""


def named_account(simulator: Simulator, body: Json) -> Account:
    account = simulator.ledger.accounts.get(text(body, "api_key"))
    if account is None:
        raise ControlRefusal(f"no account has the key {body['api_key']!r}")
    return account


def named_listing(simulator: Simulator, body: Json, *, was_listed: bool = False) -> Listing:
    """Accept the venue's own symbol or the unified one; of what is listed no more where told so."""
    symbol, venue = text(body, "symbol"), body.get("venue", USDM)
    listed = simulator.once_listed_at(venue) if was_listed else simulator.listings_at(venue)
    for listing in listed.values():
        if symbol in (listing.symbol, listing.unified_symbol, listing.pair):
            return listing
    raise ControlRefusal(f"{venue} lists no {symbol!r}")


@web.middleware
async def refusals(
    request: web.Request, handler: Callable[[web.Request], Any]
) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except (ControlRefusal, ValueError) as refusal:
        return answer({"detail": str(refusal)}, status=400)
    return response


async def read_json(request: web.Request) -> Json:
    found = orjson.loads(await request.read())
    if not isinstance(found, dict):
        raise ControlRefusal("the body is no JSON object")
    return found


def text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlRefusal(f"{name} is missing")
    return value


def number(body: Json, name: str) -> Decimal | None:
    if body.get(name) is None:
        return None
    value = decimal_of(body[name])
    if value is None:
        raise ControlRefusal(f"{name} {body[name]!r} is no number")
    return value


def wallets(balances: Json, names: tuple[str, ...]) -> dict[str, dict[str, Decimal]]:
    """Read balances given per wallet, or flat for every wallet alike."""
    per_wallet = balances if set(balances) & set(names) else dict.fromkeys(names, balances)
    return {
        name: {asset: Decimal(str(amount)) for asset, amount in per_wallet.get(name, {}).items()}
        for name in names
    }


def answer(payload: object, *, status: int = 200) -> web.Response:
    body = orjson.dumps(payload, default=str)
    return web.Response(status=status, body=body, content_type="application/json")
