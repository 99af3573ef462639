from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from trading.consumers import LiveConsumer
from trading.event_consumer import EventConsumer, token_in

_events = EventConsumer.as_asgi()
_page = AllowedHostsOriginValidator(AuthMiddlewareStack(LiveConsumer.as_asgi()))
_events_of_session = AllowedHostsOriginValidator(AuthMiddlewareStack(_events))


async def events(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Let a token in from anywhere, a session only from our own pages.

    A browser sends a session's cookie by itself, whoever opened the socket; a token it does not.
    """
    door = _events if token_in(scope) else _events_of_session
    await door(scope, receive, send)


websocket_application = URLRouter(
    # Channels takes its own applications where Django's types say views.
    [path("ws/live", _page), path("ws/v1", events)]  # type: ignore[arg-type]
)
