"""KuCoin's futures settings over REST: how an account trades, its fees, and its key's rights."""

from __future__ import annotations

from collections.abc import Callable

from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import kucoin_account as payloads
from exchanges.simulator.faces.kucoin_calls import COINS, Call, bad, listing_named
from exchanges.simulator.faces.kucoin_orders import margin_mode
from exchanges.simulator.listings import KUCOIN, Listing
from exchanges.simulator.margin import margin_state
from exchanges.simulator.wire import Json, VenueRefusal, plain

V1, V2 = "/api/v1/", "/api/v2/"


class SettingPages:
    """The routes that read and change how an account trades."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(KUCOIN)
        self.routes: dict[tuple[str, str], Callable[[Call], object]] = {
            ("GET", f"{V1}user/api-key"): lambda call: payloads.key_info(call.owner),
            ("GET", "/api/ua/v1/account/mode"): lambda call: {"selfAccountMode": "CLASSIC"},
            ("GET", f"{V1}trade-fees"): self._fees,
            ("GET", f"{V1}account-overview"): self._overview,
            ("GET", f"{V2}position/getPositionMode"): self._position_mode,
            ("POST", f"{V2}position/switchPositionMode"): self._switch_position_mode,
            ("GET", f"{V2}position/getMarginMode"): self._margin_mode,
            ("POST", f"{V2}position/changeMarginMode"): self._change_margin_mode,
            ("POST", f"{V2}changeCrossUserLeverage"): self._set_leverage,
            ("POST", f"{V1}position/margin/deposit-margin"): self._add_margin,
        }

    def _fees(self, call: Call) -> Json:
        listing = listing_named(self._listings, call)
        return {
            "symbol": listing.symbol,
            "takerFeeRate": plain(listing.taker_fee),
            "makerFeeRate": plain(listing.maker_fee),
        }

    def _overview(self, call: Call) -> Json:
        coin = call.text("currency") or "XBT"
        if coin not in (*COINS, "XBT"):
            raise bad("currency")
        return payloads.overview(self._simulator, call.owner, coin, call.now)

    def _position_mode(self, call: Call) -> Json:
        return {"positionMode": int(call.owner.is_hedge_mode)}

    def _switch_position_mode(self, call: Call) -> Json:
        wanted, owner = call.required("positionMode"), call.owner
        if wanted not in ("0", "1"):
            raise bad("positionMode")
        if any(self._is_busy(call, listing) for listing in self._listings.values()):
            raise VenueRefusal(330013, "Close all positions and orders first.", status=200)
        owner.is_hedge_mode = wanted == "1"
        self._simulator.ledger.put_account(owner)
        return self._position_mode(call)

    def _margin_mode(self, call: Call) -> Json:
        listing = listing_named(self._listings, call)
        return {"symbol": listing.symbol, "marginMode": margin_mode(call.owner, listing.symbol)}

    def _change_margin_mode(self, call: Call) -> Json:
        listing, wanted, owner = (
            listing_named(self._listings, call),
            call.required("marginMode"),
            call.owner,
        )
        if wanted not in ("CROSS", "ISOLATED"):
            raise bad("marginMode")
        if self._is_busy(call, listing):
            message = "There are open orders or positions: the margin mode cannot be switched"
            raise VenueRefusal(330014, message, status=200)
        owner.isolated.pop(f"{KUCOIN}:{listing.symbol}", None)
        if wanted == "ISOLATED":
            owner.isolate(KUCOIN, listing.symbol)
        self._simulator.ledger.put_account(owner)
        return self._margin_mode(call)

    def _is_busy(self, call: Call, listing: Listing) -> bool:
        key, ledger = call.owner.api_key, self._simulator.ledger
        working = ledger.open_orders(api_key=key, venue=KUCOIN, symbol=listing.symbol)
        return bool(working or ledger.holding(key, listing.key).base_quantity)

    def _set_leverage(self, call: Call) -> Json:
        listing, leverage = listing_named(self._listings, call), call.decimal("leverage")
        if not 1 <= leverage <= listing.max_leverage:
            message = f"The leverage cannot be greater than {plain(listing.max_leverage)}."
            raise VenueRefusal(300016, message, status=200)
        call.owner.leverages[f"{KUCOIN}:{listing.symbol}"] = leverage
        self._simulator.ledger.put_account(call.owner)
        return {"symbol": listing.symbol, "leverage": plain(leverage)}

    def _add_margin(self, call: Call) -> Json:
        listing, amount = listing_named(self._listings, call), call.decimal("margin")
        owner, ledger = call.owner, self._simulator.ledger
        call.required("bizNo")
        is_isolated = owner.is_isolated(KUCOIN, listing.symbol)
        if not ledger.holding(owner.api_key, listing.key).base_quantity or not is_isolated:
            raise VenueRefusal(300009, "No open positions to close.", status=200)
        state = margin_state(ledger, self._simulator.market, owner, venue=KUCOIN, now=call.now)
        if not 0 < amount <= state.available:
            raise VenueRefusal(200005, "Insufficient balance.", status=200)
        owner.add_margin(KUCOIN, listing.symbol, amount)
        ledger.put_account(owner)
        [row] = [
            row
            for row in ledger.holdings(api_key=owner.api_key, venue=KUCOIN)
            if row.symbol == listing.symbol
        ]
        return payloads.position(self._simulator, owner, row, call.now)
