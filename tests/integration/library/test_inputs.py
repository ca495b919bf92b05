"""A new session's inputs: checked, measured, stored once, discarded."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
import typst

from kit.ids import is_uuid
from prsm.library.v1.internal_pb2 import DatasetSource, DocumentSource
from tests.integration.library.inputs import document, rows, table, text
from tests.integration.library.refusals import fields, refused
from tests.integration.library.stand import OTHER_SESSION, SESSION, UNKNOWN, Stand

PEAT = "Peat is made of moss."
CSV = b"depth,carbon\n1,20.5\n2,18.25\n"


async def test_inline_inputs_become_documents_of_the_session(stand: Stand) -> None:
    named = await stand.create(PEAT, title="Bogs")
    data = (await stand.upload(("more.csv", CSV))).json["document_id"]
    prepared = await stand.prepare(
        documents=[document(named.document_id), text("", "Fens are wet.\r\nVery.")],
        datasets=[table("cores", CSV), DatasetSource(document_id=data), rows([{"a": 1.5}, {"a": 2}])],
    )
    assert list(prepared.faults) == []
    shown = [(each.title, each.kind, each.characters, each.bytes) for each in prepared.documents]
    assert shown == [("Bogs", "text", len(PEAT), len(PEAT)), ("Fens are wet. Very.", "text", 19, 19)]
    assert [(each.title, each.kind, each.bytes) for each in prepared.datasets] == [
        ("cores", "csv", len(CSV)),
        ("more", "csv", len(CSV)),
        ("rows", "json", 19),
    ]
    assert (prepared.documents[0].document_id, prepared.datasets[1].document_id) == (named.document_id, data)
    inline = prepared.documents[1].document_id
    assert is_uuid(inline)
    assert inline[:13] == SESSION[:13]
    # They are the owner's to read, and no part of the library.
    assert (await stand.get(inline)).title == "Fens are wet. Very."
    assert (await stand.listed()).total_count == 2
    assert await stand.search("fens wet") == []
    assert (await refused(stand.delete(inline))).name == "DOCUMENT_NOT_FOUND"
    assert (await refused(stand.get(inline, user="ben"))).name == "DOCUMENT_NOT_FOUND"
    assert len(await stand.events()) == 2


async def test_preparing_again_changes_nothing(stand: Stand) -> None:
    named = await stand.create(PEAT)
    inputs: dict[str, Any] = {
        "documents": [document(named.document_id), text("Fens", "Fens are wet.")],
        "datasets": [table("cores", CSV)],
    }
    first, second = await asyncio.gather(stand.prepare(**inputs), stand.prepare(**inputs))
    assert first == second
    await stand.delete(named.document_id)
    assert await stand.prepare(**inputs) == first
    elsewhere = await stand.prepare(session=OTHER_SESSION, datasets=[table("cores", CSV)])
    assert elsewhere.datasets[0].document_id != first.datasets[0].document_id


async def test_every_fault_is_named_and_nothing_is_stored(stand: Stand) -> None:
    mine = await stand.create(PEAT)
    foreign = await stand.create(PEAT, user="ben")
    gone = await stand.create("Gone.")
    await stand.delete(gone.document_id)
    unreadable = (await stand.upload(("a.md", b"# A"), ("b.txt", b""))).json["documents"][1]["document_id"]
    prepared = await stand.prepare(
        documents=[
            text("ok", "Good text."),
            *map(document, (UNKNOWN, foreign.document_id, gone.document_id, unreadable)),
            DocumentSource(url="https://example.org/a.pdf"),
            text("t" * 501, " "),
        ],
        datasets=[
            table("ok", CSV),
            DatasetSource(document_id=mine.document_id),
            table("names only", b"a,b\n"),
            table("", b" "),
            rows([1, 2]),
            rows([["a", "b"]]),
            DatasetSource(url="https://example.org/a.csv"),
        ],
    )
    unknown = "is not a document of yours"
    no_urls = "fetching URLs is not enabled on this deployment: upload the file instead"
    no_table = "must be a table: column names and at least one row"
    assert [(fault.field, fault.issue) for fault in prepared.faults] == [
        ("inputs.documents[1].document_id", unknown),
        ("inputs.documents[2].document_id", unknown),
        ("inputs.documents[3].document_id", unknown),
        ("inputs.documents[4].document_id", "could not be read: The file is empty."),
        ("inputs.documents[5].url", no_urls),
        ("inputs.documents[6].title", "must be at most 500 characters"),
        ("inputs.documents[6].text", "must not be blank"),
        ("inputs.datasets[1].document_id", "is not a dataset but a document of kind text"),
        ("inputs.datasets[2].csv", no_table),
        ("inputs.datasets[3].csv", "cannot be read as a table: The file is empty."),
        ("inputs.datasets[4].rows", no_table),
        ("inputs.datasets[5].rows", no_table),
        ("inputs.datasets[6].url", no_urls),
    ]
    assert (list(prepared.documents), list(prepared.datasets)) == ([], [])
    good = await stand.prepare(documents=[text("ok", "Good text.")])
    assert (await stand.get(good.documents[0].document_id)).title == "ok"


@pytest.mark.parametrize("value", [[["x", "y"], [1, "2.50"]], [{"x": 1}]])
async def test_rows_are_tables(local: Stand, value: Any) -> None:
    prepared = await local.prepare(datasets=[rows(value)])
    assert list(prepared.faults) == []
    name, data = await local.content(
        local.grant(datasets=[prepared.datasets[0].document_id]), prepared.datasets[0].document_id, raw=True
    )
    assert (name, orjson.loads(data)) == ("rows.json", value)


async def test_a_dry_run_measures_and_stores_nothing(stand: Stand) -> None:
    named = await stand.create(PEAT)
    prepared = await stand.prepare(
        documents=[text("Fens", "Fens are wet."), document(named.document_id)],
        datasets=[table("cores", CSV)],
        dry_run=True,
    )
    assert [(each.document_id, each.characters) for each in prepared.documents] == [
        ("", 13),
        (named.document_id, len(PEAT)),
    ]
    assert prepared.datasets[0].bytes == len(CSV)
    stand.shares.viewers[SESSION] = {"vera"}
    assert (await refused(stand.text(named.document_id, user="vera"))).name == "DOCUMENT_NOT_FOUND"


async def test_the_library_is_measured_where_it_is_used(stand: Stand) -> None:
    empty = await stand.prepare(use_library=True)
    assert (empty.library_documents, empty.library_characters) == (0, 0)
    await stand.create(PEAT, external_id="a")
    await stand.create(PEAT + PEAT, external_id="a")
    gone = await stand.create("Gone.")
    await stand.delete(gone.document_id)
    # A dataset and a file that could not be read are nothing to read.
    await stand.upload(("data.csv", CSV), ("empty.txt", b""))
    await stand.prepare(documents=[text("Fens", "Fens are wet.")])
    used = await stand.prepare(use_library=True)
    assert (used.library_documents, used.library_characters) == (1, 2 * len(PEAT))
    assert (await stand.prepare()).library_documents == 0


async def test_discarded_inputs_are_gone_for_good(stand: Stand) -> None:
    named = await stand.create(PEAT)
    documents = [text("Fens", "Fens are wet."), document(named.document_id)]
    prepared = await stand.prepare(documents=documents, datasets=[table("cores", CSV)])
    await stand.discard(owner="ben")
    assert (await stand.get(prepared.documents[0].document_id)).title == "Fens"
    await stand.discard()
    await stand.discard()
    for each in (prepared.documents[0], prepared.datasets[0]):
        assert (await refused(stand.get(each.document_id))).name == "DOCUMENT_NOT_FOUND"
        assert (await refused(stand.text(each.document_id))).name == "DOCUMENT_NOT_FOUND"
    assert [path for path in (stand.folder / "blobs").rglob("*") if path.is_file()] == []
    assert await stand.text(named.document_id) == PEAT
    stand.shares.viewers[SESSION] = {"vera"}
    assert (await refused(stand.text(named.document_id, user="vera"))).name == "DOCUMENT_NOT_FOUND"


async def test_late_preparation_of_discarded_inputs_is_refused(stand: Stand) -> None:
    await stand.discard()
    error = await refused(stand.prepare(documents=[text("Fens", "Fens are wet.")], datasets=[table("cores", CSV)]))
    assert fields(error) == ["session_id"]
    assert [path for path in (stand.folder / "blobs").rglob("*") if path.is_file()] == []


async def test_preparing_and_discarding_at_once_leaves_nothing(stand: Stand) -> None:
    for number in range(5):
        session = f"{SESSION[:-1]}{number + 5}"
        await asyncio.gather(
            stand.prepare(session=session, documents=[text("Fens", "Fens are wet.")]),
            stand.discard(session),
            return_exceptions=True,
        )
        again = stand.prepare(session=session, documents=[text("Fens", "Fens are wet.")])
        assert fields(await refused(again)) == ["session_id"]


async def test_another_owners_session_is_refused(stand: Stand) -> None:
    await stand.prepare(documents=[text("Fens", "Fens are wet.")])
    assert fields(await refused(stand.prepare(documents=[text("Fens", "Mine.")], owner="ben"))) == ["session_id"]


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ({"documents": [DocumentSource()]}, "inputs.documents[0]"),
        ({"datasets": [table("x", CSV), DatasetSource()]}, "inputs.datasets[1]"),
        ({"datasets": [table("x", CSV, "parquet")]}, "inputs.datasets[0]"),
    ],
)
async def test_entries_that_give_nothing(local: Stand, inputs: dict[str, Any], field: str) -> None:
    assert fields(await refused(local.prepare(**inputs))) == [field]


async def test_a_document_of_blank_pages_is_stored_and_is_no_source(local: Stand) -> None:
    made = (await local.upload(("blank.pdf", typst.compile(b"#pagebreak()")))).json
    assert (made["status"], made["pages"], made["characters"]) == ("ready", 2, 0)
    assert await local.text(made["document_id"]) == ""
    prepared = await local.prepare(documents=[document(made["document_id"])], use_library=True)
    assert [(fault.field, fault.issue) for fault in prepared.faults] == [
        ("inputs.documents[0].document_id", "holds no text")
    ]
    assert (await local.prepare(use_library=True)).library_documents == 0
