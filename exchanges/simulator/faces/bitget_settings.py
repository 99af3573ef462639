"""Bitget v2 settings over REST: how an account trades, its fees, and the rights of its key."""

from __future__ import annotations

from collections.abc import Callable

from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import bitget_account as payloads
from exchanges.simulator.faces.bitget_calls import COIN, Call, bad, listing_named
from exchanges.simulator.faces.bitget_orders import margin_mode
from exchanges.simulator.listings import BITGET, Listing
from exchanges.simulator.margin import margin_state
from exchanges.simulator.wire import Json, VenueRefusal, plain

PATH = "/api/v2/mix/account/"


class SettingPages:
    """The routes that read and change how an account trades."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(BITGET)
        self.routes: dict[tuple[str, str], Callable[[Call], object]] = {
            ("GET", "/api/v2/spot/account/info"): lambda call: payloads.key_info(call.owner),
            ("GET", "/api/v2/common/trade-rate"): self._fees,
            ("GET", f"{PATH}account"): self._account,
            ("GET", f"{PATH}accounts"): self._accounts,
            ("POST", f"{PATH}set-leverage"): self._set_leverage,
            ("POST", f"{PATH}set-margin-mode"): self._set_margin_mode,
            ("POST", f"{PATH}set-position-mode"): self._set_position_mode,
            ("POST", f"{PATH}set-margin"): self._add_margin,
        }

    def _fees(self, call: Call) -> Json:
        listing = self._listings.get(call.required("symbol"))
        if listing is None or call.required("businessType") != "mix":
            raise bad("symbol or businessType")
        return {
            "makerFeeRate": plain(listing.maker_fee),
            "takerFeeRate": plain(listing.taker_fee),
        }

    def _named(self, call: Call) -> Listing:
        if call.required("marginCoin") != COIN:
            raise bad("marginCoin")
        return listing_named(self._listings, call)

    def _account(self, call: Call) -> Json:
        return payloads.modes(self._simulator, call.owner, self._named(call), call.now)

    def _accounts(self, call: Call) -> list[Json]:
        if not call.is_of_dollars:
            return []
        return [payloads.balance(self._simulator, call.owner, call.now)]

    def _set_leverage(self, call: Call) -> Json:
        listing, leverage, owner = self._named(call), call.decimal("leverage"), call.owner
        if not 1 <= leverage <= listing.max_leverage or leverage != int(leverage):
            raise VenueRefusal(40797, "Exceeded the maximum settable leverage")
        owner.leverages[f"{BITGET}:{listing.symbol}"] = leverage
        self._simulator.ledger.put_account(owner)
        return {
            "crossMarginLeverage": plain(leverage),
            "longLeverage": plain(leverage),
            "marginCoin": COIN,
            "marginMode": margin_mode(owner, listing.symbol),
            "shortLeverage": plain(leverage),
            "symbol": listing.symbol,
        }

    def _set_margin_mode(self, call: Call) -> Json:
        listing, wanted, owner = self._named(call), call.required("marginMode"), call.owner
        if wanted not in ("crossed", "isolated"):
            raise bad("marginMode")
        if self._is_busy(call, listing):
            message = "Currently holding positions or orders, the margin mode cannot be adjusted"
            raise VenueRefusal(45117, message)
        owner.isolated.pop(f"{BITGET}:{listing.symbol}", None)
        if wanted == "isolated":
            owner.isolate(BITGET, listing.symbol)
        self._simulator.ledger.put_account(owner)
        leverage = plain(owner.leverage(BITGET, listing.symbol))
        return {
            "longLeverage": leverage,
            "marginCoin": COIN,
            "marginMode": wanted,
            "shortLeverage": leverage,
            "symbol": listing.symbol,
        }

    def _is_busy(self, call: Call, listing: Listing) -> bool:
        key, ledger = call.owner.api_key, self._simulator.ledger
        working = ledger.open_orders(api_key=key, venue=BITGET, symbol=listing.symbol)
        return bool(working or ledger.holding(key, listing.key).base_quantity)

    def _set_position_mode(self, call: Call) -> Json:
        wanted, owner = call.required("posMode"), call.owner
        if wanted not in ("one_way_mode", "hedge_mode") or not call.is_of_dollars:
            raise bad("posMode")
        if any(self._is_busy(call, listing) for listing in self._listings.values()):
            message = "Position or order exists, the position mode cannot be switched"
            raise VenueRefusal(40920, message)
        owner.is_hedge_mode = wanted == "hedge_mode"
        self._simulator.ledger.put_account(owner)
        return {"posMode": wanted}

    def _add_margin(self, call: Call) -> str:
        listing, amount, ledger = self._named(call), call.decimal("amount"), self._simulator.ledger
        held = ledger.holding(call.owner.api_key, listing.key).base_quantity
        is_isolated = call.owner.is_isolated(BITGET, listing.symbol)
        if not held or not is_isolated or amount <= 0:
            raise VenueRefusal(40802, "Position is zero and direct margin call is not allowed")
        if call.required("holdSide") != ("long" if held > 0 else "short"):
            raise bad("holdSide")
        state = margin_state(ledger, self._simulator.market, call.owner, venue=BITGET, now=call.now)
        if amount > state.available:
            raise VenueRefusal(40800, "Insufficient amount of margin")
        call.owner.add_margin(BITGET, listing.symbol, amount)
        ledger.put_account(call.owner)
        return ""
