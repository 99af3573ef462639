"""The forms in which people write a pair; `docs/DOMAIN.md` section 1."""

from __future__ import annotations

KNOWN_QUOTES = ("USDT", "USDC", "USD")


def parse_pair(text: str) -> str:
    """Return `BTC/USDT` for `BTC-USDT`, `BTCUSDT`, `btc/usdt` or `BTC/USDT:USDT`.

    Raise ValueError, naming the text, for anything else.
    """
    cleaned = text.strip().upper().partition(":")[0].replace("-", "/")
    base, slash, quote = cleaned.partition("/")
    if not slash:
        quote = next((known for known in KNOWN_QUOTES if cleaned.endswith(known)), "")
        base = cleaned.removesuffix(quote)
    if not (base.isalnum() and base.isascii() and quote in KNOWN_QUOTES):
        raise ValueError(f"{text!r} is not a pair: write it like BTC-USDT")
    return f"{base}/{quote}"


def shown_pair(pair: str) -> str:
    """Return `BTC-USDT` for the unified `BTC/USDT`."""
    return pair.partition(":")[0].replace("/", "-")
