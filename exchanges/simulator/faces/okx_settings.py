"""OKX v5 settings over REST: configuration, fees, leverage, position mode, isolated margin."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from exchanges.simulator.core import Simulator
from exchanges.simulator.faces import okx_account as payloads
from exchanges.simulator.faces.okx_calls import Call, bad, listing_named
from exchanges.simulator.faces.okx_market import family_of
from exchanges.simulator.faces.okx_orders import instrument_type
from exchanges.simulator.listings import OKX, Listing
from exchanges.simulator.margin import margin_state
from exchanges.simulator.wire import Json, VenueRefusal, plain

Rows = Sequence[Json]


class SettingPages:
    """The routes that read and change how an account trades."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(OKX)
        self.routes: dict[tuple[str, str], Callable[[Call], Rows]] = {
            ("GET", "/api/v5/account/config"): lambda call: [payloads.configuration(call.owner)],
            ("GET", "/api/v5/account/trade-fee"): self._fee,
            ("GET", "/api/v5/account/leverage-info"): self._leverage,
            ("POST", "/api/v5/account/set-leverage"): self._set_leverage,
            ("POST", "/api/v5/account/set-position-mode"): self._set_position_mode,
            ("POST", "/api/v5/account/position/margin-balance"): self._add_margin,
        }

    def _fee(self, call: Call) -> Rows:
        kind, family = call.required("instType"), call.text("instFamily")
        asked = [
            row
            for row in self._listings.values()
            if instrument_type(row) == kind
            and family in ("", family_of(row))
            and call.text("instId") in ("", row.symbol)
        ]
        return [payloads.fees(row, call.now) for row in asked[:1]]

    def _leverage(self, call: Call) -> Rows:
        return [self._leverage_row(call, listing_named(self._listings, call))]

    def _leverage_row(self, call: Call, listing: Listing) -> Json:
        return {
            "ccy": "",
            "instId": listing.symbol,
            "lever": plain(call.owner.leverage(OKX, listing.symbol)),
            "mgnMode": call.required("mgnMode"),
            "posSide": "net",
        }

    def _set_leverage(self, call: Call) -> Rows:
        listing, leverage = listing_named(self._listings, call), call.decimal("lever")
        if leverage < 1:
            raise VenueRefusal(59105, "Leverage can't be less than 1.", status=400)
        if leverage > listing.max_leverage:
            message = "Leverage exceeds the maximum leverage. Please adjust the leverage"
            raise VenueRefusal(59102, message, status=200)
        call.owner.leverages[f"{OKX}:{listing.symbol}"] = leverage
        self._simulator.ledger.put_account(call.owner)
        return [self._leverage_row(call, listing)]

    def _set_position_mode(self, call: Call) -> Rows:
        wanted, owner = call.required("posMode"), call.owner
        if wanted not in ("net_mode", "long_short_mode"):
            raise bad("posMode")
        ledger = self._simulator.ledger
        is_busy = ledger.holdings(api_key=owner.api_key) or ledger.open_orders(
            api_key=owner.api_key
        )
        if is_busy:
            message = "Your settings failed as you have positions or open orders"
            raise VenueRefusal(59000, message, status=200)
        owner.is_hedge_mode = wanted == "long_short_mode"
        ledger.put_account(owner)
        return [{"posMode": wanted}]

    def _add_margin(self, call: Call) -> Rows:
        listing, amount, ledger = (
            listing_named(self._listings, call),
            call.decimal("amt"),
            self._simulator.ledger,
        )
        if call.required("type") != "add" or amount <= 0:
            raise bad("type")
        holding = ledger.holding(call.owner.api_key, listing.key)
        if not holding.base_quantity or not call.owner.is_isolated(OKX, listing.symbol):
            raise VenueRefusal(59300, "Margin call failed. Position does not exist", status=200)
        state = margin_state(ledger, self._simulator.market, call.owner, venue=OKX, now=call.now)
        if amount > state.available:
            message = "Margin adjustment failed for exceeding the max limit"
            raise VenueRefusal(59301, message, status=200)
        call.owner.add_margin(OKX, listing.symbol, amount)
        ledger.put_account(call.owner)
        return [
            {
                "amt": plain(amount),
                "ccy": listing.settle,
                "instId": listing.symbol,
                "leverage": plain(call.owner.leverage(OKX, listing.symbol)),
                "posSide": "net",
                "type": "add",
            }
        ]
