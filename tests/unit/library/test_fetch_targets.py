from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest

from services.library.fetching.targets import FetchRefused, Policy

OPEN = Policy()


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://example.org/a.pdf?x=1#page=3", "https://example.org/a.pdf?x=1"),
        ("HTTP://Example.ORG", "http://example.org"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        ("https://bücher.example/straße", "https://xn--bcher-kva.example/stra%C3%9Fe"),
    ],
)
def test_public_addresses_may_be_asked(url: str, asked: str) -> None:
    assert str(OPEN.check_url(url)) == asked


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://127.0.0.1/",
        "jar:http://example.org/!x",
        "//example.org/",
        "http:/example.org/",
        "http:///example.org",
        "example.org",
        "",
    ],
)
def test_other_schemes_and_forms_are_refused(url: str) -> None:
    with pytest.raises(FetchRefused, match=r"http://|well-formed"):
        OPEN.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://user@example.org/",
        "http://user:secret@example.org/",
        "http://example.org%2f@127.0.0.1/",
        "http://:@example.org/",
        "http://example.org@127.0.0.1:80/",
    ],
)
def test_user_names_are_refused(url: str) -> None:
    with pytest.raises(FetchRefused, match="user name"):
        OPEN.check_url(url)


@pytest.mark.parametrize(
    "url",
    ["http://example.org\\@127.0.0.1/", "http://example.org/a b", "http://exa\tmple.org/", "http://e.org/\r\nX: y"],
)
def test_what_programs_read_differently_is_refused(url: str) -> None:
    with pytest.raises(FetchRefused, match="must not hold blanks"):
        OPEN.check_url(url)


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "0", "127.0.0.1.", "1.1.1.1.1", "example.0x7f"],
)
def test_odd_forms_of_ip_addresses_are_refused(host: str) -> None:
    with pytest.raises(FetchRefused, match="common form"):
        OPEN.check_url(f"http://{host}/")


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "168.63.129.16",
        "169.254.169.254",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::ffff:8.8.8.8]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[100::1]",
        "[2001::1]",
        "[2001:db8::1]",
        "[2002:7f00:1::]",
        "[3fff::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "１２７.0.0.1",
        "127。0。0。1",
    ],
)
def test_addresses_that_are_not_public_are_refused(host: str) -> None:
    with pytest.raises(FetchRefused, match="not public"):
        OPEN.check_url(f"http://{host}/")


def test_a_zone_is_refused() -> None:
    with pytest.raises(FetchRefused, match="well-formed"):
        OPEN.check_url("http://[fe80::1%25eth0]/")


def test_one_address_that_is_not_public_spoils_a_host() -> None:
    assert [str(each) for each in OPEN.check_found(["8.8.8.8", "2606:4700::1111"])] == ["8.8.8.8", "2606:4700::1111"]
    with pytest.raises(FetchRefused):
        OPEN.check_found(["8.8.8.8", "10.0.0.1"])


def test_ports() -> None:
    assert OPEN.check_url("https://example.org:80/").port == 80
    for port in (22, 25, 6379, 8080, 0):
        with pytest.raises(FetchRefused, match="ports 80, 443"):
            OPEN.check_url(f"http://example.org:{port}/")
    assert Policy(ports=frozenset({8080})).check_url("http://example.org:8080/").port == 8080


def test_networks_open_what_they_hold_and_nothing_else() -> None:
    policy = Policy((ip_network("10.1.0.0/16"), ip_network("fd12::/32")))
    policy.check_url("http://10.1.2.3/")
    policy.check_url("http://[fd12::1]/")
    for host in ("10.2.0.1", "[fd13::1]", "[::ffff:10.1.2.3]"):
        with pytest.raises(FetchRefused):
            policy.check_url(f"http://{host}/")


def test_the_address_that_is_connected_to_is_looked_at_last() -> None:
    stream, tcp = socket.SOCK_STREAM, socket.IPPROTO_TCP
    with OPEN.opened((socket.AF_INET, stream, tcp, "", ("8.8.8.8", 80))) as opened:
        assert opened.family == socket.AF_INET
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"), (socket.AF_INET6, "fe80::1%lo")):
        with pytest.raises(FetchRefused):
            OPEN.opened((family, stream, tcp, "", (address, 80)))
