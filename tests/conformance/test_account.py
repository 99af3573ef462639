"""Cards of the port `Account`."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.domain import Side
from exchanges.errors import CredentialRefused, VenueError
from tests.conformance.bench import Bench
from tests.conformance.cards import card
from tests.protocol.conftest import assert_exact
from tests.simulator.nearby import call
from tests.simulator.world import START

pytestmark = pytest.mark.protocol


class TestAccount:
    @card("C15")
    def test_funding_payment(self, bench: Bench) -> None:
        bench.pin(funding_rate="0.001")
        bench.submit(bench.order("0.1", Side.SELL))
        hours = 20 if bench.subject.pays_daily else 1
        bench.world.wait(hours=hours, seconds=-20)

        contracts = {bench.subject.venue_symbol: bench.subject.symbol}
        payments = call(bench.account.funding_payments(contracts, since=START))

        [booked] = bench.funding
        assert [(one.venue_payment_id, one.payment) for one in payments] == [
            (booked.venue_payment_id, booked.payment)
        ]
        # 0.1 BTC at 60,000 and 0.1 % an hour, received by the short; half a minute was over.
        due = 6 * hours - (Decimal("0.05") if bench.subject.accrues else 0)
        assert payments[0].payment == due
        assert_exact(payments[0])

    @card("C16")
    def test_fills(self, bench: Bench) -> None:
        request = bench.order("0.02")
        bench.submit(request)

        fills = [
            call(bench.account.trace(fill))
            for fill in call(bench.account.fills(bench.subject.symbol, since=START))
        ]

        booked = bench.trades
        assert [(one.venue_trade_id, one.price, one.base_quantity, one.fee) for one in fills] == [
            (one.venue_trade_id, one.price, one.base_quantity, one.fee) for one in booked
        ]
        assert {one.client_order_id for one in fills} <= {request.client_order_id, None}
        assert all(one.fee > 0 for one in fills)

    @card("C17")
    def test_position(self, bench: Bench) -> None:
        bench.submit(bench.order("0.03", Side.SELL))

        [position] = call(bench.account.positions())

        assert (position.symbol, position.base_quantity) == (
            bench.subject.symbol,
            Decimal("-0.03"),
        )
        assert not position.is_hedge_mode
        assert_exact(position)

    @card("C18")
    def test_empty_read(self, bench: Bench) -> None:
        symbol = bench.subject.symbol
        contracts = {bench.subject.venue_symbol: symbol}

        assert call(bench.account.positions()) == []
        assert call(bench.account.fills(symbol, since=START)) == []
        assert call(bench.account.funding_payments(contracts, since=START)) == []
        assert call(bench.trading.open_orders()) == []
        bench.disturb("garbage", garbage="object")
        with pytest.raises(VenueError):
            call(bench.account.fills(symbol, since=START))

    @card("C19")
    def test_balance_and_fees(self, bench: Bench) -> None:
        [dollars] = [
            one for one in call(bench.account.balances()) if one.asset == bench.subject.dollar
        ]
        tier = call(bench.account.fee_tier(bench.subject.symbol))

        listing = bench.world.listing(bench.subject.simulated, bench.subject.venue_symbol)
        assert (dollars.total, dollars.free) == (100_000, 100_000)
        assert (tier.maker, tier.taker) == (listing.maker_fee, listing.taker_fee)
        assert tier.is_fallback is not bench.subject.tells_fees

    @card("C20")
    def test_key_that_may_withdraw(self, bench: Bench) -> None:
        call(bench.account.check_key())
        bench.owner.may_withdraw = True

        with pytest.raises(CredentialRefused, match="may withdraw"):
            call(bench.account.check_key())
