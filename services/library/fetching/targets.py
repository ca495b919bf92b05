"""Which addresses may be asked: the rules for URLs, and for the IP addresses that their hosts turn out to have."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from yarl import URL

Network = IPv4Network | IPv6Network
URL_MAX = 2048
_SCHEMES = ("http", "https")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029]")
_AUTHORITY = re.compile(r"^[a-z][a-z0-9+.\-]*://([^/?#]*)", re.IGNORECASE)
_NUMBER = re.compile(r"(0x[0-9a-f]*|\d+)", re.IGNORECASE)

# IANA's special-purpose registries for IPv4 (RFC 6890 and later), multicast, and an address in public space that is
# the hypervisor of a large cloud.
CLOSED_V4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
# Of IPv6 only the global unicast space is open, without what stands for an IPv4 address or for nothing: Teredo and
# other special purposes, documentation, 6to4. Mapped addresses, NAT64, local and multicast ones lie outside of it.
_OPEN_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


class FetchRefused(Exception):
    """The address may not be asked. `reason` is for whoever gave it and goes after its name: "is …", "must …"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be asked beside public addresses: `networks`, such as an institution's own repository. `ports` are
    all that are allowed, for any address."""

    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({80, 443})

    def check_url(self, text: str) -> URL:
        """The URL without its fragment. Raises FetchRefused; its host, unless it is an IP address, is yet to be
        resolved."""
        if len(text) > URL_MAX:
            raise FetchRefused(f"must be at most {URL_MAX:,} characters")
        if _UNSAFE.search(text):
            raise FetchRefused("must not hold blanks, control characters or backslashes")
        authority = _AUTHORITY.match(text)
        if authority is None or text.partition(":")[0].lower() not in _SCHEMES:
            raise FetchRefused("must begin with http:// or https://")
        if "@" in authority.group(1):
            raise FetchRefused("must not hold a user name or a password")
        try:
            url = URL(text).with_fragment(None)
            host, port = url.raw_host, url.port
        except (ValueError, UnicodeError):
            raise FetchRefused("is no well-formed address") from None
        if not host or "%" in host:
            raise FetchRefused("is no well-formed address")
        if port not in self.ports:
            raise FetchRefused(f"must use one of the ports {', '.join(map(str, sorted(self.ports)))}")
        self._check_host(host)
        return url

    def _check_host(self, host: str) -> None:
        literal = _literal(host)
        if literal is not None:
            self.check_address(literal)
        elif _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
            # 2130706433, 0177.1, 0x7f.0.0.1, 127.1: forms of IPv4 addresses that only some programs read as such.
            raise FetchRefused("has a host that is neither a name nor a common form of an IP address")

    def check_address(self, address: IPv4Address | IPv6Address) -> None:
        """Raises FetchRefused for an IP address that is neither public nor in one of the networks."""
        if any(address in network for network in self.networks):
            return
        if isinstance(address, IPv4Address):
            closed = any(address in network for network in CLOSED_V4)
        else:
            closed = address not in _OPEN_V6 or any(address in network for network in _CLOSED_V6)
        if closed or not address.is_global:
            # Which address a name has inside is nothing to tell whoever asks.
            raise FetchRefused("leads to an address that is not public")

    def check_found(self, found: Collection[str]) -> list[IPv4Address | IPv6Address]:
        """A host's addresses. Raises FetchRefused when one of them must not be asked: a host that is in two worlds
        is not to be trusted in either."""
        addresses = [ip_address(each) for each in found]
        for address in addresses:
            self.check_address(address)
        return addresses

    def opened(self, found: tuple[int, int, int, str, Sequence[object]]) -> socket.socket:
        """A socket for the address that is about to be connected to: the last look, at the very address."""
        family, kind, protocol, _, where = found
        try:
            self.check_address(ip_address(str(where[0])))
        except ValueError:
            raise FetchRefused("leads to an address that is not public") from None
        return socket.socket(family, kind, protocol)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
