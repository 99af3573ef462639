"""`manage.py paper_account USER VENUE`: trade a venue's real market with money that is none."""

from __future__ import annotations

from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from arbsite.accounts.models import User
from exchanges.account_keys import ModesMixed
from exchanges.paper.accounts import PaperRefused, open_paper_account, watched_exchange
from exchanges.venues import PROFILES


class Command(BaseCommand):
    help = "Open a paper account at a venue: no key, the venue's public market, a starting balance."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user")
        parser.add_argument("venue", help=", ".join(PROFILES))
        parser.add_argument("--label", default="main")
        parser.add_argument("--balance", default="100000", help="Starting balance.")
        parser.add_argument("--asset", default="USDT", help="Of the starting balance.")
        parser.add_argument("--allocation", default="1", help="Part of it to trade with, 0 to 1.")
        parser.add_argument("--slippage", default="0", help="Per taker fill: 0.0001 is 1 bp.")

    def handle(self, *args: Any, user: str, venue: str, **options: Any) -> None:
        owner = User.objects.filter(username=user).first()
        if owner is None:
            raise CommandError(f"There is no user {user!r}.")
        try:
            exchange = watched_exchange(venue)
            paper = open_paper_account(
                user=owner,
                exchange=exchange,
                label=options["label"],
                starting_balance=_number(options["balance"]),
                asset=options["asset"],
                allocation=_number(options["allocation"]),
                slippage=_number(options["slippage"]),
                actor="command line",
                now=timezone.now(),
            )
        except (ModesMixed, PaperRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{user} has a {paper} at {exchange.name}; fees are the list prices.")


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise CommandError(f"{text!r} is no number.") from None
    if not number.is_finite():
        raise CommandError(f"{text!r} is no number.")
    return number
