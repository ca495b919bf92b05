from __future__ import annotations

from typing import Any

import pytest

from kit.errors import ValidationError
from kit.times import Instant
from services.library.domain import Draft, Status
from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.ingest import Place, from_draft, from_file, from_unreadable
from services.library.parsing.document import Kind, ParsedDocument
from services.library.streams import UploadedFile

PLACE = Place("d1", "ada", Instant(7))


def test_a_text_is_stored_in_its_normal_form() -> None:
    arrival = from_draft(Draft("A \n title", "Cafe\u0301\r\nline", "e1", {"k": 1}), PLACE)
    document = arrival.document
    assert arrival.text == "Caf\u00e9\nline"
    assert (document.title, document.characters, document.source.size) == ("A title", 9, 10)
    assert (document.document_id, document.owner, document.created_at, document.session_id) == ("d1", "ada", 7, None)
    assert (document.external_id, document.metadata, document.source.sha256) == ("e1", {"k": 1}, "")


def test_a_text_of_nothing_but_marks_is_blank() -> None:
    with pytest.raises(ValidationError) as raised:
        from_draft(Draft("", "\u00ad\ufeff"), PLACE, "inputs.documents[2].")
    assert [fault.field for fault in raised.value.faults] == ["inputs.documents[2].text"]


@pytest.mark.parametrize(
    ("metadata", "cited"),
    [
        ({}, ((), None, "", "")),
        ({"authors": "Bee, Ann; Cid Doe"}, (("Ann Bee", "Cid Doe"), None, "", "")),
        ({"authors": ["Ann\nBee", None, " "]}, (("Ann Bee",), None, "", "")),
        ({"year": 2001}, ((), 2001, "", "")),
        ({"year": 2001.0}, ((), 2001, "", "")),
        ({"year": "12 May 2001"}, ((), 2001, "", "")),
        ({"year": True}, ((), None, "", "")),
        ({"year": 1e300}, ((), None, "", "")),
        ({"doi": "https://doi.org/10.1000/Ab(1)."}, ((), None, "10.1000/Ab(1)", "")),
        ({"doi": 10.1}, ((), None, "", "")),
        ({"url": " https://example.org/a?b=c#d "}, ((), None, "", "https://example.org/a?b=c#d")),
        ({"url": "javascript:alert(1)"}, ((), None, "", "")),
        ({"url": "https://example.org/" + "x" * 3000}, ((), None, "", "")),
    ],
)
def test_what_metadata_says_for_citations(metadata: dict[str, Any], cited: tuple[Any, ...]) -> None:
    document = from_draft(Draft("", "x", metadata=metadata), PLACE).document
    assert (document.authors, document.year, document.doi, document.url) == cited


def test_a_file_keeps_its_own_title_unless_one_is_given() -> None:
    file = UploadedFile("file", "a.csv", "text/csv", b"a,b\r\n1,2")
    parsed = ParsedDocument("a", Kind.CSV, "a,b\n1,2", is_dataset=True, problems=("Odd.",))
    document = from_file(file, parsed, PLACE).document
    assert (document.title, document.kind, document.is_dataset, document.problems) == ("a", "csv", True, ("Odd.",))
    assert (document.source.filename, document.source.size, document.characters) == ("a.csv", 8, 7)
    assert from_file(file, parsed, PLACE, " Cores\n1 ").document.title == "Cores 1"


@pytest.mark.parametrize(("name", "kind", "title"), [("my_scan.pdf", "pdf", "my scan"), ("x.bin", "unknown", "x")])
def test_an_unreadable_file_keeps_its_reason(name: str, kind: str, title: str) -> None:
    file = UploadedFile("file", name, "", b"?")
    arrival = from_unreadable(file, DocumentUnreadable(UnreadableCause.NO_TEXT, "Page 1."), PLACE)
    document = arrival.document
    assert (document.status, document.kind, document.title, arrival.text) == (Status.UNREADABLE, kind, title, "")
    assert (document.text_sha256, document.characters) == ("", 0)
    assert document.problems[0].endswith("Page 1.")
    assert not document.searchable
