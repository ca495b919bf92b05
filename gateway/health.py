"""`/health`: this process lives. `/ready`: every service behind it is serving."""

from __future__ import annotations

import orjson
from aiohttp import web

from gateway.calls import Backends
from gateway.errors import ErrorPages
from kit.errors import Unavailable


class HealthPages:
    """The two pages, made for probes: cheap, and without a credential."""

    def __init__(self, backends: Backends, errors: ErrorPages, *, deadline: float) -> None:
        """`deadline` is in seconds."""
        self._backends = backends
        self._errors = errors
        self._deadline = deadline

    async def health(self, _request_id: str) -> web.Response:
        """200 as long as the process answers at all."""
        return web.Response(body=b'{"status":"ok"}', content_type="application/json")

    async def ready(self, request_id: str) -> web.Response:
        """200 when every service is serving, otherwise 503 that names those that are not."""
        services = await self._backends.health(self._deadline)
        if all(state == "serving" for state in services.values()):
            body = orjson.dumps({"status": "ok", "services": services})
            return web.Response(body=body, content_type="application/json")
        away = ", ".join(name for name, state in services.items() if state != "serving")
        error = Unavailable(f"Not serving: {away}", details={"services": services})
        return self._errors.of(error, request_id)
