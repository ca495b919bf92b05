"""The composition root: the only place where the gateway's parts are put together."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass

import structlog
from aiohttp import web

from gateway import description
from gateway.auth import Verifier
from gateway.calls import Backends
from gateway.errors import ErrorPages
from gateway.handler import Handler, Limits
from gateway.health import HealthPages
from gateway.json_codec import Schema
from gateway.limits import RateLimiter
from gateway.observe import Watched
from gateway.plans import plan_of
from gateway.routes import RouteTable, routes_of
from gateway.server import GatewayServer
from gateway.settings import GatewaySettings
from gateway.streams import StreamSender
from gateway.waiting import Waiting
from kit.auth.keys import KeySource
from kit.auth.tokens import TokenRules, TokenVerifier
from kit.errors import Unavailable
from kit.identity import tls_files
from kit.ids import Ids, RandomIds
from kit.telemetry.setup import Telemetry
from kit.times import Clock, SystemClock

_BACKLOG = 1024


@dataclass(slots=True)
class Gateway:
    """A running gateway."""

    port: int
    _backends: Backends
    _runner: web.ServerRunner
    _sender: StreamSender
    _telemetry: Telemetry

    async def stop(self) -> None:
        """Take no more connections, let requests end within the grace period, close the channels."""
        for site in self._runner.sites:
            await site.stop()
        self._sender.end_events()
        await self._runner.cleanup()
        await self._backends.close()
        await self._telemetry.close()


async def start(
    settings: GatewaySettings,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    verifier: Verifier | None = None,
) -> Gateway:
    """Start listening. Raises ValueError when contract and settings do not fit, OSError for a taken port."""
    address = settings.address
    telemetry = Telemetry("gateway", f"{socket.gethostname()}-{os.getpid()}", settings)
    clock = clock or SystemClock()
    ids = ids or RandomIds(clock)
    descriptors = await asyncio.to_thread(settings.descriptors.read_bytes)
    schema = Schema.from_bytes(descriptors)
    routes = RouteTable(routes_of(schema.methods()))
    waiting = Waiting(settings.hold_seconds)
    backends = Backends(settings.backends, routes.routes, tls=tls_files(settings), waiting=waiting)
    errors = ErrorPages(schema.reasons(), clock)
    health = HealthPages(backends, errors, deadline=settings.health_seconds)
    limiter = RateLimiter(settings.rate_limit, settings.rate_burst, clock) if settings.rate_limit else None
    body = schema.http_body()
    sender = StreamSender(body)
    handler = Handler(
        {route: plan_of(route, backends) for route in routes.routes},
        ready=backends.ready,
        routes=routes,
        pages={"/health": health.health, "/ready": health.ready, **description.pages(descriptors)},
        verifier=verifier or await _verifier(settings, clock),
        limiter=limiter,
        errors=errors,
        body=body,
        sender=sender,
        limits=Limits(
            max_body=settings.max_body,
            max_upload=settings.max_upload,
            chunk=settings.chunk,
            call_seconds=settings.call_seconds,
            hold_seconds=settings.hold_seconds,
            document_seconds=settings.document_seconds,
            upload_seconds=settings.upload_seconds,
            stream_seconds=settings.stream_seconds,
        ),
        new_id=ids.new,
    )
    watched = Watched(handler, new_id=ids.new, at_info=settings.access_log == "info")
    server = GatewayServer(watched, errors=errors, new_id=ids.new, client_seconds=settings.client_seconds)
    runner = web.ServerRunner(server, shutdown_timeout=settings.drain_seconds)
    await runner.setup()
    site = _site(runner, address, settings.listen_fd)
    try:
        telemetry.start()
        await site.start()
    except OSError:
        await telemetry.close()
        await runner.cleanup()
        await backends.close()
        raise
    return Gateway(runner.addresses[0][1], backends, runner, sender, telemetry)


def _site(runner: web.ServerRunner, address: tuple[str, int], listen_fd: int | None) -> web.BaseSite:
    if listen_fd is None:
        return web.TCPSite(runner, *address, backlog=_BACKLOG)
    # A copy: ours is closed when we stop, and the next gateway takes on what waits at the other.
    listening = socket.socket(fileno=os.dup(listen_fd))
    return web.SockSite(runner, listening, backlog=_BACKLOG)


async def _verifier(settings: GatewaySettings, clock: Clock) -> TokenVerifier:
    rules = TokenRules(
        issuer=settings.user_issuer,
        audience=settings.user_audience,
        algorithms=tuple(settings.user_algorithms),
        types=tuple(settings.user_token_types),
    )
    keys = KeySource(settings.user_jwks, clock)
    try:
        await keys.keys(None)
    except Unavailable:
        # Not a reason to stay down: they are asked for again with the next token.
        structlog.get_logger("gateway").warning("signing keys cannot be read yet", location=settings.user_jwks)
    return TokenVerifier(keys, rules, clock)
