"""`manage.py backtest`: the strategies of production over recorded history, as a table.

Exit status 2: the arguments or the data are wrong.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from trading.core.parameters import ParameterErrors
from trading.research.comparison import Question, UnknownRules, compare
from trading.research.ledger import ReplayResult
from trading.research.recorded import NothingRecorded
from trading.research.rules import RULES
from trading.research.table import comparison
from trading.research.tape import TradingCost

WRONG = 2
FEES = {"taker": Decimal("0.0005"), "maker": Decimal("0.0002")}
READING = (
    "Of one leg's notional, simple, idle time included; every loss is in it. Price gaps between "
    "venues, margin calls and missed fills are not."
)


class Command(BaseCommand):
    help = "Replay recorded history through the real strategies and compare sets of rules."
    requires_system_checks: list[str] = []  # noqa: RUF012  # Django's own declaration

    def add_arguments(self, parser: CommandParser) -> None:
        data = Path(settings.BASE_DIR).parent / "shared" / "data"
        parser.add_argument("--data", type=Path, default=data, help="folder of the Parquet files")
        parser.add_argument("--strategy", choices=sorted(RULES), default="funding_spread")
        parser.add_argument("--venues", default="binance,bybit", help="comma-separated")
        parser.add_argument("--symbols", default="BTC,ETH", help="base assets, comma-separated")
        parser.add_argument("--rules", default="", help="names of sets of rules; all by default")
        parser.add_argument("--fees", choices=sorted(FEES), default="taker")
        parser.add_argument("--slippage", default="0.0001", help="of one order, as a fraction")
        parser.add_argument("--size", default="10000", help="USD per leg")
        parser.add_argument("--hold", default="168", help="hold time in hours")
        parser.add_argument("--since", help="first day, like 2024-01-01")
        parser.add_argument("--until", help="day after the last")
        parser.add_argument(
            "--funding-only",
            action="store_true",
            help="leave prices out, also of spot against its perpetual",
        )
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="a configuration value for every set of rules",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        question = _question(options)
        rows: list[tuple[str, ReplayResult]] = []
        try:
            for rules, result in compare(question):
                rows.append((rules.title, result))
                self.stderr.write(f"replayed: {rules.title}")
        except (NothingRecorded, UnknownRules, ParameterErrors) as error:
            raise CommandError(str(error), returncode=WRONG) from error
        self.stdout.write(_heading(question, options["fees"], rows[0][1]))
        self.stdout.write(comparison(rows))
        self.stdout.write(READING)


def _question(options: dict[str, Any]) -> Question:
    given = dict(_pair(text) for text in options["set"])
    return Question(
        folder=options["data"],
        strategy=options["strategy"],
        venues=_words(options["venues"]),
        bases=tuple(word.upper() for word in _words(options["symbols"])),
        size_usd=_number(options["size"], "size"),
        cost=TradingCost(
            fee=FEES[options["fees"]], slippage=_number(options["slippage"], "slippage")
        ),
        rules=_words(options["rules"]),
        since=_day(options["since"]),
        until=_day(options["until"]),
        given={"hold_horizon": options["hold"], **given},
        is_priced=not options["funding_only"],
    )


def _heading(question: Question, fees: str, result: ReplayResult) -> str:
    cost = 4 * (question.cost.fee + question.cost.slippage) * 10_000
    return (
        f"{question.strategy}: {', '.join(question.bases)} at {', '.join(question.venues)}, "
        f"{result.since:%Y-%m-%d} to {result.until:%Y-%m-%d}, "
        f"{question.size_usd:,.0f} USD per leg, {fees}: {cost:.0f} bp round trip"
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise CommandError(f"{text!r} is no setting: write key=value.", returncode=WRONG)
    return key.strip(), value.strip()


def _number(text: str, name: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise CommandError(f"--{name} {text!r} is not a number.", returncode=WRONG) from None


def _day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise CommandError(
            f"{text!r} is not a day: write it like 2024-01-01.", returncode=WRONG
        ) from None
