"""`carry open BTC 25k --long binanceusdm --short bybit`: quote an entry; with `--yes` open it."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.management.base import CommandError, CommandParser

from arbsite.accounts.models import User
from trading import desk
from trading.forms import SIMPLE, TicketForm
from trading.management.person import WRONG, PersonCommand, from_terminal
from trading.models import Position
from trading.selectors.venues import own_exchanges
from trading.views.api.entries import QuoteOut


class Command(PersonCommand):
    help = "Quote an entry and open it once it is confirmed."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("symbol", help="BTC, BTC-USDT or BTCUSDT")
        parser.add_argument("size", help="USD of one leg: 25000, 25,000 or 25k")
        parser.add_argument("--long", required=True, help="code of the venue that is bought at")
        parser.add_argument("--short", required=True, help="code of the venue that is sold at")
        parser.add_argument("--strategy", choices=SIMPLE, default=SIMPLE[0])
        parser.add_argument("--key", help="the same key opens once (default: a new one)")
        parser.add_argument("--yes", action="store_true", help="open it without asking")

    def act(self, user: User, **options: Any) -> None:
        """Print the quote; open on a yes, or say every reason why not."""
        names = ("symbol", "size", "long", "short", "strategy")
        form = TicketForm(
            {name: options[name] for name in names}, exchanges=own_exchanges(user), user=user
        )
        if not form.is_valid():
            wrong = [str(sentence) for why in form.errors.values() for sentence in why]
            raise CommandError(" ".join(wrong), returncode=WRONG)
        entry = form.entry()
        quote = desk.quote(user=user, entry=entry, now=self.now)
        if not self.as_json:
            self.facts(QuoteOut(quote).data)
        if quote.refusals:
            raise self.refuse(" ".join(refusal.sentence for refusal in quote.refusals))
        if not (options["yes"] or from_terminal(f"Open {entry.base}?")):
            raise self.refuse("Not opened: say --yes.")
        outcome = desk.open_position(
            user=user,
            entry=entry,
            actor=self.actor,
            key=(options["key"] or str(uuid.uuid4()))[:64],
            now=self.now,
        )
        if not isinstance(outcome, Position):
            raise self.refuse(" ".join(refusal.sentence for refusal in outcome.refusals))
        self.say(f"Opening {outcome.base}, {outcome.short_id}.", position=str(outcome.pk))
