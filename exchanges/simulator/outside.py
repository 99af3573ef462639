"""What happens to an account without its key: the venue closes, or the owner acts by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from aiohttp import web

from exchanges.domain import OrderType, Side, TimeInForce
from exchanges.simulator.accounts import Origin
from exchanges.simulator.admission import OrderIntent, Refusal
from exchanges.simulator.control_wire import (
    ControlRefusal,
    answer,
    named_account,
    named_listing,
    number,
    read_json,
    text,
)
from exchanges.simulator.core import Simulator
from exchanges.simulator.settlement import delist


class OutsideDoor:
    """Handlers of the control port that act on accounts from outside."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> Sequence[web.RouteDef]:
        return [
            web.post("/foreign-order", self._foreign_order),
            web.post("/liquidate", self._liquidate),
            web.post("/deleverage", self._deleverage),
            web.post("/delist", self._delist),
            web.post("/unlist", self._unlist),
            web.post("/announce", self._announce),
            web.post("/expire", self._expire),
            web.post("/charge-interest", self._charge_interest),
            web.post("/position-mode", self._position_mode),
            web.post("/transfer", self._transfer),
        ]

    async def _announce(self, request: web.Request) -> web.Response:
        """Announce maintenance of a venue, or the end of a contract, so many seconds from now."""
        body, now = await read_json(request), self._simulator.now()
        begins_at = now + timedelta(seconds=float(number(body, "in_seconds") or 0))
        announcements = self._simulator.announcements
        if body.get("symbol"):
            announcements.announce_end(named_listing(self._simulator, body), begins_at)
        elif body.get("withdraw"):
            announcements.withdraw_maintenance(text(body, "venue"))
        else:
            lasts = timedelta(seconds=float(number(body, "seconds") or 3600))
            announcements.announce_maintenance(
                text(body, "venue"),
                title=str(body.get("title", "Scheduled maintenance")),
                begins_at=begins_at,
                ends_at=begins_at + lasts,
            )
        self._simulator.ledger.commit()
        return answer({"begins_at": begins_at.isoformat()})

    async def _foreign_order(self, request: web.Request) -> web.Response:
        """Trade by hand on an account, as if its owner had used the venue's own page."""
        body = await read_json(request)
        account = named_account(self._simulator, body)
        price = number(body, "price")
        intent = OrderIntent(
            listing=named_listing(self._simulator, body),
            client_order_id=str(body.get("client_order_id", "")),
            side=Side(text(body, "side").lower()),
            order_type=OrderType.LIMIT if price else OrderType.MARKET,
            time_in_force=TimeInForce.GTC if price else TimeInForce.IOC,
            base_quantity=number(body, "base_quantity") or Decimal(0),
            price=price,
            reduce_only=bool(body.get("reduce_only", False)),
            origin=Origin.FOREIGN,
        )
        now = self._simulator.now()
        self._simulator.advance(now)
        result = self._simulator.place(account, intent, now=now)
        self._simulator.ledger.commit()
        if isinstance(result, Refusal):
            raise ControlRefusal(result.detail)
        return answer({"order": result})

    async def _liquidate(self, request: web.Request) -> web.Response:
        """Liquidate a holding at the mark, in full or by `base_quantity`."""
        return await self._close_by_venue(request, Origin.LIQUIDATION)

    async def _deleverage(self, request: web.Request) -> web.Response:
        """Auto-deleverage a holding at the mark, in full or by `base_quantity`."""
        return await self._close_by_venue(request, Origin.ADL)

    async def _close_by_venue(self, request: web.Request, origin: Origin) -> web.Response:
        body = await read_json(request)
        account = named_account(self._simulator, body)
        listing = named_listing(self._simulator, body)
        now = self._simulator.now()
        self._simulator.advance(now)
        order = self._simulator.engine.close_by_venue(
            account, listing, origin, base_quantity=number(body, "base_quantity"), now=now
        )
        self._simulator.ledger.commit()
        if order is None:
            raise ControlRefusal(f"{account.api_key} holds no {listing.symbol}")
        return answer({"order": order})

    async def _delist(self, request: web.Request) -> web.Response:
        """End an instrument for every account, at `price` or the mark."""
        body = await read_json(request)
        listing = named_listing(self._simulator, body)
        now = self._simulator.now()
        self._simulator.advance(now)
        ledger, engine = self._simulator.ledger, self._simulator.engine
        orders = delist(ledger, engine, listing, price=number(body, "price"), now=now)
        self._simulator.ledger.commit()
        return answer({"orders": orders})

    async def _unlist(self, request: web.Request) -> web.Response:
        """Name an instrument no more while holdings of it stay, or name it `again`."""
        body = await read_json(request)
        if body.get("again"):
            listing = named_listing(self._simulator, body, was_listed=True)
            self._simulator.list_again(listing)
        else:
            self._simulator.unlist(named_listing(self._simulator, body))
        return answer({})

    async def _expire(self, request: web.Request) -> web.Response:
        """Deliver a dated future at once, at `price` or as at its expiry."""
        body = await read_json(request)
        listing, now = named_listing(self._simulator, body), self._simulator.now()
        if listing.expires_at is None:
            raise ControlRefusal(f"{listing.symbol} has no expiry")
        self._simulator.advance(now)
        orders = self._simulator.deliver(listing, price=number(body, "price"), now=now)
        return answer({"orders": orders})

    async def _charge_interest(self, request: web.Request) -> web.Response:
        """Charge an account an hour's interest at once, on what it owes now."""
        body = await read_json(request)
        account, now = named_account(self._simulator, body), self._simulator.now()
        self._simulator.advance(now)
        self._simulator.interest_clock.charge(account, now)
        self._simulator.ledger.commit()
        return answer({"interest": list(self._simulator.ledger.account_interest(account.api_key))})

    async def _position_mode(self, request: web.Request) -> web.Response:
        """Switch an account to hedge mode or back, as its owner could while he is flat."""
        body = await read_json(request)
        account = named_account(self._simulator, body)
        account.is_hedge_mode = bool(body.get("hedge"))
        self._simulator.ledger.put_account(account)
        self._simulator.ledger.commit()
        return answer({"hedge": account.is_hedge_mode})

    async def _transfer(self, request: web.Request) -> web.Response:
        """Move money into a wallet, or out of it where `amount` is negative."""
        body = await read_json(request)
        account = named_account(self._simulator, body)
        wallet, asset, amount = text(body, "wallet"), text(body, "asset"), number(body, "amount")
        if amount is None or wallet not in account.wallets:
            raise ControlRefusal(f"no amount, or none of the wallets {sorted(account.wallets)}")
        now = self._simulator.now()
        self._simulator.ledger.move(account, wallet, asset, amount, now=now)
        self._simulator.ledger.commit()
        return answer({"balance": account.balance(wallet, asset)})
