"""From an account's sealed row to the key that opens its ports; only engine processes come here."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from arbsite.accounts.models import User
from exchanges import selectors
from exchanges.models import Exchange, ExchangeAccount
from exchanges.modes import Mode
from exchanges.registry import AccountKey
from exchanges.sealing import Sealed, keyed_fingerprint, seal

PURPOSE = "exchange-account"
NO_KEYS = {"api_key": "", "secret": "", "passphrase": ""}


class KeyInUse(ValueError):
    """Another active account uses this key; the sentence names nobody."""


class VenueReadOnly(ValueError):
    """Nothing is traded at this venue in this mode; the sentence says why."""


class ModesMixed(ValueError):
    """The user trades in another mode already; the sentence says in which."""


def seal_keys(
    account: ExchangeAccount, *, api_key: str, secret: str, passphrase: str = ""
) -> Sealed:
    """Return the keys sealed for the account's owner; setting and saving it is the caller's."""
    return seal(
        {"api_key": api_key, "secret": secret, "passphrase": passphrase},
        owner_id=str(account.user_id),
        purpose=PURPOSE,
    )


def store_account(
    *, user: User, exchange: Exchange, label: str, api_key: str, secret: str, passphrase: str = ""
) -> ExchangeAccount:
    """Create or re-key the user's account of this label, sealed for its owner.

    Raise KeyInUse when another active account of this venue has the same API key: two owners of
    one venue account would undo each other's positions. Raise ModesMixed or VenueReadOnly.
    """
    refuse_read_only(exchange)
    refuse_mixed_modes(user, exchange)
    fingerprint = keyed_fingerprint(f"{exchange.code}:{exchange.mode}:{api_key}")
    taken = ExchangeAccount.objects.filter(
        exchange=exchange, key_fingerprint=fingerprint, is_active=True
    ).exclude(user=user, label=label)
    if taken.exists():
        raise KeyInUse(f"This key of {exchange.name} is already in use: make another one there.")
    account, _ = ExchangeAccount.objects.get_or_create(
        user=user, exchange=exchange, label=label, defaults={"key_fingerprint": fingerprint}
    )
    account.key_fingerprint = fingerprint
    # Another key is another unknown: nothing opens with it before it was checked.
    account.checked_at = account.halted_at = account.key_expires_at = None
    account.uid_fingerprint = ""
    account.halted_reason = ""
    # The stubs take the column's type for the attribute's.
    account.sealed_keys = seal_keys(  # type: ignore[assignment]
        account, api_key=api_key, secret=secret, passphrase=passphrase
    )
    account.save()
    return account


def refuse_read_only(exchange: Exchange) -> None:
    """Raise VenueReadOnly where no account may be added in the exchange's mode."""
    if why := selectors.read_only(exchange.code, exchange.mode):
        raise VenueReadOnly(why)


def refuse_mixed_modes(user: User, exchange: Exchange) -> None:
    """Raise ModesMixed where the user has an active account in another mode than the exchange's.

    What is money and what is not would be added up: equity, limits and the day's loss are a
    person's, over all accounts in use.
    """
    active = ExchangeAccount.objects.for_user(user).active().select_related("exchange")
    other = active.exclude(exchange__mode=exchange.mode).first()
    if other is not None:
        raise ModesMixed(
            f"{user.get_username()} trades in mode {other.exchange.mode} ({other}), and a person "
            f"trades in one mode at a time: deactivate those accounts before one of mode "
            f"{exchange.mode} is added."
        )


def claim_venue_account(account: ExchangeAccount, uid: str) -> bool:
    """Note whose account the venue says it is; False where another active one here is the same.

    Spot and contracts of one company are one account: who has the one has the other.
    """
    if not uid:
        return True
    company = selectors.company(account.exchange.code)
    fingerprint = keyed_fingerprint(f"uid:{company}:{account.exchange.mode}:{uid}")
    same = ExchangeAccount.objects.active().filter(uid_fingerprint=fingerprint)
    if same.exclude(user=account.user_id).exists():
        return False
    try:
        with transaction.atomic():
            ExchangeAccount.objects.filter(pk=account.pk).update(uid_fingerprint=fingerprint)
    except IntegrityError:
        return False
    return True


def account_key(account: ExchangeAccount) -> AccountKey:
    """Open the account's keys. Raise SealBroken when they are another owner's or another key's.

    An account that was opened without keys opens with empty ones.
    """
    sealed = account.sealed_keys
    keys = sealed.reveal(owner_id=str(account.user_id), purpose=PURPOSE) if sealed else NO_KEYS
    return AccountKey(
        credential_id=str(account.pk),
        owner_id=str(account.user_id),
        venue=account.exchange.code,
        mode=Mode(account.exchange.mode),
        api_key=keys["api_key"],
        secret=keys["secret"],
        passphrase=keys["passphrase"],
    )
