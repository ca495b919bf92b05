"""Fetching what a stranger's URL names, without lending them the service's place in the network.

Every host is resolved here, all of its addresses are checked, and the connection goes to one of those that were
checked: there is no second resolution that could answer differently. Redirects are followed one by one, each checked
like the first. Nothing goes out but the request: no cookies, no credentials, no proxy of the environment.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from services.library.fetching.decoding import Decoder, TooMuch, Undecodable
from services.library.fetching.naming import filename_of
from services.library.fetching.targets import FetchRefused, Policy

__all__ = ["FetchFailed", "FetchRefused", "Fetched", "Fetcher", "Lookup"]

MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "User-Agent": "prsm-library",
    "Accept": "application/pdf, text/html;q=0.9, */*;q=0.8",
    "Accept-Encoding": "gzip, deflate",
}
_HEADER_BYTES = 8 * 1024
_HEADER_COUNT = 64
_PIECE = 64 * 1024
_LOOKUPS = 8

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""The IP addresses of a host, for a port. Raises OSError when there are none."""


class FetchFailed(Exception):
    """The address may be asked and gave nothing. `reason` goes after its name: "did not answer within 8 s"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body, decoded. `url` is where it was in the end, without fragment; `filename` is safe to store and show."""

    url: str
    filename: str
    content_type: str
    data: bytes


class Fetcher:
    """One for the process; `close` ends it."""

    def __init__(
        self, policy: Policy, *, at_once: int = 8, lookup: Lookup | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """`at_once` bounds the fetches of the process; the time of one that waits for its turn counts. `tls` is for
        servers whose authorities are not the system's."""
        self._policy = policy
        self._turns = asyncio.Semaphore(at_once)
        self._threads = ThreadPoolExecutor(max_workers=_LOOKUPS, thread_name_prefix="lookup")
        self._lookup = lookup or self._ask_system
        self._tls = tls

    async def fetch(self, url: str, *, most_bytes: int, seconds: float) -> Fetched:
        """The body of a GET, redirects followed. `most_bytes` bounds it as sent and decoded, `seconds` all of it.

        Raises FetchRefused for an address that may not be asked, also on the way, and FetchFailed.
        """
        target = self._policy.check_url(url)
        try:
            async with asyncio.timeout(seconds), self._turns, self._client(seconds) as client:
                for _ in range(MOST_REDIRECTS + 1):
                    found = await self._ask(client, target, most_bytes)
                    if isinstance(found, Fetched):
                        return found
                    target = found
            raise FetchFailed(f"redirects more than {MOST_REDIRECTS} times")
        except TimeoutError:
            raise FetchFailed(f"did not answer within {seconds:g} s") from None
        except aiohttp.ClientError as error:
            raise _named(error) from error
        except (OSError, ValueError) as error:
            raise FetchFailed("could not be reached") from error

    async def close(self) -> None:
        """Let go of the threads; lookups under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _client(self, seconds: float) -> aiohttp.ClientSession:
        # One for each fetch: no connection, and with it no address, outlives the check that it passed.
        connector = aiohttp.TCPConnector(
            resolver=_CheckedResolver(self._policy, self._lookup),
            use_dns_cache=False,
            force_close=True,
            ssl=self._tls or True,
            socket_factory=self._policy.opened,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(total=seconds),
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
            max_headers=_HEADER_COUNT,
        )

    async def _ask(self, client: aiohttp.ClientSession, target: URL, most_bytes: int) -> Fetched | URL:
        """What is there, or where to ask instead."""
        async with client.get(target, allow_redirects=False) as response:
            if response.status in _REDIRECTS:
                return self._redirected(target, response.headers.get("Location", ""))
            if response.status != 200:
                raise FetchFailed(f"answered with status {response.status}")
            if (response.content_length or 0) > most_bytes:
                raise _too_much(most_bytes)
            return Fetched(
                url=str(target),
                filename=filename_of(response.headers.get("Content-Disposition", ""), target),
                content_type=_plain(response.headers.get("Content-Type", "")),
                data=await _body(response, most_bytes),
            )

    def _redirected(self, target: URL, location: str) -> URL:
        try:
            onward = target.join(URL(location))
        except (ValueError, UnicodeError):
            raise FetchFailed("redirects to no well-formed address") from None
        if not location:
            raise FetchFailed("redirects to nowhere")
        if target.scheme == "https" and onward.scheme == "http":
            raise FetchRefused("redirects from https to http")
        try:
            return self._policy.check_url(str(onward))
        except FetchRefused as error:
            raise FetchRefused(f"redirects to an address that cannot be used: it {error.reason}") from None

    async def _ask_system(self, host: str, port: int) -> list[str]:
        # In threads of our own: names that never resolve must not hold up what else the process does.
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return list(dict.fromkeys(str(each[4][0]) for each in found))


class _CheckedResolver(AbstractResolver):
    """Gives only hosts all of whose addresses may be asked."""

    def __init__(self, policy: Policy, lookup: Lookup) -> None:
        self._policy = policy
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = self._policy.check_found(await self._lookup(host, port))
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def _body(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    try:
        decoder = Decoder(response.headers.get("Content-Encoding", ""), most_bytes)
        async for piece in response.content.iter_chunked(_PIECE):
            decoder.feed(piece)
        return decoder.finished()
    except TooMuch:
        raise _too_much(most_bytes) from None
    except Undecodable as error:
        raise FetchFailed(str(error)) from None


def _plain(header: str) -> str:
    return header.encode("ascii", "ignore").decode().strip()[:255]


def _too_much(most_bytes: int) -> FetchFailed:
    return FetchFailed(f"is over {most_bytes:,} bytes")


def _named(error: aiohttp.ClientError) -> FetchFailed:
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return FetchFailed("has no certificate that can be trusted")
        case aiohttp.ClientConnectorDNSError():
            return FetchFailed("has a host that is not known")
        case aiohttp.ClientConnectorError():
            return FetchFailed("could not be reached")
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            return FetchFailed("broke off in the middle of its answer")
    return FetchFailed("answered with something that is no HTTP")
