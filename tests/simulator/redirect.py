"""A client session that takes the venues' real addresses to the simulator."""

from __future__ import annotations

from typing import Any

import aiohttp
import yarl


class LoopbackSession(aiohttp.ClientSession):
    """Rewrites every REST and WebSocket address to `127.0.0.1:port/<host>/<path>`."""

    ATTRS = aiohttp.ClientSession.ATTRS | {"_loopback_port"}

    def __init__(self, port: int) -> None:
        super().__init__()
        object.__setattr__(self, "_loopback_port", port)

    async def _request(self, method: str, str_or_url: Any, **kwargs: Any) -> Any:
        url = yarl.URL(str_or_url)
        if url.host != "127.0.0.1":
            scheme = "ws" if url.scheme in ("ws", "wss") else "http"
            address = f"{scheme}://127.0.0.1:{self._loopback_port}/{url.host}{url.raw_path_qs}"
            url = yarl.URL(address, encoded=True)
        kwargs.pop("proxy", None)
        kwargs["ssl"] = True
        return await super()._request(method, url, **kwargs)
