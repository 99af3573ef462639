"""Gate's settings over REST: leverage and margin of a contract, fees, keys, countdowns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from exchanges.simulator.core import Simulator
from exchanges.simulator.countdowns import start_countdown
from exchanges.simulator.faces import gate_account as payloads
from exchanges.simulator.faces.gate_calls import PREFIX, Call, bad, listing_named
from exchanges.simulator.listings import GATE, Listing
from exchanges.simulator.margin import margin_state
from exchanges.simulator.wire import Json, VenueRefusal, milliseconds, plain

KEYS = "/api/v4/account/main_keys"
SHORTEST = 5


class SettingPages:
    """The routes that read and change how an account trades; `*` is the contract they name."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(GATE)
        self.routes: dict[tuple[str, str], Callable[[Call], object]] = {
            ("GET", KEYS): lambda call: payloads.keys(call.owner),
            ("GET", f"{PREFIX}accounts"): lambda call: payloads.wallet(
                simulator, call.owner, call.now
            ),
            ("GET", f"{PREFIX}fee"): self._fees,
            ("POST", f"{PREFIX}positions/*/leverage"): self._set_leverage,
            ("POST", f"{PREFIX}positions/*/margin"): self._add_margin,
            ("POST", f"{PREFIX}countdown_cancel_all"): self._count_down,
        }

    def _fees(self, call: Call) -> Json:
        call.owner  # noqa: B018 - refuses strangers
        listing = listing_named(self._listings, call.required("contract"))
        return {
            listing.symbol: {
                "maker_fee": plain(listing.maker_fee),
                "taker_fee": plain(listing.taker_fee),
            }
        }

    def _set_leverage(self, call: Call) -> Json:
        """Set the contract to isolated margin of a leverage, or at 0 to cross margin of another."""
        listing, owner, own = self._named(call), call.owner, call.decimal("leverage")
        leverage = own or call.decimal("cross_leverage_limit")
        if leverage > listing.max_leverage:
            raise VenueRefusal("LEVERAGE_TOO_HIGH", "leverage too high")
        if leverage < 1:
            raise VenueRefusal("LEVERAGE_TOO_LOW", "leverage too low")
        owner.isolated.pop(f"{GATE}:{listing.symbol}", None)
        if own:
            owner.isolate(GATE, listing.symbol)
        owner.leverages[f"{GATE}:{listing.symbol}"] = leverage
        self._simulator.ledger.put_account(owner)
        return self._position(call, listing)

    def _add_margin(self, call: Call) -> Json:
        listing, amount, ledger = self._named(call), call.decimal("change"), self._simulator.ledger
        if not ledger.holding(call.owner.api_key, listing.key).base_quantity:
            raise VenueRefusal("POSITION_EMPTY", "Position is empty")
        if not call.owner.is_isolated(GATE, listing.symbol):
            message = "margin updating is not allowed in cross margin"
            raise VenueRefusal("POSITION_CROSS_MARGIN", message)
        state = margin_state(ledger, self._simulator.market, call.owner, venue=GATE, now=call.now)
        if not Decimal(0) < amount <= state.available:
            raise VenueRefusal("INSUFFICIENT_AVAILABLE", "balance is not enough")
        call.owner.add_margin(GATE, listing.symbol, amount)
        ledger.put_account(call.owner)
        return self._position(call, listing)

    def _count_down(self, call: Call) -> Json:
        listing = listing_named(self._listings, call.required("contract"))
        wait = call.number("timeout", -1)
        if wait < 0 or 0 < wait < SHORTEST:
            raise bad("timeout")
        after = timedelta(seconds=wait)
        start_countdown(
            self._simulator.ledger, call.owner, GATE, listing.symbol, after=after, now=call.now
        )
        return {"triggerTime": milliseconds(call.now + after) if wait else 0}

    def _named(self, call: Call) -> Listing:
        return listing_named(self._listings, call.named)

    def _position(self, call: Call, listing: Listing) -> Json:
        held = self._simulator.ledger.holdings_ever(call.owner.api_key, GATE)
        rows = [row for row in held if row.symbol == listing.symbol]
        told = [payloads.position(self._simulator, call.owner, row, call.now) for row in rows]
        return told[0] if told else {"contract": listing.symbol, "size": "0", "mode": "single"}
