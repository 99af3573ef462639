"""What a line of the pages' command line means, and what is said of one that means nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.commands import Command, Unclear, Verb, Vocabulary, parse

pytestmark = pytest.mark.core

KNOWN = Vocabulary(
    pages=("DASH", "POS", "CALC"), symbols=("BTC", "ETH", "HYPE"), venues=("BIN", "BYB", "HYP")
)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("dash", Command(verb=Verb.PAGE, subject="DASH")),
        ("  btc ", Command(verb=Verb.SYMBOL, subject="BTC")),
        ("#50e5e308", Command(verb=Verb.POSITION, subject="#50E5E308")),
        ("close eth", Command(verb=Verb.CLOSE, subject="ETH")),
        ("close #50e5", Command(verb=Verb.CLOSE, subject="#50E5")),
        ("calc", Command(verb=Verb.PAGE, subject="CALC")),
        ("calc btc bin byb", Command(verb=Verb.CALC, subject="BTC", long="BIN", short="BYB")),
        ("kill", Command(verb=Verb.KILL)),
        (
            "Btc Bin Byb 25k",
            Command(verb=Verb.TICKET, subject="BTC", long="BIN", short="BYB", size="25K"),
        ),
    ],
)
def test_a_line_is_read_in_any_case(line: str, meant: Command) -> None:
    assert parse(line, KNOWN) == meant


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "Type a page, a symbol, or SYMBOL LONG SHORT SIZE."),
        ("btc bin hypr 25k", "HYPR: no such venue. Did you mean HYP?"),
        ("hypr bin byb 25k", "HYPR: no such symbol. Did you mean HYPE?"),
        ("killl", "KILLL: no such page or symbol. Did you mean KILL?"),
        ("<script>", "<SCRIPT>: no such page or symbol."),
        (
            "kill now",
            "KILL with these words is no command: a ticket is SYMBOL LONG SHORT SIZE, like "
            "BTC BIN BYB 25K.",
        ),
        ("x" * 81, "A command has 80 characters at most, not 81."),
    ],
)
def test_the_word_that_nothing_is_called_is_named(line: str, said: str) -> None:
    with pytest.raises(Unclear) as unclear:
        parse(line, KNOWN)
    assert str(unclear.value) == said


@given(st.text(max_size=90))
def test_any_text_is_a_command_or_a_sentence(line: str) -> None:
    try:
        parse(line, KNOWN)
    except Unclear as unclear:
        assert str(unclear).strip()
