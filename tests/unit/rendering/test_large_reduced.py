"""Reports of large documents: cut down, and still right about what they show."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pytest

from services.results.large import reduced as reducing
from services.results.large.answers import Stored
from services.results.large.excerpt import Bounds
from services.results.large.gathered import listed, passages
from services.results.large.points import points_of
from services.results.large.reduced import BLOCK, reduced
from services.results.large.scanner import scan
from services.results.rendering.document import ResultDocument
from tests.unit.rendering.test_large_scanner import canonical

_HASH = "a" * 64


def stored(document: dict[str, Any], grain: int) -> Stored:
    data = canonical(document)

    async def read(start: int, end: int) -> bytes:
        return data[start:end]

    return Stored(scan(io.BytesIO(data).read, grain=grain), read, _HASH)


async def report(document: dict[str, Any], grain: int = 4096) -> dict[str, Any]:
    """The document of the report, which must be a sound one."""
    found: dict[str, Any] = orjson.loads(await reduced(stored(document, grain)))
    ResultDocument.parse(found)
    return found


def citation(number: int, count: int) -> dict[str, Any]:
    quotes = [{"quote": f"Passage {n} of {number}.", "start": n, "end": n + 5} for n in range(count)]
    return {"id": f"r{number}", "title": f"Work {number}", "passages": quotes}


def claim(number: int, *cited: int, passage: int = 0) -> dict[str, Any]:
    evidence = [{"citation": f"r{n}", "passage": passage} for n in cited]
    return {"id": f"c{number}", "text": f"Claim {number}.", "citations": [f"r{n}" for n in cited], "evidence": evidence}


async def test_what_is_shown_keeps_its_sources() -> None:
    document: dict[str, Any] = {
        "title": "t",
        "sections": [{"id": "s", "heading": "h", "claims": [claim(1, 3, 900), claim(2, 999, passage=40)]}],
        "key_findings": [{"id": "f", "text": "Finding.", "citations": ["r950"]}],
        "citations": [citation(n, 45 if n == 999 else 3) for n in range(1000)],
    }
    found = await report(document)
    ids = [item["id"] for item in found["citations"]]
    assert len(ids) == reducing.SOURCES
    assert ids == sorted(ids, key=lambda id: int(id[1:]))
    assert {"r0", "r3", "r900", "r950", "r999"} <= set(ids)
    assert "r800" not in ids
    assert len(found["citations"][-1]["passages"]) == reducing.PASSAGES_OF_MANY
    claims = found["sections"][0]["claims"]
    assert claims[0] == document["sections"][0]["claims"][0]
    assert claims[1]["citations"] == ["r999"]
    assert claims[1]["evidence"] == []
    told = {line["block"]: (line["in_report"], line["in_results"]) for line in found[BLOCK]}
    assert told == {"citations": (500, 1000), "citations.passages": (499 * 3 + 10, 999 * 3 + 45)}


async def test_few_sources_show_more_of_each() -> None:
    found = await report({"title": "t", "citations": [citation(n, 200) for n in range(3)]}, 1024)
    assert [len(item["passages"]) for item in found["citations"]] == [reducing.PASSAGES_OF_FEW] * 3
    assert found[BLOCK] == [{"block": "citations.passages", "in_report": 150, "in_results": 600}]


async def test_a_document_that_fits_stays_as_it_is() -> None:
    document = {"title": "t", "citations": [citation(n, 2) for n in range(40)], "summary": "s" * 9000}
    assert await report(document, 256) == document


async def test_tables_are_cut_and_figures_are_not_drawn_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reducing._OF_BLOCKS, "figures", Bounds(items=10, inside=700, block_bytes=1 << 20))
    document: dict[str, Any] = {
        "title": "t",
        "tables": [{"id": "t1", "columns": ["n"], "rows": [[n] for n in range(2000)]}],
        "figures": [
            {"id": f"g{size}", "alt": "words", "spec": {"data": {"values": [{"x": n} for n in range(size)]}}}
            for size in (600, 900)
        ],
        "reproduction": {"steps": [{"n": n} for n in range(600)]},
    }
    found = await report(document)
    assert len(found["tables"][0]["rows"]) == 500
    assert [len(figure["spec"]) for figure in found["figures"]] == [1, 0]
    assert found["figures"][0] == document["figures"][0]
    assert found["figures"][1]["alt"] == "words"
    assert [line["block"] for line in found[BLOCK]] == ["results.tables.0.rows", "results.figures.1.spec.data.values"]


@pytest.mark.parametrize("grain", [1, 300, 64 * 1024])
async def test_every_passage_and_every_point_is_found(grain: int) -> None:
    document: dict[str, Any] = {
        "title": "t",
        "sections": [{"id": "s", "heading": "h", "claims": [claim(n, n) for n in range(30)]}],
        "key_findings": [{"id": "f", "text": "F.", "citations": ["r1"]}],
        "tables": [{"id": "t1", "columns": [], "rows": []}],
        "citations": [{**citation(n, n), "document_id": f"d{n}"} for n in range(30)],
    }
    opened = stored(document, grain)
    rows = orjson.loads(b"".join([piece async for piece in listed(passages(opened))]))
    assert rows == [
        {"citation": item["id"], "document_id": item["document_id"], **passage}
        for item in document["citations"]
        for passage in item["passages"]
    ]
    for section in document["sections"]:
        for item in section["claims"]:
            item["evidence"] = []
    assert await points_of(opened) == ResultDocument.parse(document).reference_points()
