"""The planted bugs: each is a mistake that a trading program of this kind has made somewhere.

Those of the order path must be noticed by the simulation, which knows nothing of the code.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

SEEDS = ("tests/simulation/test_seeds.py",)
FAULTS = ("tests/simulation/test_single_faults.py",)
DEATHS = ("tests/simulation/test_crash_points.py",)

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        name="sends_again_after_no_answer",
        path="trading/services/submit.py",
        before="        return await trading.submit(request)\n",
        after=(
            "        try:\n"
            "            return await trading.submit(request)\n"
            "        except OrderOutcomeUnknown:\n"
            "            return await trading.submit(request)\n"
        ),
        tests=SEEDS,
    ),
    Mutant(
        name="takes_an_unknown_outcome_for_a_refusal",
        path="trading/services/submit.py",
        before=(
            "        case OrderOutcomeUnknown():\n            _unknown(order, str(answer), now)\n"
        ),
        after=(
            "        case OrderOutcomeUnknown():\n"
            "            apply_to_order(\n"
            "                order, OrderEvent.REJECTED, cause='no answer', now=now,\n"
            "                is_final_at_venue=True,\n"
            "            )\n"
        ),
        tests=SEEDS,
    ),
    Mutant(
        name="trusts_an_answer_without_a_venue_id",
        path="exchanges/ccxt_adapter/trading.py",
        before='        return "the answer to the order carries no venue id"\n',
        after="        return None\n",
        tests=FAULTS,
    ),
    Mutant(
        name="sends_inside_the_transaction_of_the_licence",
        path="trading/services/submit.py",
        before=(
            "    licensed = [order for order in orders "
            "if _license(order, position=position, now=clock())]\n"
            "    answers = venues.call_all(\n"
            "        [_send(order, *doors[order.pk], clock) for order in licensed], SEND_SECONDS\n"
            "    )\n"
        ),
        after=(
            "    from django.db import transaction\n"
            "    with transaction.atomic():\n"
            "        licensed = [\n"
            "            order for order in orders "
            "if _license(order, position=position, now=clock())\n"
            "        ]\n"
            "        answers = venues.call_all(\n"
            "            [_send(order, *doors[order.pk], clock) for order in licensed],\n"
            "            SEND_SECONDS,\n"
            "        )\n"
        ),
        tests=DEATHS,
    ),
    Mutant(
        name="asks_for_the_kill_switch_outside_the_licence",
        path="trading/services/transition.py",
        before=(
            "            .filter(Q(purpose=Purpose.REDUCE) | ~Exists(_pressed_kill_switches()))\n"
        ),
        after="",
        tests=("tests/services/test_submit.py",),
    ),
    Mutant(
        name="licenses_without_the_epoch_of_the_lease",
        path="trading/services/transition.py",
        before=(
            "                position__lease_epoch=position.lease_epoch,\n"
            "            )\n            .filter("
        ),
        after="            )\n            .filter(",
        tests=("tests/services/test_submit.py",),
    ),
    Mutant(
        name="uses_a_licence_of_any_age",
        path="trading/services/submit.py",
        before="SEND_WITHIN = timedelta(seconds=2)",
        after="SEND_WITHIN = timedelta(days=2)",
        tests=("tests/services/test_submit.py",),
    ),
    Mutant(
        name="takes_one_not_found_for_absence",
        path="trading/services/lookup.py",
        before="_age(order.sent_at, now) <= ORDER_LIFETIME:",
        after="_age(order.sent_at, now) <= timedelta(0):",
        tests=FAULTS,
    ),
    Mutant(
        name="takes_an_answered_cancel_for_the_end_of_the_order",
        path="trading/services/drive.py",
        before="    rows.update(looked_up_at=None)\n",
        after='    rows.update(state="canceled", is_final_at_venue=True)\n',
        tests=FAULTS,
    ),
    Mutant(
        name="hedges_what_was_wanted_instead_of_what_filled",
        path="trading/core/plan_entry.py",
        before="    return view.legs[0].exposure.size, view.legs[1:]\n",
        after="    return view.target_base_quantity, view.legs[1:]\n",
        tests=FAULTS,
    ),
    Mutant(
        name="closes_without_reduce_only",
        path="trading/core/plan_orders.py",
        before="        reduce_only=purpose is Purpose.REDUCE,\n",
        after="        reduce_only=False,\n",
        tests=("tests/core/test_plan_exit.py",),
    ),
    Mutant(
        name="ends_a_position_without_reading_the_venues",
        path="trading/core/plan_orders.py",
        before="Record(event=event, cause=cause) if view.is_confirmed else ReadBack()",
        after="Record(event=event, cause=cause)",
        tests=("tests/core/test_plan_exit.py",),
    ),
    Mutant(
        name="takes_a_failed_read_for_flat",
        path="trading/core/reconcile.py",
        before="    if reports.quantities is None:\n        return\n",
        after=(
            "    if reports.quantities is None:\n"
            "        from dataclasses import replace\n"
            "        reports = replace(reports, quantities={})\n"
        ),
        tests=("tests/core/test_reconcile.py",),
    ),
    Mutant(
        name="books_a_fill_each_time_it_is_read",
        path="trading/services/order_facts.py",
        before="                venue_trade_id=fill.venue_trade_id,\n",
        after='                venue_trade_id=f"{fill.venue_trade_id}-{now:%H%M%S}",\n',
        tests=SEEDS,
    ),
    Mutant(
        name="books_what_is_above_a_remembered_baseline",
        path="trading/services/order_facts.py",
        before="                base_quantity=fill.base_quantity,\n",
        after=(
            "                base_quantity=max(\n"
            "                    fill.base_quantity,\n"
            "                    order.filled_base_quantity\n"
            "                    - sum(trade.base_quantity for trade in order.trades.all()),\n"
            "                ),\n"
        ),
        tests=FAULTS,
    ),
    Mutant(
        name="takes_an_empty_read_for_flat",
        path="trading/services/view.py",
        before="        net_base=leg_net_base(leg),\n",
        after=(
            "        net_base=leg_net_base(leg)\n"
            "        if leg.position.state != 'open' or leg.account.venue_positions.exists()\n"
            "        else Decimal(0),\n"
        ),
        tests=FAULTS,
    ),
    Mutant(
        name="books_the_trades_of_others_as_the_venues_own",
        path="trading/services/outside_fills.py",
        before=(
            "        if not fill.cause.is_venue:\n            continue\n"
            "        leg = live_leg(account, fill.symbol)\n"
        ),
        after="        leg = live_leg(account, fill.symbol)\n",
        # A person's trade by hand is rare among the seeds.
        tests=("tests/simulation/test_markets.py", *SEEDS),
    ),
    Mutant(
        name="reserves_a_limit_without_comparing_it",
        path="trading/services/limits.py",
        before="        use = use.filter(reserved_cents__lte=_cents(claim.cap_usd) - cents)\n",
        after="        use = use.filter(reserved_cents__gte=0)\n",
        tests=("tests/db/test_limits.py",),
    ),
    Mutant(
        name="assumes_eight_hours_where_no_interval_is_known",
        path="exchanges/funding_intervals.py",
        before="    if minutes is None or minutes <= 0:\n        return UNKNOWN\n",
        after=(
            "    if minutes is None or minutes <= 0:\n"
            "        return _whole_seconds(Decimal(28800))\n"
        ),
        tests=("tests/core/test_funding_intervals.py",),
    ),
    Mutant(
        name="counts_quantities_in_floats",
        path="trading/core/money.py",
        before="    return base_quantity // lot * lot\n",
        after="    return Decimal(float(base_quantity) // float(lot) * float(lot))\n",
        tests=("tests/core/test_money.py",),
    ),
    Mutant(
        name="shows_a_position_to_whoever_knows_its_id",
        path="trading/selectors/positions.py",
        before="get_object_or_404(with_parts(Position.objects.for_user(user)), pk=position_id)",
        after="get_object_or_404(with_parts(Position.objects.all()), pk=position_id)",
        tests=("tests/web/test_isolation.py",),
    ),
    Mutant(
        name="opens_on_books_of_any_age",
        path="trading/services/market.py",
        before="or elapsed(row.book.observed_at, now) > max_age:",
        after="or elapsed(row.book.observed_at, now) < -max_age:",
        tests=("tests/services/test_watch.py",),
    ),
)
