"""What a session delivers: findings with quotes that stand where they are said to stand, in every format."""

from __future__ import annotations

import csv
import io
import json
import statistics
import zipfile
from typing import Any

import docx
import pypdf
import pytest

from tests.contract.shapes import is_a
from tests.e2e import lab
from tests.e2e.conftest import Sessions
from tests.e2e.lab import Done
from tests.support.rest import API, Api

FORMATS = ("pdf", "docx", "markdown", "json")


def text_of(kind: str, content: bytes) -> str:
    """All the text of a file, as a program that opens it sees it."""
    if kind == "pdf":
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    if kind == "docx":
        opened = docx.Document(io.BytesIO(content))
        cells = [cell.text for table in opened.tables for row in table.rows for cell in row.cells]
        return "\n".join([paragraph.text for paragraph in opened.paragraphs] + cells)
    return content.decode()


def cited(results: Any) -> list[Any]:
    """The citations that claims and findings point to."""
    named = {
        citation
        for place in (*results["results"]["key_findings"], *_claims(results))
        for citation in place["citations"]
    }
    return [citation for citation in results["citations"] if citation["id"] in named]


def _claims(results: Any) -> list[Any]:
    return [claim for section in results["results"]["sections"] for claim in section.get("claims", [])]


async def test_compact_results_are_those_of_the_results(done: Done) -> None:
    session, whole = await done.api.session(done.session_id), await done.results()
    compact = session["results"]
    assert compact["title"] == whole["results"]["title"]
    assert compact["summary"] == whole["summary"] != ""
    assert compact["confidence_score"] == whole["confidence_score"]
    assert compact["partial"] is whole["results"]["partial"] is False
    findings = whole["results"]["key_findings"]
    assert findings
    assert [f["id"] for f in compact["key_findings"]] == [f["id"] for f in findings[:10]]


async def test_references_inside_the_results_resolve(done: Done) -> None:
    results = await done.results()
    known = {citation["id"] for citation in results["citations"]}
    assert len(known) == len(results["citations"])
    for place in (*results["results"]["key_findings"], *_claims(results)):
        assert set(place["citations"]) <= known
        # What was computed from a table names no passage.
        assert place["citations"] or place.get("dataset") or place.get("support") == "computed", place


@pytest.mark.parametrize("session_type", ["research", "synthesis"])
async def test_every_quote_stands_at_its_offsets(sessions: Sessions, session_type: str) -> None:
    done = sessions.of_type(session_type)
    results = await done.results()
    texts: dict[str, str] = {}
    passages = 0
    for citation in results["citations"]:
        document_id = citation["document_id"]
        if document_id not in texts:
            answer = await done.api.send("GET", f"{API}/documents/{document_id}/text")
            assert (answer.status, answer.media_type) == (200, "text/plain")
            texts[document_id] = answer.text
        text = texts[document_id]
        assert citation["csl"]["title"] == citation["title"]
        for passage in citation["passages"]:
            assert passage["sha256"] == lab.digest(text)
            assert text[passage["start"] : passage["end"]] == passage["quote"] != ""
            passages += 1
    assert passages >= len(results["citations"]) >= 2
    assert len(texts) >= 2, "more than one document was of use"


async def test_a_citation_card_names_the_stored_text(sessions: Sessions) -> None:
    results = await sessions.research.results()
    for citation in results["citations"]:
        card = await sessions.research.api.get(f"/documents/{citation['document_id']}")
        assert card["sha256"] == citation["passages"][0]["sha256"]
        assert card["title"] == citation["title"]


async def test_research_has_findings_in_its_own_words_of_the_library(sessions: Sessions) -> None:
    results = await sessions.research.results()
    titles = {path.read_text().partition("\n")[0].removeprefix("# ") for path in lab.ARTICLES}
    assert {citation["title"] for citation in results["citations"]} <= titles
    assert len(results["results"]["sections"]) >= 2
    assert 0 < results["confidence_score"] <= 1


async def test_analysis_figures_are_those_of_the_table(ada: Api, table_id: str) -> None:
    tasks = [
        {"kind": "describe", "columns": ["co2_ppm"]},
        {"kind": "regression", "formula": "co2_ppm ~ year"},
    ]
    inputs = {"datasets": [{"document_id": table_id}]}
    preferences = {"analysis": {"tasks": tasks}}
    body: dict[str, Any] = {"session_type": "analysis", "inputs": inputs, "preferences": preferences}
    done = await lab.conduct(ada, lab.TREND, **body)
    described, fitted = (await done.results())["results"]["analysis"]
    rows = list(csv.DictReader(io.StringIO(lab.TABLE.read_text())))
    years, values = [float(row["year"]) for row in rows], [float(row["co2_ppm"]) for row in rows]
    (column,) = described["result"]["columns"]
    assert (column["name"], column["n"], column["missing"]) == ("co2_ppm", len(rows), 0)
    assert column["mean"] == pytest.approx(statistics.fmean(values), rel=1e-12)
    assert column["sd"] == pytest.approx(statistics.stdev(values), rel=1e-12)
    assert (column["min"], column["max"]) == (min(values), max(values))
    slope, intercept = statistics.linear_regression(years, values)
    terms = {term["name"].strip("()").lower(): term for term in fitted["result"]["terms"]}
    assert terms["year"]["estimate"] == pytest.approx(slope, rel=1e-9)
    assert terms["intercept"]["estimate"] == pytest.approx(intercept, rel=1e-9)
    assert terms["year"]["ci_low"] < slope < terms["year"]["ci_high"]
    assert fitted["result"]["r_squared"] == pytest.approx(statistics.correlation(years, values) ** 2, rel=1e-9)


async def test_analysis_draws_a_chart(sessions: Sessions) -> None:
    figures = (await sessions.analysis.results())["results"]["figures"]
    assert figures
    for figure in figures:
        assert "vega-lite" in figure["spec"]["$schema"]
        assert figure["alt"]


async def test_synthesis_draws_on_both_sessions(sessions: Sessions) -> None:
    merged = await sessions.synthesis.results()
    ids = {citation["document_id"] for citation in merged["citations"]}
    assert len(ids) == len(merged["citations"]), "each document is cited once"
    for part in (sessions.research, sessions.more_research):
        assert ids & {citation["document_id"] for citation in (await part.results())["citations"]}


@pytest.mark.parametrize("kind", FORMATS)
async def test_an_export_opens_and_carries_citations_and_quotes(done: Done, kind: str) -> None:
    results = await done.results()
    text = lab.letters(text_of(kind, await done.export(format=kind)))
    assert lab.letters(results["results"]["title"]) in text
    for finding in results["results"]["key_findings"]:
        assert lab.letters(finding["text"]) in text, finding["text"]
    for citation in cited(results):
        assert lab.letters(citation["title"]) in text, citation["title"]
    quotes = [passage["quote"] for citation in cited(results) for passage in citation["passages"]]
    missing = [quote for quote in quotes if lab.letters(quote) not in text]
    assert not missing, missing[:3]


async def test_the_json_export_is_the_results(done: Done) -> None:
    results = await done.results()
    export = json.loads(await done.export(format="json"))
    for name in ("session_id", "results", "summary", "citations", "confidence_score"):
        assert export[name] == results[name]


@pytest.mark.parametrize("kind", ["markdown", "pdf"])
async def test_results_in_other_formats(done: Done, kind: str) -> None:
    answer = await done.api.send("GET", f"{API}{done.path}/results", query={"format": kind})
    results = await done.results()
    text = lab.letters(text_of(kind, answer.content))
    assert lab.letters(results["results"]["title"]) in text
    assert all(lab.letters(finding["text"]) in text for finding in results["results"]["key_findings"])


async def test_raw_data_comes_in_an_archive(done: Done) -> None:
    content = await done.export(format="docx", include_raw_data="true")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        assert {entry["path"] for entry in manifest["files"]} == set(names) - {"manifest.json", "SHA256SUMS"}
        (document,) = [name for name in names if name.endswith(".docx")]
        assert docx.Document(io.BytesIO(archive.read(document))).paragraphs
        assert json.loads(archive.read("results.json"))["session_id"] == done.session_id
    raw = json.loads(await done.export(format="json", include_raw_data="true"))["raw_data"]
    assert raw["decisions"]
    assert is_a("object", raw)


async def test_metadata_can_be_left_out(done: Done) -> None:
    whole = await done.results()
    bare = await done.api.get(f"{done.path}/results", include_metadata="false")
    assert whole.pop("execution_metadata")
    assert bare == whole


@pytest.mark.parametrize("session_type", ["research", "analysis", "synthesis"])
async def test_equal_sessions_give_equal_results(sessions: Sessions, table_id: str, session_type: str) -> None:
    first = sessions.of_type(session_type)
    match session_type:
        case "research":
            second = await lab.research(first.api)
        case "analysis":
            second = await lab.analysis(first.api, table_id)
        case _:
            second = await lab.synthesis(first.api, sessions.research, sessions.more_research)
    one, two = await first.results(), await second.results()
    assert one["session_id"] != two["session_id"]
    for name in ("results", "summary", "citations", "confidence_score"):
        assert json.dumps(one[name]) == json.dumps(two[name]), name
