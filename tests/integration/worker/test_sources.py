"""Sources over gRPC."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import orjson
import pytest

from kit.errors import PrsmError
from prsm.library.v1 import internal_pb2
from tests.integration.worker.conftest import Stand
from worker.engines.base import DocumentRecord, Hit, WorkSpan
from worker.sources import GrantedSources, SourceClient, records

TEXT = "Grüße aus Österreich: 漢字 und Emoji 🌍 in kleinen Stücken."


async def sources(stand: Stand, grant: str) -> GrantedSources:
    client = SourceClient(
        library=grpc.aio.insecure_channel(stand.targets["library"]),
        library_peer=stand.identities.peer("worker", "library"),
        results=grpc.aio.insecure_channel(stand.targets["results"]),
        results_peer=stand.identities.peer("worker", "results"),
        patience=0,
    )
    return client.open(lambda: grant)


async def test_texts_data_sets_and_results_come_back_whole(stand: Stand) -> None:
    stand.library.texts["d1"] = TEXT
    stand.library.raw["t1"] = ("table.csv", b"a,b\n1,\xff\n" * 100)
    stand.results.inputs["s1"] = orjson.dumps({"title": "T", "prompt": "Why?"})
    opened = await sources(stand, stand.grant("s"))
    assert await opened.text("d1") == TEXT
    assert await opened.dataset("t1") == ("table.csv", b"a,b\n1,\xff\n" * 100)
    name, path = await opened.dataset_file("t1")
    assert (name, await asyncio.to_thread(Path(path).read_bytes)) == ("table.csv", b"a,b\n1,\xff\n" * 100)
    assert await opened.dataset_file("t1") == (name, path)
    await opened.close()
    assert not await asyncio.to_thread(Path(path).parent.exists)
    assert await opened.session_results("s1") == {"title": "T", "prompt": "Why?"}
    assert stand.results.grants[-1].session_id == "s"


async def test_cards_leave_data_sets_out_unless_they_are_named(stand: Stand) -> None:
    stand.library.texts["d1"] = TEXT
    stand.library.raw["t1"] = ("table.csv", b"")
    opened = await sources(stand, stand.grant("s"))
    assert await opened.documents() == [DocumentRecord("d1", "d1", "text", len(TEXT), 0, year=1999)]
    assert [card.document_id for card in await opened.documents(["t1"])] == ["t1"]


def test_works_of_one_document_come_in_several_cards() -> None:
    def card(document_id: str, *starts: int, **more: Any) -> internal_pb2.Card:
        works = [internal_pb2.CardWork(start=start, end=start + 5, csl=b'{"title":"W%d"}' % start) for start in starts]
        return internal_pb2.Card(document_id=document_id, works=works, **more)

    cards = [
        card("b", 0, title="Bibliography", csl=b'{"DOI":"10.1/x"}'),
        card("b", 5, 10),
        card("t", dataset=True),
        card("d", title="Plain"),
    ]
    bibliography, plain = records(cards, datasets=False)
    assert bibliography.csl == {"DOI": "10.1/x"}
    assert bibliography.works == tuple(WorkSpan(start, start + 5, {"title": f"W{start}"}) for start in (0, 5, 10))
    assert (plain.title, plain.csl, plain.works) == ("Plain", {}, ())
    assert [each.document_id for each in records(cards, datasets=True)] == ["b", "t", "d"]


async def test_a_search_keeps_its_options(stand: Stand) -> None:
    stand.library.texts["d1"] = TEXT
    opened = await sources(stand, stand.grant("s"))
    hits = await opened.search("Emoji", limit=3, document_ids=["d1"], passages=False)
    assert hits == [Hit("d1", "d1", 1.5, "Grüße", None, 0, 5)]
    request = stand.library.searches[0]
    assert (request.limit, list(request.document_ids), request.passages) == (3, ["d1"], False)


async def test_without_a_valid_grant_nothing_opens(stand: Stand) -> None:
    stand.library.texts["d1"] = TEXT
    opened = await sources(stand, "not.a.grant")
    with pytest.raises(PrsmError) as refused:
        await opened.text("d1")
    assert refused.value.name == "FORBIDDEN"
