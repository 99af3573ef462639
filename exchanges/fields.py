"""The strict encrypted column: it stores tokens, hands out opaque values, refuses all else."""

from __future__ import annotations

from typing import Any, Never

from django.core.exceptions import FieldError, ValidationError
from django.db.models import Field
from encrypted_model_fields.fields import EncryptedTextField

from exchanges.sealing import Sealed


class SealedField(EncryptedTextField):  # type: ignore[misc]  # the package has no types
    """Hold a `Sealed` value or None.

    The parent hides a wrong key, decrypts form input and loses secrets in `bulk_update`; here every
    path that is not a plain load or save of a `Sealed` value raises.
    """

    description = "A credential that is encrypted at rest and opaque in memory"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def from_db_value(self, value: str | None, *args: object) -> Sealed | None:
        return None if value is None else Sealed(value)

    def to_python(self, value: object) -> Sealed | None:
        if value is None or isinstance(value, Sealed):
            return value
        raise ValidationError("A credential is sealed before it is set; text is not accepted.")

    def get_prep_value(self, value: object) -> str | None:
        if value is None:
            return None
        if isinstance(value, Sealed):
            return value.token
        raise FieldError(
            f"{self.name} takes only a sealed credential, saved row by row: "
            "text, expressions and bulk_update are refused."
        )

    def get_db_prep_value(
        self, value: object, connection: object, prepared: bool = False
    ) -> str | None:
        return value if prepared and isinstance(value, str) else self.get_prep_value(value)

    def get_db_prep_save(self, value: object, connection: object) -> str | None:
        return self.get_prep_value(value)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return Field.get_lookup(self, lookup_name)
        self._refuse_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> Any:
        self._refuse_lookup(lookup_name)

    def value_to_string(self, obj: object) -> str:
        return "[sealed]"

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        """Return no form field: keys are entered on a write-only form and sealed there."""
        return None

    def _refuse_lookup(self, lookup_name: str) -> Never:
        raise FieldError(f"{self.name} is sealed and cannot be searched ({lookup_name}).")
