"""Kraken Futures settings over REST: margin modes, the currency of profits, rights of a key."""

from __future__ import annotations

from collections.abc import Callable

from exchanges.simulator.accounts import Account
from exchanges.simulator.core import Simulator
from exchanges.simulator.faces.kraken_futures_account import account_uid
from exchanges.simulator.faces.kraken_futures_calls import Call, Refused, iso, listing_named, number
from exchanges.simulator.listings import KRAKEN_FUTURES
from exchanges.simulator.wire import Json

PATH, CHECK = "/derivatives/api/v3/", "/api/auth/v1/api-keys/v3/check"
ADDRESS = "192.0.2.7/32"


class SettingPages:
    """The routes that read and change how an account trades."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._listings = simulator.listings_at(KRAKEN_FUTURES)
        self.routes: dict[tuple[str, str], Callable[[Call], Json]] = {
            ("GET", f"{PATH}leveragepreferences"): self._preferences,
            ("PUT", f"{PATH}leveragepreferences"): self._prefer,
            ("GET", f"{PATH}pnlpreferences"): lambda call: {"preferences": []},
            ("GET", CHECK): lambda call: key_details(call.owner),
        }

    def _preferences(self, call: Call) -> Json:
        """Return the contracts on isolated margin; what is not named is on cross."""
        rows = [
            {
                "symbol": row.symbol,
                "maxLeverage": number(call.owner.leverage(KRAKEN_FUTURES, row.symbol)),
            }
            for row in self._listings.values()
            if call.owner.is_isolated(KRAKEN_FUTURES, row.symbol)
        ]
        return {"leveragePreferences": rows}

    def _prefer(self, call: Call) -> Json:
        """Put a contract on isolated margin with a leverage, or on cross without one."""
        listing, owner = listing_named(self._listings, call.required("symbol")), call.owner
        key = f"{KRAKEN_FUTURES}:{listing.symbol}"
        owner.isolated.pop(key, None)
        owner.leverages.pop(key, None)
        if call.text("maxLeverage"):
            leverage = call.decimal("maxLeverage")
            if not 1 <= leverage <= listing.max_leverage:
                raise Refused("invalidArgument")
            owner.isolate(KRAKEN_FUTURES, listing.symbol)
            owner.leverages[key] = leverage
        self._simulator.ledger.put_account(owner)
        return {}


def key_details(owner: Account) -> Json:
    may_move = owner.may_withdraw or owner.may_transfer
    addresses = [ADDRESS] if owner.is_bound_to_address else []
    return {
        "apiKey": owner.api_key,
        "accountUid": account_uid(owner),
        "iiban": None,
        "createdAt": iso(owner.created_at),
        "permissions": {
            "general": "FULL_ACCESS",
            "transfer": "FULL_ACCESS" if may_move else "NO_ACCESS",
        },
        "allowedCidrBlock": addresses[0] if addresses else None,
        "allowedCidrBlocks": addresses,
    }
