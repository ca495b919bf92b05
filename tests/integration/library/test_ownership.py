"""Another user's documents: whatever is asked, the answer is that of a document that does not exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from prsm.library.v1 import library_pb2
from prsm.library.v1.internal_pb2 import DatasetSource
from tests.integration.library.inputs import document, text
from tests.integration.library.refusals import refused
from tests.integration.library.stand import OTHER_SESSION, SESSION, UNKNOWN, Stand

PEAT = "Peat is made of moss."
CSV = b"depth,carbon\n1,20.5\n"
PUBLIC = library_pb2.DESCRIPTOR.services_by_name["LibraryService"]
Outcome = Callable[[Stand, str], Awaitable[Any]]


async def _error(call: Awaitable[object]) -> tuple[str, str | None, object]:
    error = await refused(call)
    return error.name, error.message, error.details


async def _faults(stand: Stand, **inputs: Any) -> list[tuple[str, str]]:
    prepared = await stand.prepare(session=OTHER_SESSION, owner="ben", **inputs)
    return [(each.field, each.issue) for each in prepared.faults]


async def _listed(stand: Stand, document_id: str) -> list[str]:
    return [each.document_id for each in (await stand.listed(user="ben")).documents if each.document_id == document_id]


async def _searched(stand: Stand, document_id: str) -> list[str]:
    hits = await stand.search("peat moss carbon", user="ben", document_ids=[document_id], passages=True)
    return [hit.document_id for hit in hits]


async def _created(stand: Stand, document_id: str) -> tuple[bool, bool, str]:
    made = await stand.create(PEAT, title="Bogs", user="ben", external_id="a1", metadata={"doi": "10.1000/bog"})
    again = await stand.create(PEAT, title="Bogs", user="ben")
    outcome = (made.HasField("duplicate_of"), made.HasField("same_work_as"), again.duplicate_of)
    for each in (made, again):
        await stand.delete(each.document_id, user="ben")
    return outcome


async def _uploaded(stand: Stand, document_id: str) -> set[str]:
    card = (await stand.upload(("cores.csv", CSV), user="ben")).json
    await stand.delete(card["document_id"], user="ben")
    return {"duplicate_of", "same_work_as"} & set(card)


async def _batched(stand: Stand, document_id: str) -> str:
    (line,) = await stand.batch({"title": "Bogs", "text": PEAT, "external_id": "a1"}, user="ben")
    await stand.delete(line["document_id"], user="ben")
    return str(line["change"])


WALK: dict[str, Outcome] = {
    "GetDocument": lambda stand, document_id: _error(stand.get(document_id, user="ben")),
    "GetDocumentText": lambda stand, document_id: _error(stand.text(document_id, user="ben")),
    "DeleteDocument": lambda stand, document_id: _error(stand.delete(document_id, user="ben")),
    "ListDocuments": _listed,
    "SearchDocuments": _searched,
    "CreateDocument": _created,
    "UploadDocuments": _uploaded,
    "BatchDocuments": _batched,
    "PrepareInputs of documents": lambda stand, document_id: _faults(stand, documents=[document(document_id)]),
    "PrepareInputs of datasets": lambda stand, document_id: _faults(
        stand, datasets=[DatasetSource(document_id=document_id)]
    ),
}


def test_every_method_is_walked() -> None:
    assert {method.name for method in PUBLIC.methods} <= set(WALK)


async def test_what_is_anothers_looks_like_what_does_not_exist(stand: Stand) -> None:
    await stand.create("Something of his own.", user="ben")
    named = await stand.create(PEAT, title="Bogs", external_id="a1", metadata={"doi": "10.1000/bog"})
    plain = await stand.create(PEAT, title="Bogs")
    table = (await stand.upload(("cores.csv", CSV))).json["document_id"]
    unreadable = (await stand.upload(("a.md", b"# A"), ("b.txt", b""))).json["documents"][1]["document_id"]
    inline = (await stand.prepare(documents=[text("Fens", "Fens are wet.")])).documents[0].document_id
    gone = await stand.create("Gone.")
    await stand.delete(gone.document_id)
    for name, walked in WALK.items():
        expected = await walked(stand, UNKNOWN)
        for document_id in (named.document_id, plain.document_id, table, unreadable, inline, gone.document_id):
            assert await walked(stand, document_id) == expected, name
    assert len((await stand.listed()).documents) == 5


async def test_a_grant_opens_only_what_it_names_or_its_owners_library(stand: Stand) -> None:
    theirs = await stand.create(PEAT)
    inline = (await stand.prepare(documents=[text("Fens", "Fens are wet.")])).documents[0].document_id
    own = await stand.create("Peat of his own.", user="ben")
    for grant in (stand.grant(owner="ben"), stand.grant(owner="ben", documents=[own.document_id])):
        for document_id in (theirs.document_id, inline, UNKNOWN):
            assert await stand.cards(grant, document_id) == []
            assert (await refused(stand.content(grant, document_id))).name == "DOCUMENT_NOT_FOUND"
            assert await stand.passages("peat fens", grant, document_ids=[document_id]) == []
        assert [hit.document_id for hit in await stand.passages("peat fens", grant)] == [own.document_id]


async def test_inputs_of_anothers_session_are_not_discarded(stand: Stand) -> None:
    inline = (await stand.prepare(documents=[text("Fens", "Fens are wet.")])).documents[0].document_id
    await stand.discard(SESSION, "ben")
    assert await stand.text(inline) == "Fens are wet."
    error = await refused(stand.prepare(owner="ben", documents=[text("Mine", "Not his session.")]))
    assert error.name == "VALIDATION_ERROR"
    assert await stand.text(inline) == "Fens are wet."
