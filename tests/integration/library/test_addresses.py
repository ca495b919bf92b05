"""Inputs that are addresses: fetched when a session is created, once, and named when they cannot be used."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import orjson
import pytest

from kit.db.database import Database
from prsm.library.v1.internal_pb2 import DatasetSource, DocumentSource, PrepareInputsResponse
from services.library.fetching.fetch import Fetcher
from services.library.fetching.targets import Policy
from services.library.parsing.pool import ParserPool
from tests.integration.library.inputs import text
from tests.integration.library.stand import OTHER_SESSION, Stand
from tests.support.web import Web

PAGE = b"<html><head><title>Bogs</title></head><body><p>Peat is made of moss.</p></body></html>"
CSV = b"depth,carbon\n1,20.5\n2,18.25\n"
UPLOAD = ": upload the file instead"


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    async with Web() as server:
        yield server


@pytest.fixture
async def fetching(db: Database, pool: ParserPool, tmp_path: Path, web: Web) -> AsyncIterator[Stand]:
    """A library that may fetch from the test's own server."""
    fetcher = Fetcher(Policy((IPv4Network("127.0.0.1/32"),), frozenset({web.port})))
    stand = Stand(db, pool, tmp_path, fetcher=fetcher, fetch_mb=1, fetch_addresses=4)
    await stand.start()
    yield stand
    await stand.stop()
    await fetcher.close()


def page(url: str) -> DocumentSource:
    return DocumentSource(url=url)


def data(url: str) -> DatasetSource:
    return DatasetSource(url=url)


def faults(prepared: PrepareInputsResponse) -> list[tuple[str, str]]:
    return [(each.field, each.issue) for each in prepared.faults]


async def test_addresses_become_documents_of_the_session(fetching: Stand, web: Web) -> None:
    bogs = web.gives("/bogs", PAGE, "Content-Type: text/html; charset=utf-8")
    named = ("Content-Type: application/octet-stream", "Content-Disposition: attachment; filename=c.csv")
    table = web.gives("/get?id=1", CSV, *named)
    prepared = await fetching.prepare(documents=[text("Fens", "Fens are wet."), page(bogs)], datasets=[data(table)])
    assert faults(prepared) == []
    assert [(each.title, each.kind) for each in prepared.documents] == [("Fens", "text"), ("Bogs", "html")]
    assert [(each.kind, each.bytes) for each in prepared.datasets] == [("csv", len(CSV))]
    fetched = prepared.documents[1].document_id
    shown = await fetching.get(fetched)
    assert (shown.source_url, shown.title) == (bogs, "Bogs")
    assert (await fetching.listed()).total_count == 0
    # A citation shows where it was found.
    grant = fetching.grant(documents=[fetched], datasets=[prepared.datasets[0].document_id])
    (card,) = await fetching.cards(grant, fetched)
    assert card.url == bogs
    assert orjson.loads(card.csl)["URL"] == bogs
    assert "moss" in (await fetching.content(grant, fetched))[1].decode()
    assert await fetching.content(grant, prepared.datasets[0].document_id, raw=True) == ("c.csv", CSV)


async def test_preparing_again_fetches_nothing(fetching: Stand, web: Web) -> None:
    inputs: dict[str, Any] = {"documents": [page(web.gives("/bogs", PAGE, "Content-Type: text/html"))]}
    first = await fetching.prepare(**inputs)
    web.gives("/bogs", b"Something else.", "Content-Type: text/plain")
    assert await fetching.prepare(**inputs) == first
    assert len(web.requests) == 1
    # Another session is another matter, and so is another address.
    other = await fetching.prepare(session=OTHER_SESSION, **inputs)
    assert other.documents[0].characters == len("Something else.")
    assert (await fetching.prepare(documents=[page(web.gives("/2", CSV))])).documents[0].document_id
    assert len(web.requests) == 3


async def test_two_preparations_at_a_time_that_find_different_things(fetching: Stand, web: Web) -> None:
    here = asyncio.Barrier(2)
    contents = [b"Peat is made of moss. " * 5_000, b"Fens are wet. " * 5_000]

    async def changing(writer: asyncio.StreamWriter) -> None:
        body = contents.pop()
        await here.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    web.answers["/news.txt"] = changing
    inputs: dict[str, Any] = {"documents": [page(web.url("/news.txt"))]}
    for prepared in await asyncio.gather(*(fetching.prepare(**inputs) for _ in range(2))):
        shown = await fetching.get(prepared.documents[0].document_id)
        text_ = await fetching.text(shown.document_id)
        assert (hashlib.sha256(text_.encode()).hexdigest(), len(text_)) == (shown.sha256, shown.characters)
    # From then on it is the same, whoever asks.
    assert await fetching.prepare(**inputs) == await fetching.prepare(**inputs)


async def test_an_estimate_fetches_and_keeps_nothing(fetching: Stand, web: Web) -> None:
    prepared = await fetching.prepare(documents=[page(web.gives("/a.txt", b"Peat."))], dry_run=True)
    assert [(each.document_id, each.characters) for each in prepared.documents] == [("", 5)]
    assert not [path for path in (fetching.folder / "blobs").rglob("*") if path.is_file()]
    assert faults(await fetching.prepare(documents=[page(web.url("/none"))], dry_run=True)) == [
        ("inputs.documents[0].url", f"answered with status 404{UPLOAD}")
    ]


async def test_each_fault_names_its_field_its_reason_and_the_cure(fetching: Stand, web: Web) -> None:
    documents = [
        page("http://127.0.0.2/"),
        page("ftp://example.org/a.pdf"),
        page(web.gives("/broken.pdf", b"%PDF-1.7\nnothing more", "Content-Type: application/pdf")),
        page(web.gives("/big.txt", b"x" * (1024 * 1024 + 1))),
    ]
    prepared = await fetching.prepare(documents=documents, datasets=[data(web.gives("/late.csv", CSV))])
    found = faults(prepared)
    assert found[0] == ("inputs.documents[0].url", "must use one of the ports " + str(web.port))
    assert found[1] == ("inputs.documents[1].url", "must begin with http:// or https://")
    assert found[2][0] == "inputs.documents[2].url"
    assert found[2][1].startswith("cannot be read: The file is damaged")
    assert found[3] == ("inputs.documents[3].url", f"is over 1,048,576 bytes{UPLOAD}")
    assert found[4] == ("inputs.datasets[0].url", f"is one of more than 4 addresses{UPLOAD}")
    assert list(prepared.documents) == []

    inward = page(web.url("/", "127.0.0.2"))
    prose = data(web.gives("/prose.txt", b"Peat is made of moss."))
    assert faults(await fetching.prepare(documents=[inward], datasets=[prose])) == [
        ("inputs.documents[0].url", f"leads to an address that is not public{UPLOAD}"),
        ("inputs.datasets[0].url", "must be a table: column names and at least one row"),
    ]


async def test_addresses_are_bounded_together(fetching: Stand, web: Web) -> None:
    urls = [web.gives(f"/{number}.txt", b"%d" % number + b"x" * 600_000) for number in range(2)]
    (fault,) = faults(await fetching.prepare(documents=[page(url) for url in urls]))
    assert fault[1] == f"is over 1,048,576 bytes together with the others{UPLOAD}"


async def test_addresses_are_asked_at_the_same_time(file_db: Database, pool: ParserPool, tmp_path: Path) -> None:
    async with Web() as web:
        here = asyncio.Barrier(3)

        async def together(writer: asyncio.StreamWriter) -> None:
            await here.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nPeat.")

        async def never(writer: asyncio.StreamWriter) -> None:
            await asyncio.Event().wait()

        web.answers |= {"/1.txt": together, "/2.txt": together, "/3.txt": together, "/never": never}
        fetcher = Fetcher(Policy((IPv4Network("127.0.0.1/32"),), frozenset({web.port})))
        patient, hasty = (Stand(file_db, pool, tmp_path, fetcher=fetcher, fetch_seconds=each) for each in (60, 0.1))
        await patient.start()
        await hasty.start()
        try:
            prepared = await patient.prepare(documents=[page(web.url(f"/{number}.txt")) for number in (1, 2, 3)])
            assert faults(prepared) == []
            late = await hasty.prepare(session=OTHER_SESSION, documents=[page(web.url("/never"))])
            assert faults(late) == [("inputs.documents[0].url", f"did not answer within 0.1 s{UPLOAD}")]
        finally:
            await patient.stop()
            await hasty.stop()
            await fetcher.close()
