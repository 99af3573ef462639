"""Where requests run: on a thread of their own from first to last, and on one that is kept."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from pytest_django.fixtures import Settings

from arbsite.request_threads import KEPT, RequestThreads

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]
entered = threading.Semaphore(0)
go_on = threading.Event()


def where(request: HttpRequest) -> JsonResponse:
    """Tell which thread answers and over which connection."""
    if "wait" in request.GET:
        entered.release()
        go_on.wait(30)
    connection.ensure_connection()
    return JsonResponse({"thread": threading.get_ident(), "connection": id(connection.connection)})


urlpatterns = [path("where", where)]


@pytest.fixture
def handler(settings: Settings) -> RequestThreads:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
    go_on.clear()
    return RequestThreads()


def test_requests_one_after_the_other_share_a_thread_and_its_connection(
    handler: RequestThreads,
) -> None:
    async def two() -> tuple[Any, Any]:
        return await ask(handler), await ask(handler)

    first, second = asyncio.run(two())

    assert first == second
    assert first["thread"] != threading.get_ident()
    handler.end_idle()


def test_no_request_waits_for_the_thread_of_another(handler: RequestThreads) -> None:
    many = KEPT + 2

    async def at_once() -> list[Any]:
        asked = [asyncio.create_task(ask(handler, b"wait")) for _ in range(many)]
        for _ in range(many):
            assert await asyncio.to_thread(entered.acquire, timeout=30)
        go_on.set()
        return await asyncio.gather(*asked)

    answers = asyncio.run(at_once())

    assert len({answer["thread"] for answer in answers}) == many
    assert handler.idle == KEPT
    handler.end_idle()


def test_a_reader_who_hangs_up_keeps_nobody_waiting_and_no_thread(handler: RequestThreads) -> None:
    async def hung_up() -> Any:
        talk: Any = ApplicationCommunicator(handler, scope_of(b"wait"))  # type: ignore[no-untyped-call]
        await talk.send_input({"type": "http.request"})
        assert await asyncio.to_thread(entered.acquire, timeout=30)
        await talk.send_input({"type": "http.disconnect"})
        answer = await ask(handler)
        go_on.set()
        await talk.wait(30)
        return answer

    assert asyncio.run(hung_up())["thread"]
    assert handler.idle == 2
    handler.end_idle()


def scope_of(query: bytes) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/where",
        "query_string": query,
        "headers": [(b"host", b"localhost")],
    }


async def ask(handler: RequestThreads, query: bytes = b"") -> Any:
    talk: Any = ApplicationCommunicator(handler, scope_of(query))  # type: ignore[no-untyped-call]
    await talk.send_input({"type": "http.request"})
    started = await talk.receive_output(30)
    assert started["status"] == 200
    body = await talk.receive_output(30)
    await talk.wait(30)
    return json.loads(body["body"])
