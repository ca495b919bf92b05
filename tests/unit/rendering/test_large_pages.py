"""Answers by parts: whole ones are the serialiser's own bytes, and pages put together are the document."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.errors import PayloadTooLarge, ValidationError
from services.results.large import excerpt
from services.results.large.answers import Answers, Stored
from services.results.large.fields import Parts, read_asked
from services.results.large.scanner import scan
from services.results.large.shelf import flow_of
from services.results.rendering.document import ResultDocument
from services.results.rendering.reading import InvalidResultDocument
from services.results.rendering.serializer import results_json, results_object
from tests.unit.rendering.sample import metadata, sample
from tests.unit.rendering.test_large_scanner import canonical

_HASH = "0123456789abcdef" * 4


class Reader:
    """A document on a shelf of its own."""

    def __init__(self, source: Mapping[str, Any], grain: int, facts: Mapping[str, Any] | None = None) -> None:
        self._data = canonical(source)
        self._facts = facts
        self._stored = Stored(scan(io.BytesIO(self._data).read, grain=grain), self._read, _HASH)
        self.read_bytes = 0

    async def _read(self, start: int, end: int) -> bytes:
        self.read_bytes += end - start
        return self._data[start:end]

    async def body(self, fields: str = "", limit: int | None = None, cursor: str = "") -> bytes:
        asked = read_asked(Parts(fields, limit, cursor), format="json")
        pieces = await Answers(self._stored, "sid", self._facts).asked(asked)
        flow = flow_of(self._stored, pieces, filename="results.json")
        written = b"".join([piece async for piece in flow.pieces()])
        assert flow.length == len(written)
        return written

    async def answer(self, fields: str = "", limit: int | None = None, cursor: str = "") -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(await self.body(fields, limit, cursor))
        return found


def at(answer: Any, field: str) -> Any:
    """The value of a field in a whole answer."""
    for part in map(unquote, field.split(".")):
        answer = answer[int(part)] if isinstance(answer, list) else answer[part]
    return answer


def only(answer: Any, field: str) -> Any:
    """The value of the one field asked for, where lists on the way have one item."""
    for part in map(unquote, field.split(".")):
        answer = answer[0] if isinstance(answer, list) else answer[part]
    return answer


async def completed(reader: Reader, answer: Any, field: str, block: Mapping[str, Any], limit: int) -> None:
    """Read a shortened list to its end, and what is shortened inside its items."""
    items = at(answer, field)
    assert (len(items), 0) == (block["items"], block["offset"])
    cursor = block.get("next_cursor")
    while cursor is not None:
        page = await reader.answer(field, limit, cursor)
        new = only(page, field)
        (told, *inner) = page["page"]["blocks"]
        assert (told["field"], told["offset"], told["items"]) == (field, len(items), len(new))
        assert 0 < len(new) <= limit
        items.extend(new)
        for further in inner:
            await completed(reader, answer, further["field"], further, limit)
        cursor = told.get("next_cursor")
    assert len(items) == block["total"]


_TEXTS = st.text(max_size=8)
_ITEMS = st.recursive(
    st.one_of(st.none(), st.integers(-9, 2**53), st.floats(allow_nan=False, allow_infinity=False), _TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["id", "passages", "rows", "é.%", "0", ""]), inner, max_size=4),
        st.sampled_from([[1] * 101, [{"id": '"},{'}] * 102, ['","'] * 103]),
    ),
    max_leaves=5,
)
_NAMES = st.sampled_from(["citations", "sections", "key_findings", "tables", "screening", "analysis", "bridges"])
DOCUMENTS = st.dictionaries(_NAMES, st.lists(_ITEMS, max_size=7), max_size=4).map(lambda own: {"title": "T", **own})


@settings(max_examples=30, deadline=None)
@given(DOCUMENTS, st.sampled_from([1, 16, 200, 64 * 1024]), st.integers(2, 5))
async def test_pages_put_together_are_the_document(document: dict[str, Any], grain: int, limit: int) -> None:
    reader = Reader(document, grain)
    answer = await reader.answer(limit=limit)
    page = answer.pop("page")
    assert (page["limit"], page["truncated"]) == (limit, bool(page["blocks"]))
    for block in page["blocks"]:
        await completed(reader, answer, block["field"], block, limit)
    empty = ResultDocument("T", False, "", None, (), (), (), (), (), {}, document)
    whole = canonical(results_object(empty, None, "sid"))
    assert canonical(answer) == whole
    assert await reader.body() == whole


@pytest.mark.parametrize("grain", [1, 50, 1000, 64 * 1024])
async def test_a_whole_answer_is_byte_for_byte_the_serialisers(grain: int) -> None:
    for source in (sample(), {"title": "t"}, {"title": "t", "citations": None, "tables": None, "confidence_score": 1}):
        for facts in (metadata(), None):
            expected = results_json(ResultDocument.parse(source), facts, "sid")
            assert await Reader(source, grain, facts).body() == expected


@pytest.mark.parametrize("grain", [1, 64 * 1024])
async def test_fields_give_members_whole_and_nothing_else(grain: int) -> None:
    source = sample()
    reader = Reader(source, grain, metadata())
    whole = await reader.answer()
    found = await reader.answer("summary, results.key_findings,execution_metadata,results.title")
    assert found == {
        "session_id": "sid",
        "summary": whole["summary"],
        "execution_metadata": whole["execution_metadata"],
        "results": {"key_findings": source["key_findings"], "title": source["title"]},
    }
    assert await reader.answer("results") == {"session_id": "sid", "results": whole["results"]}
    deep = await reader.answer("citations.1.passages")
    assert deep == {"session_id": "sid", "citations": [{"passages": source["citations"][1]["passages"]}]}
    bare = await Reader({"title": "t"}, grain).answer("results.tables,citations", limit=5)
    assert bare == {
        "session_id": "sid",
        "results": {"tables": []},
        "citations": [],
        "page": {"limit": 5, "truncated": False, "blocks": []},
    }


@pytest.mark.parametrize(
    "field", ["bogus", "results.bogus", "citations.99", "citations.id", "title", "results.summary"]
)
async def test_an_unknown_field_is_named_with_the_choices(field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        await Reader(sample(), 1000, metadata()).answer(field)
    (fault,) = caught.value.faults
    assert fault.field == "fields"
    assert all(name in fault.issue for name in (field, "citations", "results.key_findings"))


@pytest.mark.parametrize(
    ("fields", "limit", "cursor", "format", "named"),
    [
        ("summary", None, "", "pdf", {"fields"}),
        ("", 3, "x", "markdown", {"limit", "cursor"}),
        ("summary,,citations", None, "", "json", {"fields"}),
        ("summary,summary", None, "", "json", {"fields"}),
        ("summary,%73ummary", None, "", "json", {"fields"}),
        ("results.screening,summary,results.screening.excluded", None, "", "json", {"fields"}),
        ("results.title,results", None, "", "json", {"fields"}),
        ("summary", 3, "abc", "pdf", {"fields", "limit", "cursor"}),
        ("citations.0,citations.1", 3, "abc", "pdf", {"fields", "limit", "cursor"}),
        ("citations.0.passages,summary", None, "", "json", {"fields"}),
        ("", 3, "abc", "json", {"cursor"}),
        ("citations", 3, "abc", "json", {"cursor"}),
        ("citations", 3, "é", "json", {"cursor"}),
        ("citations", 3, "WzEsMiwzXQ", "json", {"cursor"}),
    ],
)
def test_parameters_that_do_not_fit_are_named(
    fields: str, limit: int | None, cursor: str, format: str, named: set[str]
) -> None:
    with pytest.raises(ValidationError) as caught:
        read_asked(Parts(fields, limit, cursor), format=format)
    assert {fault.field for fault in caught.value.faults} == named


async def test_a_cursor_opens_its_own_field_of_its_own_results_alone() -> None:
    source = sample()
    reader = Reader(source, 64)
    cursor = (await reader.answer("citations", 1))["page"]["blocks"][0]["next_cursor"]
    assert [item["id"] for item in (await reader.answer("citations", 1, cursor))["citations"]] == [
        source["citations"][1]["id"]
    ]
    with pytest.raises(ValidationError):
        await reader.answer("results.key_findings", 1, cursor)
    other = Reader(source, 64)
    other._stored = Stored(other._stored.index, other._read, "f" * 64)
    with pytest.raises(ValidationError) as caught:
        await other.answer("citations", 1, cursor)
    assert "other results" in str(caught.value)
    # What another session found may be the very same bytes.
    twin = Answers(reader._stored, "another", None)
    with pytest.raises(ValidationError) as caught:
        await twin.asked(read_asked(Parts("citations", 1, cursor), format="json"))
    assert "other results" in str(caught.value)


async def test_a_page_ends_at_a_size_and_reads_little_more_than_it_shows() -> None:
    text = "word " * 2000
    citations = [{"id": f"r{n}", "passages": [{"quote": text}] * 30} for n in range(25)]
    reader = Reader({"title": "t", "citations": citations}, 64 * 1024)
    first = await reader.answer("citations", 1000)
    (block,) = first["page"]["blocks"]
    assert 3 <= block["items"] <= 6
    assert block["total"] == 25
    assert reader.read_bytes < 3_000_000
    later = await reader.answer("citations", 2, block["next_cursor"])
    assert [item["id"] for item in later["citations"]] == [f"r{block['items']}", f"r{block['items'] + 1}"]
    long = Reader({"title": "t", "citations": [{"id": "r", "passages": [{"quote": text}] * 1000}]}, 64 * 1024)
    found = await long.answer(limit=2)
    assert len(found["citations"][0]["passages"]) == 100
    assert found["page"]["blocks"][0]["field"] == "citations.0.passages"
    assert long.read_bytes < 3_000_000


async def test_a_document_that_is_none_is_told() -> None:
    for source in ({"summary": "no title"}, {"title": "t", "partial": "yes"}, {"title": "t", "confidence_score": "1"}):
        with pytest.raises(InvalidResultDocument):
            await Reader(source, 1000).answer()


async def test_a_text_that_no_page_can_hold_is_refused_and_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excerpt, "WHOLE_BYTES", 5000)
    source = {"title": "t", "note": "word " * 2000, "bridges": [{"id": "b", "text": "word " * 2000}]}
    reader = Reader(source, 1000)
    for field in ("results.note", "results.bridges"):
        with pytest.raises(PayloadTooLarge) as caught:
            await reader.answer(field, 10)
        assert "without limit" in str(caught.value)
    assert (await reader.answer("results.note,results.bridges"))["results"] == {
        "note": source["note"],
        "bridges": source["bridges"],
    }
