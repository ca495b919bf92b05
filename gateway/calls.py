"""Channels to the services, and calls over them in plain bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

import grpc

from gateway.headers import CallMetadata
from gateway.routes import Route
from gateway.waiting import Waiting
from kit.rpc.channels import open_channel
from kit.rpc.tls import TlsFiles

_HEALTH: Final = "/grpc.health.v1.Health/Check"
# grpc.health.v1.HealthCheckResponse{status: SERVING}
_SERVING: Final = b"\x08\x01"
Call = Any
"""A call of grpc.aio under way; its classes differ by arity and share no way of reading."""


class Caller(Protocol):
    """One RPC of whichever arity; the request is left out where it is written in pieces."""

    def __call__(
        self, request: bytes = ..., *, metadata: CallMetadata, timeout: float, wait_for_ready: bool = ...
    ) -> Call: ...


class Backends:
    """One channel for each service that has routes, and a second one for answers in pieces, which may last."""

    def __init__(
        self,
        targets: Mapping[str, str],
        routes: Iterable[Route],
        *,
        tls: TlsFiles | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        """With `tls`, over mutual TLS. Without `waiting` nobody waits for a service that is away.

        Raises ValueError when a route's service has no target."""
        by_target: dict[str, list[Route]] = {}
        for route in routes:
            by_target.setdefault(word_of(route.method.service), []).append(route)
        if missing := sorted(by_target.keys() - targets.keys()):
            raise ValueError(f"no backend is set for {', '.join(missing)}")
        self._channels = {word: _channel(targets[word], own, tls) for word, own in by_target.items()}
        self._lasting = {
            word: open_channel(targets[word], tls=tls, lasting=True)
            for word, own in by_target.items()
            if any(map(_lasts, own))
        }

        self._waiting = waiting or Waiting(0)

    async def ready(self, route: Route) -> None:
        """Return when a route's service can be called, at once as a rule. Raises Unavailable."""
        await self._waiting.ready(self._channel(route))

    def _channel(self, route: Route) -> grpc.aio.Channel:
        return (self._lasting if _lasts(route) else self._channels)[word_of(route.method.service)]

    def caller(self, route: Route) -> Caller:
        """The call of a route."""
        channel = self._channel(route)
        make: dict[tuple[bool, bool], Any] = {
            (False, False): channel.unary_unary,
            (False, True): channel.unary_stream,
            (True, False): channel.stream_unary,
            (True, True): channel.stream_stream,
        }
        method = route.method
        caller: Caller = make[method.streams_in, method.streams_out](method.path)
        return caller

    async def health(self, deadline: float) -> dict[str, str]:
        """What each service says of itself: `serving`, `not_serving` or `unreachable`."""
        words = sorted(self._channels)
        states = await asyncio.gather(*(_check(self._channels[word], deadline) for word in words))
        return dict(zip(words, states, strict=True))

    async def close(self) -> None:
        """Close the channels; calls under way are cancelled."""
        channels = [*self._channels.values(), *self._lasting.values()]
        await asyncio.gather(*(channel.close() for channel in channels))


def _lasts(route: Route) -> bool:
    """Whether a call may be under way for as long as its client stays."""
    return route.gives_stream and not route.takes_stream


def word_of(service: str) -> str:
    """The word that names a service in settings: `prsm.session.v1.SessionService` is `session`."""
    return service.split(".")[-3]


async def _check(channel: grpc.aio.Channel, deadline: float) -> str:
    check: Any = channel.unary_unary(_HEALTH)
    try:
        answer = await check(b"", timeout=deadline)
    except grpc.aio.AioRpcError:
        return "unreachable"
    return "serving" if answer == _SERVING else "not_serving"


def _channel(target: str, routes: Iterable[Route], tls: TlsFiles | None) -> grpc.aio.Channel:
    reads = [route.method for route in routes if route.verb == "GET" and not route.gives_stream]
    return open_channel(target, reads=[(m.service, m.path.rpartition("/")[2]) for m in reads], tls=tls)
