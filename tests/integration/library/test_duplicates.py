"""Copies are not stored twice, the same work in another form is, and says so; each owner's library is for itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from prsm.library.v1.library_pb2 import Document
from services.library.parsing.pool import ParserPool
from tests.integration.library.refusals import refused
from tests.integration.library.stand import Stand

PEAT = b"# Bogs\n\nPeat is made of moss. Bogs keep carbon for thousands of years.\n"
WORK = {"authors": ["Jane Doe", "A. Other"], "year": 2021}
TITLE = "Carbon in the bogs of the north"


def blobs(folder: Path) -> int:
    """How many there are."""
    return sum(path.is_file() for path in (folder / "blobs").rglob("*"))


async def test_a_file_sent_again_is_the_document_that_is_there(stand: Stand) -> None:
    first = (await stand.upload(("bogs.md", PEAT))).json
    assert "duplicate_of" not in first
    stored = blobs(stand.folder)
    answered = await stand.upload(("another name.md", PEAT))
    assert answered.json == {**first, "duplicate_of": first["document_id"]}
    assert answered.headers["location"] == f"/api/v1/documents/{first['document_id']}"
    assert (await stand.listed()).total_count == 1
    assert blobs(stand.folder) == stored
    assert not (await stand.get(first["document_id"])).HasField("duplicate_of")
    assert len(await stand.events()) == 1


async def test_copies_in_one_form(stand: Stand) -> None:
    cards = (await stand.upload(("a.md", PEAT), ("b.md", PEAT), ("c.txt", b""), ("d.txt", b""))).json["documents"]
    ids = [card["document_id"] for card in cards]
    assert ids == [ids[0], ids[0], ids[2], ids[2]]
    assert [card.get("duplicate_of") for card in cards] == [None, ids[0], None, ids[2]]
    assert (await stand.listed()).total_count == 2


async def test_the_same_bytes_read_as_something_else_are_no_copy(stand: Stand) -> None:
    table = b"depth,carbon\n1,20.5\n2,18.25\n"
    await stand.upload(("data.txt", table))
    other = (await stand.upload(("data.csv", table))).json
    assert other["dataset"] is True
    assert "duplicate_of" not in other


async def test_a_text_sent_again(stand: Stand) -> None:
    long = "Peat is made of moss. " * 10_000
    first = await stand.create(long, title="Bogs")
    stored = blobs(stand.folder)
    again = await stand.create(long, title="  Bogs ")
    assert (again.document_id, again.duplicate_of) == (first.document_id, first.document_id)
    assert blobs(stand.folder) == stored
    for other in (
        await stand.create(long, title="Fens"),
        await stand.create(long, title="Bogs", metadata={"source": "a field book"}),
        await stand.create(long + "!", title="Bogs"),
    ):
        assert not other.HasField("duplicate_of")
    assert (await stand.listed()).total_count == 4


async def test_lines_of_a_batch(stand: Stand) -> None:
    line = {"title": "Bogs", "text": "Peat is made of moss."}
    results = await stand.batch(line, line, {**line, "external_id": "a"}, {**line, "external_id": "b"}, line)
    assert [each["change"] for each in results] == ["created", "unchanged", "created", "created", "unchanged"]
    ids = [each["document_id"] for each in results]
    assert ids == [ids[0], ids[0], ids[2], ids[3], ids[0]]
    assert len(set(ids)) == 3


async def test_an_external_id_says_which_document_it_is(stand: Stand) -> None:
    plain = await stand.create("Peat is made of moss.", title="Bogs")
    named = await stand.create("Peat is made of moss.", title="Bogs", external_id="a")
    assert named.document_id != plain.document_id
    assert not named.HasField("duplicate_of")
    await stand.delete(plain.document_id)
    assert not (await stand.create("Peat is made of moss.", title="Bogs")).HasField("duplicate_of")


async def test_copies_that_come_at_once_are_one_document(stand: Stand) -> None:
    cards = await asyncio.gather(*(stand.upload((f"{number}.md", PEAT)) for number in range(6)))
    texts = await asyncio.gather(*(stand.create("Oaks are tall.") for _ in range(6)))
    assert len({card.json["document_id"] for card in cards}) == 1
    assert sum("duplicate_of" not in card.json for card in cards) == 1
    assert len({made.document_id for made in texts}) == 1
    assert sum(not made.HasField("duplicate_of") for made in texts) == 1
    assert (await stand.listed()).total_count == 2
    assert len(await stand.events()) == 2


async def test_replicas_agree_which_came_first(stand: Stand, pool: ParserPool) -> None:
    other = Stand(stand.db, pool, stand.folder)
    await other.start()
    try:
        made = await asyncio.gather(*(each.create("Oaks are tall.") for each in (stand, other) for _ in range(4)))
    finally:
        await other.stop()
    assert len({each.document_id for each in made}) == 1
    assert (await stand.listed()).total_count == 1


async def test_a_deleted_document_frees_its_content(stand: Stand) -> None:
    first = (await stand.upload(("bogs.md", PEAT))).json["document_id"]
    await stand.delete(first)
    again = (await stand.upload(("bogs.md", PEAT))).json
    assert again["document_id"] != first
    assert "duplicate_of" not in again
    assert await stand.text(again["document_id"]) == PEAT.decode()
    assert (await stand.upload(("bogs.md", PEAT))).json["duplicate_of"] == again["document_id"]


async def test_a_copy_with_an_idempotency_key_is_answered_alike_each_time(local: Stand) -> None:
    first = (await local.upload(("bogs.md", PEAT))).json["document_id"]
    answers = [(await local.upload(("bogs.md", PEAT), key="k")).json for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0]["duplicate_of"] == first


async def test_an_equal_document_of_somebody_else_is_nothing_to_me(stand: Stand) -> None:
    theirs = (await stand.upload(("bogs.md", PEAT), user="ben")).json["document_id"]
    work = await stand.create("Peat.", title=TITLE, metadata={**WORK, "doi": "10.1000/bog"}, user="ben")
    mine = (await stand.upload(("bogs.md", PEAT))).json
    same = await stand.create("More peat.", title=TITLE, metadata={**WORK, "doi": "10.1000/bog"})
    assert mine["document_id"] != theirs
    assert {"duplicate_of", "same_work_as"}.isdisjoint(mine)
    assert not same.HasField("same_work_as")
    for document_id in (theirs, work.document_id):
        assert (await refused(stand.get(document_id))).name == "DOCUMENT_NOT_FOUND"
    # What they do with theirs does nothing to mine.
    await stand.delete(theirs, user="ben")
    assert (await stand.upload(("bogs.md", PEAT))).json["duplicate_of"] == mine["document_id"]


async def test_the_same_work_with_other_content_stays_and_says_so(stand: Stand) -> None:
    async def made(text: str, title: str = TITLE, **more: object) -> Document:
        return await stand.create(text, title=title, metadata={**WORK, **more})

    first = await made("A preprint.", doi="10.1000/Bog")
    by_doi = await made("The article.", title="On bogs", doi="https://doi.org/10.1000/bog", authors=[], year=0)
    by_title = await made("A third.", title="Carbon in the Bogs of the North!", authors=["J. Doe"])
    assert not first.HasField("same_work_as")
    assert [by_doi.same_work_as, by_title.same_work_as] == [first.document_id] * 2
    for other in (
        await made("x", year=2020),
        await made("y", authors=["John Smith"]),
        await made("z", title="Carbon in bogs"),
        await made("z", title="Carbon in bogs", year=2019),
    ):
        assert not other.HasField("same_work_as")
    assert (await stand.get(by_doi.document_id)).same_work_as == first.document_id
    shown = {each.document_id: each.same_work_as for each in (await stand.listed()).documents}
    assert {key for key, same in shown.items() if same} == {by_doi.document_id, by_title.document_id}
    # Without the first, nothing is left that they have in common with each other.
    await stand.delete(first.document_id)
    assert not (await stand.get(by_doi.document_id)).HasField("same_work_as")
    assert not (await stand.get(by_title.document_id)).HasField("same_work_as")


async def test_works_that_come_in_one_batch(stand: Stand) -> None:
    lines = [{"text": f"Copy {number}.", "title": "A", "metadata": {"doi": "10.1000/x"}} for number in range(3)]
    first, *others = [each["document_id"] for each in await stand.batch(*lines)]
    assert [(await stand.get(each)).same_work_as for each in others] == [first, first]
