"""Tokens to the REST interface: made, looked up and revoked; the text itself is kept nowhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from django.db import transaction
from knox.crypto import create_token_string, hash_token
from knox.settings import CONSTANTS

from arbsite.accounts import audit
from arbsite.accounts.models import ApiToken, User

MOST_TOKENS = 20


class TooManyTokens(Exception):
    """A user has as many tokens as anybody needs."""


def make_token(
    *, user: User, name: str, scope: str, lasts: timedelta, now: datetime
) -> tuple[ApiToken, str]:
    """Return a new token with its text, which is shown once and never again.

    Raise TooManyTokens.
    """
    text = create_token_string()
    with transaction.atomic():
        if ApiToken.objects.filter(user=user).count() >= MOST_TOKENS:
            raise TooManyTokens(f"You have {MOST_TOKENS} tokens: revoke one first.")
        token = ApiToken(
            digest=hash_token(text),
            token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH],
            user=user,
            name=name,
            scope=scope,
            expiry=now + lasts,
        )
        token.save(force_insert=True)
        details = {"scope": scope, "expires": token.expiry.isoformat()}
        _tell(token, "token made", details, now)
    return token, text


def revoke_token(*, user: User, token_id: UUID, now: datetime) -> bool:
    """End a user's token; False for one that is unknown or another's."""
    with transaction.atomic():
        token = ApiToken.objects.filter(user=user, id=token_id).first()
        if token is None:
            return False
        _tell(token, "token revoked", {}, now)
        token.delete()
    return True


def owner_of(text: str, *, now: datetime) -> ApiToken | None:
    """Return the token with its user, None when it is unknown, expired or its user disabled."""
    digest = hash_token(text)
    for token in ApiToken.objects.filter(
        token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH]
    ).select_related("user"):
        if compare_digest(token.digest, digest):
            is_over = token.expiry is None or token.expiry <= now
            return None if is_over or not token.user.is_active else token
    return None


def _tell(token: ApiToken, action: str, details: dict[str, str], now: datetime) -> None:
    name = token.user.get_username()
    audit.record(
        actor=name, action=action, subject=f"{token.name} of {name}", details=details, now=now
    )
