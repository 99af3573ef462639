from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.client_order_ids import OrderIdParts, client_order_id, parse_client_order_id

pytestmark = pytest.mark.core

POSITION = UUID("12345678-1234-5678-1234-567812345678")

parts = st.builds(
    OrderIdParts,
    position_id=st.uuids(),
    leg_index=st.integers(0, 35),
    purpose=st.sampled_from("ohr"),
    sequence=st.integers(0, 46_655),
)


def id_of(made_of: OrderIdParts) -> str:
    return client_order_id(
        made_of.position_id, made_of.leg_index, made_of.purpose, made_of.sequence
    )


@given(parts)
def test_id_is_read_back_into_its_parts(made_of: OrderIdParts) -> None:
    assert parse_client_order_id(id_of(made_of)) == made_of


@given(parts)
def test_id_fits_every_venue(made_of: OrderIdParts) -> None:
    text = id_of(made_of)

    assert len(text) == 32
    assert text.isalnum()
    assert text.startswith("ca")


def test_same_intent_has_the_same_id_and_the_next_another() -> None:
    first = client_order_id(POSITION, 0, "open", 1)

    assert first == client_order_id(POSITION, 0, "open", 1)
    assert first[:7] == "ca0o001"
    assert len({first, *(client_order_id(POSITION, 0, "open", n) for n in range(2, 99))}) == 98


@pytest.mark.parametrize("text", ["", "web_order_1", "x-TKT5PX2F37", "ca0o001", "CA" + "0" * 30])
def test_foreign_ids_are_not_ours(text: str) -> None:
    assert parse_client_order_id(text) is None


def test_part_that_does_not_fit_is_refused_instead_of_cut() -> None:
    with pytest.raises(ValueError, match="46656 does not fit"):
        client_order_id(POSITION, 0, "open", 46_656)
