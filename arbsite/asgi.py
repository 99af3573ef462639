"""The web process: pages over HTTP, live updates over WebSockets."""

from __future__ import annotations

import os

import django
from channels.routing import ProtocolTypeRouter

from arbsite.request_threads import RequestThreads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arbsite.settings")
# Loads the applications; whatever touches models can be imported only after it.
django.setup(set_prefix=False)
http_application = RequestThreads()

from trading.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter({"http": http_application, "websocket": websocket_application})
