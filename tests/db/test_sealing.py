from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ValidationError
from django.db import connection, models, transaction
from django.db.models import Case, Value, When
from pytest_django import Settings

from arbsite.accounts.models import User
from exchanges.fields import SealedField
from exchanges.models import Exchange, ExchangeAccount
from exchanges.sealing import (
    KeyFileRefused,
    SealBroken,
    Sealed,
    check_key_file,
    create_key_file,
    key_fingerprint,
    seal,
)

pytestmark = pytest.mark.db

PAYLOAD = {"api_key": "visible-key", "secret": "visible-secret"}


@pytest.fixture
def own_key_file(tmp_path: Path, settings: Settings) -> Path:
    path = tmp_path / "keys" / "carry.key"
    create_key_file(path)
    settings.CARRY_KEY_FILE = str(path)
    return path


def sealed() -> Sealed:
    return seal(PAYLOAD, owner_id=7, purpose="exchange")


def field() -> SealedField:
    found = SealedField(null=True)
    found.set_attributes_from_name("credential")
    return found


def test_sealed_payload_opens_for_its_owner_and_purpose(own_key_file: Path) -> None:
    assert sealed().reveal(owner_id="7", purpose="exchange") == PAYLOAD


@pytest.mark.parametrize(("owner_id", "purpose"), [(8, "exchange"), (7, "telegram")])
def test_other_owner_or_purpose_stays_shut(own_key_file: Path, owner_id: int, purpose: str) -> None:
    with pytest.raises(SealBroken, match="another owner or purpose"):
        sealed().reveal(owner_id=owner_id, purpose=purpose)


def test_wrong_key_raises_instead_of_returning_the_token(own_key_file: Path) -> None:
    value = sealed()
    own_key_file.write_bytes(Fernet.generate_key())

    with pytest.raises(SealBroken, match="does not open with the current key file"):
        value.reveal(owner_id=7, purpose="exchange")


def test_rotated_key_file_still_opens_old_values(own_key_file: Path) -> None:
    value = sealed()
    before = key_fingerprint()
    own_key_file.write_bytes(Fernet.generate_key() + b"\n" + own_key_file.read_bytes())

    assert value.reveal(owner_id=7, purpose="exchange") == PAYLOAD
    assert key_fingerprint() != before


def test_nothing_shows_the_secret_or_lets_it_leave_the_process(own_key_file: Path) -> None:
    value = sealed()

    assert "visible" not in f"{value} {value!r} {value.token}"
    assert copy.deepcopy(value) is value
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(value)


@pytest.mark.parametrize("content", [b"", b"not a key", b"YWJj"])
def test_damaged_key_file_is_refused_with_a_sentence(own_key_file: Path, content: bytes) -> None:
    own_key_file.write_bytes(content)

    with pytest.raises(KeyFileRefused, match="restore it from your backup"):
        check_key_file()


def test_key_file_others_can_read_is_refused(own_key_file: Path) -> None:
    own_key_file.chmod(0o640)

    with pytest.raises(KeyFileRefused, match="0640"):
        check_key_file()


def test_existing_key_file_is_never_overwritten(own_key_file: Path) -> None:
    before = own_key_file.read_bytes()

    with pytest.raises(KeyFileRefused, match="never overwritten"):
        create_key_file(own_key_file)

    assert own_key_file.read_bytes() == before
    assert own_key_file.stat().st_mode & 0o777 == 0o600


def test_column_keeps_the_token_and_hands_out_an_opaque_value(own_key_file: Path) -> None:
    value = sealed()
    stored = field().get_db_prep_save(value, connection)

    assert stored == value.token
    assert field().from_db_value(stored) == value


def test_column_refuses_text_and_bulk_update_expressions(own_key_file: Path) -> None:
    expression = Case(When(pk=1, then=Value("x")), output_field=models.TextField())

    for value in ("plain text", expression):
        with pytest.raises(FieldError, match="bulk_update"):
            field().get_db_prep_save(value, connection)
    with pytest.raises(ValidationError):
        field().to_python("gAAAA form input")


def test_column_cannot_be_searched_or_shown_on_a_form(own_key_file: Path) -> None:
    for lookup in ("exact", "contains", "in"):
        with pytest.raises(FieldError, match="cannot be searched"):
            field().get_lookup(lookup)
    assert field().get_lookup("isnull") is not None
    assert field().formfield() is None


@pytest.mark.django_db
def test_stored_credential_survives_a_save_and_bulk_update_refuses(
    own_key_file: Path, owner: User
) -> None:
    exchange = Exchange.objects.create(code="bybit", short_code="BYB", name="Bybit")
    account = ExchangeAccount.objects.create(
        user=owner, exchange=exchange, sealed_keys=sealed(), key_fingerprint="f"
    )

    stored = ExchangeAccount.objects.get(pk=account.pk)
    assert stored.sealed_keys is not None
    assert stored.sealed_keys.reveal(owner_id=7, purpose="exchange") == PAYLOAD

    with pytest.raises(FieldError, match="bulk_update"), transaction.atomic():
        ExchangeAccount.objects.bulk_update([stored], ["sealed_keys"])
    with pytest.raises(FieldError, match="cannot be searched"):
        ExchangeAccount.objects.filter(sealed_keys="x").exists()
    stored.refresh_from_db()
    assert stored.sealed_keys.reveal(owner_id=7, purpose="exchange") == PAYLOAD
