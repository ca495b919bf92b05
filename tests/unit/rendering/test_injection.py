"""Content is data: whatever a text says, it comes out as that text, in every format and every field.

Here each text stands in a quarter of the fields, in one document; `python -m tests.injection` puts each in each.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.report import Report
from services.results.rendering.document import ResultDocument
from services.results.rendering.figures import FigureRefused, draw
from services.results.rendering.filenames import content_disposition, safe_filename
from services.results.rendering.markdown.writer import markdown
from services.results.rendering.packing.raw_data import archive
from services.results.rendering.packing.spreadsheets import csv_bytes
from services.results.rendering.pdf.writer import pdf
from services.results.rendering.plain_text import one_line
from services.results.rendering.serializer import export_json
from services.results.rendering.word.writer import docx
from tests.injection import carriers, faults
from tests.injection.looking import headings, links, missing
from tests.support.pdf_contents import pdf_contents
from tests.unit.rendering.payloads import PAYLOADS
from tests.unit.rendering.reading import docx_text, squeezed

_STRIDE = 4
_WRITE, _COUNT = carriers.everywhere(PAYLOADS, _STRIDE)
_LINKS = links(PAYLOADS)


@pytest.fixture(scope="module")
def source() -> dict[str, Any]:
    return carriers.document(_WRITE, _COUNT)


@pytest.fixture(scope="module")
def report(source: dict[str, Any]) -> Report:
    document = ResultDocument.parse(source)
    return compose(document, carriers.metadata(_WRITE), citation_style="ieee", language="en")


@pytest.fixture(scope="module")
def markdown_source(report: Report) -> str:
    return markdown(report)


def test_there_are_enough_of_them() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 200


def test_docx_holds_them_as_text_alone(report: Report) -> None:
    body = docx(report, timestamp=0)
    assert faults.docx_faults(body, _LINKS) == []
    assert missing(docx_text(body), PAYLOADS, _STRIDE) == []


def test_pdf_holds_them_as_text_alone(report: Report) -> None:
    body = pdf(report, timestamp=0)
    assert faults.pdf_faults(body, _LINKS) == []
    assert missing(pdf_contents(body), PAYLOADS, _STRIDE, drawn=True) == []


@pytest.mark.parametrize("dialect", ["commonmark", "gfm-autolink_bare_uris", "commonmark_x-smart", "markdown-smart"])
def test_markdown_holds_them_as_text_alone(report: Report, markdown_source: str, dialect: str) -> None:
    tree = faults.markdown_tree(markdown_source, dialect)
    assert faults.markdown_faults(tree, _LINKS, headings=headings(report)) == []
    assert missing(faults.words(tree), PAYLOADS, _STRIDE) == []


def test_front_matter_holds_the_title_as_a_string(markdown_source: str) -> None:
    import yaml

    front = yaml.safe_load(markdown_source.split("\n---\n", 1)[0].removeprefix("---\n"))
    assert {"title", "lang", "date", "session_id", "partial"} <= set(front) <= {
        "title", "lang", "date", "session_id", "partial", "confidence", "citation_style", "schema_version",
    }  # fmt: skip
    assert squeezed(front["title"]) == squeezed(one_line(carriers.document(_WRITE, 1)["title"]))


def test_json_holds_them_as_they_were(source: dict[str, Any]) -> None:
    answer = json.loads(export_json(ResultDocument.parse(source), None, "s"))
    assert answer["results"]["key_findings"] == source["key_findings"]
    assert answer["citations"] == source["citations"]


def test_archive_holds_plain_files_and_tables_that_run_nothing(source: dict[str, Any]) -> None:
    document = ResultDocument.parse(source | {"figures": source["figures"][:-1]})
    raw = carriers.raw_data(_WRITE, _COUNT)
    body = archive(document, None, "s", raw, (safe_filename(document.title, "md"), b""))
    assert faults.zip_faults(body) == []
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        assert "manifest.json" in package.namelist()


def test_every_text_is_a_harmless_cell_and_keeps_its_words() -> None:
    body = csv_bytes(PAYLOADS, [PAYLOADS])
    assert faults.csv_faults(body) == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_title_makes_no_path_and_no_second_header(payload: str) -> None:
    for name in (safe_filename(payload, "pdf"), safe_filename(f"{payload}a", "zip")):
        assert faults.path_faults(name) == []
        assert "/" not in name
        assert faults.header_faults(content_disposition(name)) == []


@pytest.mark.parametrize(
    "spec",
    [
        {"data": {"url": "file:///etc/passwd"}},
        {"data": {"values": [{}]}, "transform": [{"lookup": "a", "from": {"data": {"url": "x"}, "key": "a"}}]},
        {"data": {"values": [{"u": "javascript:alert(1)"}]}, "encoding": {"href": {"field": "u"}}},
        {"data": {"values": [{"u": "https://evil.example/x"}]}, "mark": "image", "encoding": {"url": {"field": "u"}}},
        {"layer": [{"mark": {"type": "image", "aspect": False}}]},
        {"data": {"values": [{}]}, "mark": {"type": "point", "href": "https://evil.example"}},
        {"data": {"values": [{}]}, "config": {"mark": {"href": "javascript:alert(1)"}}, "mark": "point"},
        {"width": 1e9, "data": {"values": [{}]}, "mark": "point"},
    ],
)  # fmt: skip
def test_a_drawing_that_reaches_out_is_refused(spec: dict[str, Any]) -> None:
    spec = {"encoding": {"x": {"field": "a", "type": "nominal"}}, **spec}
    with pytest.raises(FigureRefused):
        draw(spec)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a \u202e b", "a \u202e b\u202c"),
        ("a \u2067 b \u202d c", "a \u2067 b \u202d c\u202c\u2069"),
        ("a \u2067 b \u202e c \u2069 d", "a \u2067 b \u202e c \u2069 d"),
        ("\u202c a \u2069", "\u202c a \u2069"),
        ("a \u202a b \u202c c", "a \u202a b \u202c c"),
        ("\u200b\u202e\ufeff\u2028", ""),
        ("\u3164 \ufe0f", ""),
    ],
)
def test_a_text_turns_nothing_beside_it_and_is_empty_if_it_shows_nothing(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_drawing_of_letters_that_nothing_can_draw_is_drawn_without_them() -> None:
    text = "a\x0cb\x00 \\begin \U000e0041\ufe0f \u0f71 \U00013000\U0003fffd \ue123 end"
    encoding = {"x": {"field": "x", "title": text}, "y": {"field": "x", "title": text}, "text": {"field": "t"}}
    spec = {"title": text, "data": {"values": [{"x": 1, "t": text}]}, "mark": "text", "encoding": encoding}
    source = {"title": "T", "figures": [{"id": "g", "title": "F", "alt": "A", "spec": spec}]}
    metadata = {"session_id": "s", "finished_at": "2025-07-02T10:31:40Z"}
    report = compose(ResultDocument.parse(source), metadata, citation_style="apa", language="en")
    assert "end" in squeezed(pdf_contents(pdf(report, timestamp=0)))


@pytest.mark.parametrize("text", ["\ufeff=1+1", "a\ufeffb", "\ue000 \uf0b7 \U000f0000", "\u200b", "x \u202e\u2067"])
def test_an_archived_pdf_holds_it_in_every_place(text: str) -> None:
    write, count = carriers.everywhere([text])
    report = compose(
        ResultDocument.parse(carriers.document(write, count)),
        carriers.metadata(write),
        citation_style="harvard",
        language="es",
    )
    assert faults.pdf_faults(pdf(report, timestamp=0), ()) == []
