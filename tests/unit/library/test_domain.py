from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kit.errors import ValidationError
from kit.times import Instant
from services.library.domain import (
    Document,
    Draft,
    Status,
    derived_title,
    draft_of,
    metadata_faults,
    same_content,
    sha256_of_bytes,
    sha256_of_text,
)


def faults(draft: Draft) -> set[str]:
    with pytest.raises(ValidationError) as raised:
        draft.check("line 3.")
    return {fault.field for fault in raised.value.faults}


def nested(levels: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value if isinstance(value, dict) else {}


def test_a_draft_within_the_rules() -> None:
    Draft("", "x").check()
    Draft("T" * 500, "text", "x" * 255, nested(16)).check()


def test_all_faults_are_told_at_once() -> None:
    draft = Draft("T" * 501, " \n", "", {"a": "x" * 20_000})
    assert faults(draft) == {"line 3.title", "line 3.text", "line 3.external_id", "line 3.metadata"}


@pytest.mark.parametrize("external_id", ["", "x" * 256, " a", "a\n", "a\u0000b"])
def test_external_ids(external_id: str) -> None:
    assert faults(Draft("", "x", external_id)) == {"line 3.external_id"}


def test_metadata_is_bounded_in_depth_and_bytes() -> None:
    assert metadata_faults({}) == []
    assert metadata_faults({"list": [[[1]], {"a": []}]}) == []
    assert "16 levels" in metadata_faults(nested(17))[0].issue
    assert metadata_faults({"a": "x" * (16 * 1024 - 8)}) == []
    assert "bytes" in metadata_faults({"a": "x" * (16 * 1024 - 7)})[0].issue
    assert "bytes" in metadata_faults({"a": "é" * 8189})[0].issue
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert "levels" in metadata_faults({"a": deep})[0].issue


def test_a_draft_from_an_object() -> None:
    assert draft_of({"title": None, "text": "x"}) == Draft("", "x")
    value = {"title": "T", "text": "x", "external_id": "e", "metadata": {"k": [1]}}
    assert draft_of(value) == Draft("T", "x", "e", {"k": [1]})


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        ([], {"line 7"}),
        ({}, {"line 7.text"}),
        ({"text": 5, "title": [], "metadata": "x"}, {"line 7.text", "line 7.title", "line 7.metadata"}),
        ({"text": "x", "body": 1}, {"line 7.body"}),
        ({"text": ""}, {"line 7.text"}),
    ],
)
def test_an_object_that_is_no_draft(value: object, fields: set[str]) -> None:
    with pytest.raises(ValidationError) as raised:
        draft_of(value, "line 7.")
    assert {fault.field for fault in raised.value.faults} == fields


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Short  text\nhere", "Short text here"),
        ("word " * 40, "word " * 19 + "word…"),
        ("x" * 300, "x" * 100 + "…"),
    ],
)
def test_derived_titles(text: str, title: str) -> None:
    assert derived_title(text) == title


def test_digests() -> None:
    assert sha256_of_text("") == sha256_of_bytes(b"")
    assert sha256_of_text("é") == sha256_of_bytes("é".encode())


DOCUMENT = Document(
    document_id="1",
    owner="ann",
    title="T",
    kind="text",
    status=Status.READY,
    created_at=Instant(1),
    text_sha256=sha256_of_text("x"),
    characters=1,
    metadata={"a": [1]},
)


def test_what_counts_as_the_same_content() -> None:
    assert same_content(DOCUMENT, replace(DOCUMENT, document_id="2", created_at=Instant(9), metadata={"a": [1]}))
    for other in (
        replace(DOCUMENT, title="U"),
        replace(DOCUMENT, text_sha256=sha256_of_text("y")),
        replace(DOCUMENT, metadata={}),
        replace(DOCUMENT, status=Status.UNREADABLE),
        replace(DOCUMENT, kind="html"),
    ):
        assert not same_content(DOCUMENT, other)


def test_what_a_search_of_the_library_may_find() -> None:
    assert DOCUMENT.searchable
    assert not replace(DOCUMENT, status=Status.UNREADABLE).searchable
    assert not replace(DOCUMENT, session_id="s").searchable
    assert not replace(DOCUMENT, characters=0).searchable
