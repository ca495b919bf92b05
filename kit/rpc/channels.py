"""Channels to other processes: plain, or with mutual TLS that follows its files.

What the numbers are for: a host that vanishes without a word (a cut link, a stopped process) must cost callers with
deadlines of a few seconds one failed call at most, and a read none.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any, Self

import grpc

from kit.rpc.tls import Material, TlsFiles, channel_credentials

# Reads may be sent again when the server was away; writes are retried by their callers, who know their ids. grpc draws
# each pause anew around these.
_RETRIED_READS = {
    "maxAttempts": 3,
    "initialBackoff": "0.05s",
    "maxBackoff": "0.5s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
RETRY_TOKENS = 200
"""A failure takes one, a success gives one back, and below half of them nothing is sent again: in an outage that lasts,
each request is sent once, however many layers would retry it. With one of two replicas gone they do not run out."""
MOST_RECEIVED = 8 * 1024 * 1024
"""Bytes of the largest message that is taken anywhere, at either end and at both edges."""
_OPTIONS: list[tuple[str, Any]] = [
    # A replica that is silent for 3 + 3 seconds is left alone: its calls fail as `unavailable`, reads among them go to
    # another replica, and the gateway's 15 seconds are far from over. grpc also takes the time-out for
    # TCP_USER_TIMEOUT, so that bytes which nobody acknowledges end a connection after 3 seconds. Servers answer these
    # pings beside their event loop, so that a busy process does not look like a dead one.
    ("grpc.keepalive_time_ms", 3_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    # Pings that measure the bandwidth stand in for keepalive's, and wait for a minute if not told otherwise.
    ("grpc.http2.ping_timeout_ms", 3_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.max_receive_message_length", MOST_RECEIVED),
    ("grpc.max_metadata_size", 64 * 1024),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # Also how long one attempt to connect may take (20 seconds otherwise): a host that is back is found soon.
    ("grpc.min_reconnect_backoff_ms", 3_000),
    # A replaced replica has a new address; the default is to ask for it after 30 seconds.
    ("grpc.dns_min_time_between_resolutions_ms", 2_000),
    ("grpc.enable_http_proxy", 0),
]
_LASTING_OPTIONS: list[tuple[str, Any]] = [
    # What sends a call again keeps some 7 KiB for each that is under way.
    ("grpc.enable_retries", 0),
    # Without it a fast stream may widen the window of all that are open, up to megabytes for each that is not read.
    ("grpc.http2.bdp_probe", 0),
]
_READY = grpc.ChannelConnectivity.READY.value[0]
_SCHEMES = ("dns:", "ipv4:", "ipv6:", "unix:")


def open_channel(
    target: str, *, reads: Iterable[tuple[str, str]] = (), tls: TlsFiles | None = None, lasting: bool = False
) -> grpc.aio.Channel:
    """A channel to `host:port` (or a target with its gRPC scheme), round robin over its addresses.

    `reads` are (service, method) that may be retried. With `tls` the server's certificate must carry the target's host
    or the files' name. A `lasting` channel is for thousands of long calls: a connection of its own on which each takes
    the least, 64 KiB at most before it is read, and nothing is retried.
    """
    names = [{"service": service, "method": method} for service, method in reads]
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if names:
        config["methodConfig"] = [{"name": names, "retryPolicy": _RETRIED_READS}]
        config["retryThrottling"] = {"maxTokens": RETRY_TOKENS, "tokenRatio": 1}
    options = [*_OPTIONS, *(_LASTING_OPTIONS if lasting else ()), ("grpc.service_config", json.dumps(config))]
    address = target if target.startswith(_SCHEMES) else f"dns:///{target}"
    if tls is None:
        return grpc.aio.insecure_channel(address, options=options)
    if tls.name:
        options.append(("grpc.ssl_target_name_override", tls.name))

    def secure(material: Material) -> grpc.aio.Channel:
        return grpc.aio.secure_channel(address, channel_credentials(material), options=options)

    return RotatingChannel(tls, secure)


def has_connection(method: Any) -> bool:
    """Whether the channel of a stub's method is connected now; taken for true where that cannot be told."""
    channel = getattr(method, "_channel", None)
    if isinstance(channel, grpc.aio.Channel):
        return channel.get_state() is grpc.ChannelConnectivity.READY
    state = getattr(channel, "check_connectivity_state", None)  # grpcio's own, below its channel
    return state is None or state(False) == _READY


class _Generation:
    """The channel of one certificate, and how many calls it still has."""

    __slots__ = ("calls", "channel", "idle", "retired")

    def __init__(self, channel: grpc.aio.Channel, idle: Callable[[_Generation], None]) -> None:
        """`idle` is told once the last call has ended, when no more will come."""
        self.channel = channel
        self.calls = 0
        self.retired = False
        self.idle = idle

    def carry(self, call: Any) -> Any:
        self.calls += 1
        call.add_done_callback(self._ended)
        return call

    def retire(self) -> None:
        self.retired = True
        if not self.calls:
            self.idle(self)

    def _ended(self, _call: Any) -> None:
        self.calls -= 1
        if self.retired and not self.calls:
            self.idle(self)


class RotatingChannel(grpc.aio.Channel):
    """A channel that is opened anew when the certificate files change; calls under way end on the old one."""

    def __init__(self, files: TlsFiles, open_: Callable[[Material], grpc.aio.Channel]) -> None:
        self._files = files
        self._open = open_
        self._material = files.current()
        self._newest = _Generation(open_(self._material), self._drop)
        self._draining: set[_Generation] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    def current(self) -> _Generation:
        """The channel of the newest certificate."""
        material = self._files.current()
        if material is not self._material and not self._closed:
            old, self._material = self._newest, material
            self._newest = _Generation(self._open(material), self._drop)
            self._draining.add(old)
            old.retire()
        return self._newest

    def _drop(self, generation: _Generation) -> None:
        self._draining.discard(generation)
        task = asyncio.get_running_loop().create_task(generation.channel.close(), name="channel-close")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        self._closed = True
        await asyncio.gather(*(each.channel.close(grace) for each in (*self._draining, self._newest)))
        await asyncio.gather(*self._closing)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self.current().channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self.current().channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self.current().channel.channel_ready()

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        return _Method(self, "unary_unary", args, kwargs)

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        return _Method(self, "unary_stream", args, kwargs)

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        return _Method(self, "stream_unary", args, kwargs)

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        return _Method(self, "stream_stream", args, kwargs)


class _Method:
    """A method as a stub holds it, for whichever channel is the current one."""

    __slots__ = ("_arity", "_bound", "_channel", "_made", "_on")

    def __init__(self, channel: RotatingChannel, arity: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._channel = channel
        self._arity = arity
        self._made = (args, kwargs)
        self._on: _Generation | None = None
        self._bound: Callable[..., Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        newest = self._channel.current()
        if self._bound is None or newest is not self._on:
            made, named = self._made
            self._on, self._bound = newest, getattr(newest.channel, self._arity)(*made, **named)
        return newest.carry(self._bound(*args, **kwargs))
