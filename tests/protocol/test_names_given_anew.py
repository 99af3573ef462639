"""A name that means another contract now: what is held under it is counted in the new one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.ccxt_adapter.client import Catalogue
from exchanges.ccxt_adapter.listing import Listings, former_listing
from exchanges.domain import Symbol
from exchanges.venues import PROFILES
from tests.market import make_instrument

pytestmark = pytest.mark.protocol

NAME = "LUNAUSDT"
PROFILE = PROFILES["bybit"]


@pytest.mark.parametrize("newer", ["AAA/USDT:USDT", "ZZZ/USDT:USDT"])
def test_a_name_means_what_is_listed_now_whatever_was_traded_under_it(newer: str) -> None:
    """Both were traded here, and what was traded is remembered in any order."""
    old = replace(
        make_instrument(base="LUNC"),
        venue_symbol=NAME,
        contract_base=Decimal(1000),
    )
    new = replace(old, symbol=Symbol(newer), contract_base=Decimal(1))
    catalogue = Catalogue(PROFILE)
    catalogue.listings = Listings([former_listing(PROFILE, new)])

    catalogue.remember([new, old])

    found = catalogue.ever.of(is_spot=False)[NAME].instrument
    assert (found.symbol, found.contract_base) == (newer, 1)
