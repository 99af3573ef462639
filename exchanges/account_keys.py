"""From an account's sealed row to the key that opens its ports; only engine processes come here."""

from __future__ import annotations

from exchanges.models import ExchangeAccount
from exchanges.modes import Mode
from exchanges.registry import AccountKey
from exchanges.sealing import Sealed, seal

PURPOSE = "exchange-account"


def seal_keys(
    account: ExchangeAccount, *, api_key: str, secret: str, passphrase: str = ""
) -> Sealed:
    """Return the keys sealed for the account's owner; setting and saving it is the caller's."""
    return seal(
        {"api_key": api_key, "secret": secret, "passphrase": passphrase},
        owner_id=str(account.user_id),
        purpose=PURPOSE,
    )


def account_key(account: ExchangeAccount) -> AccountKey:
    """Open the account's keys. Raise SealBroken when they are another owner's or another key's."""
    keys = account.sealed_keys.reveal(owner_id=str(account.user_id), purpose=PURPOSE)
    return AccountKey(
        credential_id=str(account.pk),
        venue=account.exchange.code,
        mode=Mode(account.exchange.mode),
        api_key=keys["api_key"],
        secret=keys["secret"],
        passphrase=keys["passphrase"],
    )
