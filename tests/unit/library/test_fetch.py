from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import AsyncIterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from services.library.fetching.fetch import Fetched, Fetcher, FetchFailed, FetchRefused, Lookup
from services.library.fetching.targets import Policy
from tests.support.certificates import Authority
from tests.support.web import Web

MOST = 100_000
LOOPBACK = (IPv4Network("127.0.0.1/32"),)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with Web() as server:
        yield server


def fetcher(web: Web, lookup: Lookup | None = None) -> Fetcher:
    return Fetcher(Policy(LOOPBACK, frozenset({web.port})), lookup=lookup)


async def fetched(web: Web, url: str, *, lookup: Lookup | None = None, seconds: float = 20.0) -> Fetched:
    each = fetcher(web, lookup)
    try:
        return await each.fetch(url, most_bytes=MOST, seconds=seconds)
    finally:
        await each.close()


async def test_a_body_with_its_type_and_name(web: Web) -> None:
    url = web.gives("/papers/a%20b.pdf", b"%PDF-", "Content-Type: application/pdf")
    assert await fetched(web, f"{url}#page=2") == Fetched(url, "a b.pdf", "application/pdf", b"%PDF-")


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="report.pdf"', "report.pdf"),
        ("attachment; filename=\"x.pdf\"; filename*=UTF-8''na%C3%AFve.pdf", "naïve.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("inline", "doc"),
        ('attachment; filename=; ;;"', "doc"),
    ],
)
async def test_the_name_comes_from_the_disposition(web: Web, header: str, name: str) -> None:
    url = web.gives("/doc", b"x", f"Content-Disposition: {header}")
    assert (await fetched(web, url)).filename == name


async def test_nothing_but_the_request_goes_out(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    web.gives("/end", b"x")
    url = web.gives("/", b"", "Set-Cookie: a=b", f"Location: {web.url('/end')}", status="302 Found")
    await fetched(web, url)
    names = {line.partition(":")[0].lower() for head in web.requests for line in head.split("\r\n")[1:] if line}
    assert names == {"host", "user-agent", "accept", "accept-encoding", "connection"}


async def test_redirects_are_followed(web: Web) -> None:
    web.redirects("/1", "/2", "301 Moved Permanently")
    web.redirects("/2", web.url("/3"), "307 Temporary Redirect")
    end = web.gives("/3", b"there")
    assert await fetched(web, web.url("/1")) == Fetched(end, "3", "", b"there")


async def test_a_redirect_loop_ends(web: Web) -> None:
    with pytest.raises(FetchFailed, match="more than 5 times"):
        await fetched(web, web.redirects("/", "/"))
    assert len(web.requests) == 6


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "//10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "http://user:secret@example.org/",
        "http://2130706433/",
        "http://127.0.0.1:1/",
    ],
)
async def test_a_redirect_is_checked_like_the_first_address(web: Web, location: str) -> None:
    with pytest.raises(FetchRefused, match="redirects to an address that cannot be used: it "):
        await fetched(web, web.redirects("/", location))
    assert len(web.requests) == 1


@pytest.mark.parametrize("location", ["", "http://[::1", "http://a:b:c/"])
async def test_a_redirect_to_nowhere(web: Web, location: str) -> None:
    with pytest.raises(FetchFailed, match="redirects to"):
        await fetched(web, web.redirects("/", location))


async def test_a_host_is_asked_at_the_address_that_was_checked(web: Web) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    url = web.gives("/", b"x").replace("127.0.0.1", "rebind.example")
    each = fetcher(web, rebinding)
    assert (await each.fetch(url, most_bytes=MOST, seconds=20)).data == b"x"
    assert asked == ["rebind.example"]
    # The next fetch looks again, and finds out.
    with pytest.raises(FetchRefused, match="not public"):
        await each.fetch(url, most_bytes=MOST, seconds=20)
    assert len(web.requests) == 1
    await each.close()


async def test_a_host_that_turns_inward_on_a_redirect(web: Web) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    async def rebinding(host: str, port: int) -> list[str]:
        return next(answers)

    web.redirects("/", "/inside")
    with pytest.raises(FetchRefused, match="not public"):
        await fetched(web, web.url("/", "rebind.example"), lookup=rebinding)
    assert len(web.requests) == 1


async def test_the_systems_own_names_are_checked_too(web: Web) -> None:
    each = Fetcher(Policy(ports=frozenset({web.port})))
    with pytest.raises(FetchRefused, match="not public"):
        await each.fetch(web.url("/", "localhost"), most_bytes=MOST, seconds=20)
    await each.close()
    assert web.requests == []


async def test_a_host_that_is_not_known(web: Web) -> None:
    async def nowhere(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(FetchFailed, match="not known"):
        await fetched(web, web.url("/", "nowhere.example"), lookup=nowhere)


async def test_no_way_down_from_https(web: Web, tmp_path: Path) -> None:
    authority = Authority()
    (tmp_path / "ca").write_bytes(authority.pem)
    for name, part in zip(("cert", "key"), authority.issue("good.example"), strict=True):
        (tmp_path / name).write_bytes(part)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(tmp_path / "cert", tmp_path / "key")

    async def down(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {web.url('/')}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async def local(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    server = await asyncio.start_server(down, "127.0.0.1", 0, ssl=served)
    port = server.sockets[0].getsockname()[1]
    policy = Policy(LOOPBACK, frozenset({port, web.port}))
    each = Fetcher(policy, lookup=local, tls=ssl.create_default_context(cafile=str(tmp_path / "ca")))
    try:
        with pytest.raises(FetchRefused, match="from https to http"):
            await each.fetch(f"https://good.example:{port}/", most_bytes=MOST, seconds=20)
        # The certificate counts for its name, wherever the name leads.
        with pytest.raises(FetchFailed, match="certificate"):
            await each.fetch(f"https://bad.example:{port}/", most_bytes=MOST, seconds=20)
    finally:
        await each.close()
        server.close()
        await server.wait_closed()
    assert web.requests == []


async def test_time_counts_for_all_of_it(web: Web) -> None:
    hung = asyncio.Event()

    async def silent(writer: asyncio.StreamWriter) -> None:
        await hung.wait()

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        while not hung.is_set():
            writer.write(b"x")
            await writer.drain()
            await asyncio.wait({asyncio.ensure_future(hung.wait())}, timeout=0.01)

    async def endless_head(writer: asyncio.StreamWriter) -> None:
        while not hung.is_set():
            writer.write(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n")
            await writer.drain()

    async def unresolved(host: str, port: int) -> list[str]:
        await hung.wait()
        return []

    web.answers |= {"/silent": silent, "/drip": drip, "/head": endless_head}
    try:
        for path in ("/silent", "/drip", "/head"):
            with pytest.raises(FetchFailed, match=r"did not answer within 0\.2 s"):
                await fetched(web, web.url(path), seconds=0.2)
        with pytest.raises(FetchFailed, match=r"did not answer within 0\.2 s"):
            await fetched(web, web.url("/", "slow.example"), lookup=unresolved, seconds=0.2)
    finally:
        hung.set()


async def test_size_is_bounded_as_sent(web: Web) -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 10_000)
            await writer.drain()
            sent += 10_000

    web.answers["/endless"] = endless
    with pytest.raises(FetchFailed, match="is over 100,000 bytes"):
        await fetched(web, web.url("/endless"))
    with pytest.raises(FetchFailed, match="is over 100,000 bytes"):
        await fetched(web, web.gives("/said", b"x", f"Content-Length: {MOST + 1}"))
    assert len((await fetched(web, web.gives("/most", b"x" * MOST))).data) == MOST


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_size_is_bounded_as_decoded(web: Web, encoding: str) -> None:
    zeros = b"\0" * 30_000_000
    packed = gzip.compress(zeros) if encoding == "gzip" else zlib.compress(zeros)
    assert len(packed) < MOST
    with pytest.raises(FetchFailed, match="is over 100,000 bytes"):
        await fetched(web, web.gives("/", packed, f"Content-Encoding: {encoding}"))


async def test_encodings_are_taken_off(web: Web) -> None:
    bare = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    sent = {
        "/gzip": ("gzip", gzip.compress(b"text")),
        "/members": ("gzip", gzip.compress(b"te") + gzip.compress(b"xt") + b"\0\0"),
        "/zlib": ("deflate", zlib.compress(b"text")),
        "/bare": ("deflate", bare.compress(b"text") + bare.flush()),
        "/none": ("identity", b"text"),
    }
    for path, (encoding, body) in sent.items():
        assert (await fetched(web, web.gives(path, body, f"Content-Encoding: {encoding}"))).data == b"text"
    for encoding, body, reason in (
        ("br", b"text", "not asked for"),
        ("gzip", b"text", "broke the encoding"),
        ("gzip", gzip.compress(b"text")[:-4], "broke off"),
    ):
        with pytest.raises(FetchFailed, match=reason):
            await fetched(web, web.gives("/bad", body, f"Content-Encoding: {encoding}"))


async def test_a_body_shorter_than_it_says(web: Web) -> None:
    with pytest.raises(FetchFailed, match="broke off"):
        await fetched(web, web.gives("/", b"short", "Content-Length: 50"))


async def test_heads_are_bounded(web: Web) -> None:
    web.gives("/long", b"x", f"X: {'y' * 20_000}")
    web.gives("/many", b"x", *[f"X-{number}: y" for number in range(500)])
    web.answers["/none"] = b"SSH-2.0-OpenSSH_9.6\r\n"
    for path in ("/long", "/many", "/none"):
        with pytest.raises(FetchFailed, match=r"no HTTP|broke off"):
            await fetched(web, web.url(path))


@pytest.mark.parametrize("status", ["404 Not Found", "401 Unauthorized", "204 No Content", "206 Partial Content"])
async def test_only_a_whole_answer_counts(web: Web, status: str) -> None:
    with pytest.raises(FetchFailed, match=f"status {status[:3]}"):
        await fetched(web, web.gives("/", b"", status=status))


async def test_a_server_that_is_not_there(web: Web) -> None:
    url = web.url("/")
    each = fetcher(web)
    await web.__aexit__(None, None, None)
    with pytest.raises(FetchFailed, match="could not be reached"):
        await each.fetch(url, most_bytes=MOST, seconds=20)
    await each.close()
