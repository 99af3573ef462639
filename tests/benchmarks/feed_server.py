"""A venue that only sends: prepared market messages at the rate a real one has, to any socket.

Run as a process of its own, so that what is measured is the reader alone.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import orjson
from aiohttp import web

SYMBOLS = 500
BOOKS = 40
BOOKS_PER_SECOND = 10
SLICES = 20
PRICE, SIZE = "100.1", "5"


def name(number: int) -> str:
    return f"B{number:03}USDT"


def binance_marks() -> list[bytes]:
    """Return the one message a second that holds every mark price."""
    rows = [
        {"e": "markPriceUpdate", "s": name(number), "p": PRICE, "i": PRICE, "r": "0.0001", "T": 1}
        for number in range(SYMBOLS)
    ]
    return [orjson.dumps(rows)]


def binance_books() -> list[bytes]:
    return [
        orjson.dumps({"s": name(number), "b": PRICE, "B": SIZE, "a": "100.2", "A": SIZE})
        for number in range(SYMBOLS)
    ]


def bybit_tickers() -> list[bytes]:
    return [
        orjson.dumps(
            {
                "topic": f"tickers.{name(number)}",
                "type": "snapshot",
                "data": {
                    "symbol": name(number),
                    "markPrice": PRICE,
                    "indexPrice": PRICE,
                    "fundingRate": "0.0001",
                    "nextFundingTime": "1795000000000",
                    "bid1Price": PRICE,
                    "bid1Size": SIZE,
                    "ask1Price": "100.2",
                    "ask1Size": SIZE,
                },
            }
        )
        for number in range(SYMBOLS)
    ]


def okx_marks() -> list[bytes]:
    return [
        orjson.dumps(
            {
                "arg": {"channel": "mark-price", "instId": name(number)},
                "data": [{"instId": name(number), "markPx": PRICE}],
            }
        )
        for number in range(SYMBOLS)
    ]


def okx_tickers() -> list[bytes]:
    row = {"bidPx": PRICE, "bidSz": SIZE, "askPx": "100.2", "askSz": SIZE}
    return [
        orjson.dumps(
            {
                "arg": {"channel": "tickers", "instId": name(number)},
                "data": [{"instId": name(number), **row}],
            }
        )
        for number in range(SYMBOLS)
    ]


# What a path is sent: messages once a second, and how often the first BOOKS come beside that.
STREAMS: dict[str, tuple[Callable[[], list[bytes]], int]] = {
    "binance-marks": (binance_marks, 0),
    "binance-books": (binance_books, 0),
    "bybit-tickers": (bybit_tickers, 0),
    "okx-marks": (okx_marks, 0),
    "okx-tickers": (okx_tickers, 0),
    "live-books": (binance_books, BOOKS_PER_SECOND),
}


async def stream(request: web.Request) -> web.WebSocketResponse:
    """Send the stream a path names until the reader goes, spread over each second."""
    make, live = STREAMS[request.match_info["stream"]]
    messages = [body.decode() for body in make()]
    batches = _spread(messages[:BOOKS] * live if live else messages)
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    with suppress(ConnectionError):
        await _send_forever(socket, batches)
    return socket


async def _send_forever(socket: web.WebSocketResponse, batches: list[Sequence[str]]) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        for batch in batches:
            for body in batch:
                await socket.send_str(body)
            due += 1 / SLICES
            await asyncio.sleep(max(0.0, due - loop.time()))


def _spread(messages: Sequence[str]) -> list[Sequence[str]]:
    return [messages[number::SLICES] for number in range(SLICES)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    app = web.Application()
    app.router.add_get("/{stream}", stream)
    web.run_app(app, host="127.0.0.1", port=parser.parse_args().port, print=None, access_log=None)


if __name__ == "__main__":
    main()
