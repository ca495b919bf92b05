"""Every rendition carries every finding, claim, quote and citation of the document."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import docx
import pypdf
import pypdfium2
import pytest

from services.results.rendering.document import ResultDocument
from services.results.rendering.render import render
from services.results.rendering.rendition import Format, Rendition
from services.results.rendering.word import reference_docx
from tests.unit.rendering.reading import docx_text, markdown_text, pdf_text, squeezed
from tests.unit.rendering.sample import metadata, sample

_READERS: dict[Format, Callable[[bytes], str]] = {
    "pdf": pdf_text,
    "docx": docx_text,
    "markdown": markdown_text,
}
_PRESENTED = list(_READERS)


def rendered(format: Format, source: dict[str, Any] | None = None, **options: Any) -> Rendition:
    arguments: dict[str, Any] = {"session_id": "sid", "citation_style": "apa", "language": "en"} | options
    facts = arguments.pop("metadata", metadata())
    return render(format, ResultDocument.parse(source or sample()), facts, **arguments)


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {format: squeezed(read(rendered(format).body)) for format, read in _READERS.items()}


@pytest.mark.parametrize("format", _PRESENTED)
def test_all_words_are_there(texts: dict[str, str], format: Format) -> None:
    source = sample()
    expected = [source["title"], metadata()["prompt"], *source["summary"].split("\n\n")]
    for section in source["sections"]:
        expected += [section["heading"], *(claim["text"] for claim in section["claims"])]
    for finding in source["key_findings"]:
        expected += [finding["text"], finding["quote"], f"{finding['confidence']:.2f}"]
    for citation in source["citations"]:
        expected += [citation["title"], *(author.partition(",")[0] for author in citation["authors"])]
        expected += [str(citation["year"]), citation["doi"] or citation["url"]]
        for passage in citation["passages"]:
            expected += [
                passage["quote"],
                f"page {passage['page']}, characters {passage['start']}–{passage['end']}",
            ]
            expected.append(passage["sha256"])
    for table in source["tables"]:
        expected += [
            table["title"],
            *table["columns"],
            *(str(cell) for row in table["rows"] for cell in row if cell),
        ]
    expected += [figure["title"] for figure in source["figures"]]
    expected += [source["methods"]["ranking"], *source["methods"]["limits"]]
    expected += [item["title"] for item in source["screening"]["excluded"]]
    missing = [text for text in expected if squeezed(text) not in texts[format]]
    assert missing == []


@pytest.mark.parametrize("format", _PRESENTED)
def test_citations_stand_with_what_they_support(texts: dict[str, str], format: Format) -> None:
    text = texts[format]
    assert squeezed("Less pressure, lower boiling point. (Marsh et al., 2014)") in text
    assert squeezed("300 metres climbed. (Tanaka, 2019)") in text
    assert squeezed("exponential in temperature. (Marsh et al., 2014; Ruiz & Bauer, 2003)") in text


@pytest.mark.parametrize("format", _PRESENTED)
def test_facts_of_the_run_are_dropped_with_the_metadata(format: Format) -> None:
    text = _READERS[format](rendered(format, metadata=None).body)
    assert "About this run" not in text
    assert metadata()["session_id"] not in text
    assert metadata()["prompt"] not in text


@pytest.mark.parametrize("format", [*_PRESENTED, "json"])
def test_the_same_document_gives_the_same_bytes(format: Format) -> None:
    assert rendered(format).body == rendered(format).body


@pytest.mark.parametrize("format", _PRESENTED)
def test_a_document_with_nothing_but_a_title(format: Format) -> None:
    assert "Nothing found" in _READERS[format](rendered(format, {"title": "Nothing found"}).body)


@pytest.mark.parametrize("format", _PRESENTED)
def test_a_partial_report_says_so(format: Format) -> None:
    text = _READERS[format](rendered(format, sample() | {"partial": True}).body)
    assert "This report is partial" in " ".join(text.split())


@pytest.mark.parametrize("format", _PRESENTED)
def test_a_figure_that_cannot_be_drawn_leaves_its_words(format: Format) -> None:
    source = sample()
    source["figures"][0]["spec"]["data"] = {"url": "https://example.org/x.csv"}
    text = squeezed(_READERS[format](rendered(format, source).body))
    assert squeezed("This figure could not be drawn.") in text
    assert squeezed(source["figures"][0]["alt"]) in text


@pytest.mark.parametrize("format", _PRESENTED)
def test_long_tables_are_cut_and_say_so(format: Format) -> None:
    source = sample()
    source["tables"][0]["rows"] = [[index, index / 7, None] for index in range(650)]
    text = squeezed(_READERS[format](rendered(format, source).body))
    assert squeezed("150 further rows") in text


@pytest.mark.parametrize("format", _PRESENTED)
def test_of_very_many_passages_some_are_shown_and_the_rest_counted(format: Format) -> None:
    source = sample()
    passage = source["citations"][0]["passages"][0]
    source["citations"][0]["passages"] = [passage | {"quote": f"Passage number {index}."} for index in range(57)]
    source["key_findings"] = []
    text = squeezed(_READERS[format](rendered(format, source).body))
    assert squeezed("Passage number 49.") in text
    assert squeezed("Passage number 50.") not in text
    assert squeezed("7 further passages are in the JSON export.") in text


@pytest.mark.parametrize("language", ["de", "fr", "es", "de-AT", "xx"])
def test_fixed_words_follow_the_language(language: str) -> None:
    heading = {"de": "Kernaussagen", "fr": "Principaux constats", "es": "Hallazgos principales"}
    text = pdf_text(rendered("pdf", language=language).body)
    assert heading.get(language[:2], "Key findings") in text


@pytest.mark.parametrize("format", _PRESENTED)
@pytest.mark.parametrize("session_type", ["research", "analysis", "synthesis"])
def test_the_question_is_there_whoever_noted_it(format: Format, session_type: str) -> None:
    read, facts = _READERS[format], metadata() | {"session_type": session_type}
    asked = squeezed(facts.pop("prompt"))
    noted = sample() | {"question": metadata()["prompt"]}
    assert squeezed(read(rendered(format, metadata=facts).body)).count(asked) == 0
    assert squeezed(read(rendered(format, noted, metadata=facts).body)).count(asked) == 1
    assert squeezed(read(rendered(format, noted).body)).count(asked) == 1


def test_the_question_is_on_the_first_page() -> None:
    first = pypdf.PdfReader(io.BytesIO(rendered("pdf").body)).pages[0]
    assert squeezed(metadata()["prompt"]) in squeezed(first.extract_text())


@pytest.mark.parametrize("format", _PRESENTED)
def test_a_title_that_is_the_question_is_not_said_twice(format: Format) -> None:
    text = squeezed(_READERS[format](rendered(format, sample() | {"title": metadata()["prompt"]}).body))
    lead = text.partition(squeezed(sample()["summary"][:60]))[0]
    assert lead.count(squeezed(metadata()["prompt"])) <= 1 + (format == "markdown")


@pytest.mark.parametrize(
    ("seconds", "language", "words"),
    [(0, "en", "under 1 s"), (0.4, "de", "unter 1 s"), (1, "en", "1 s"), (97.5, "en", "97.5 s")],
)
def test_a_running_time_is_never_nothing(seconds: float, language: str, words: str) -> None:
    facts = metadata() | {"execution_time": seconds}
    text = rendered("markdown", metadata=facts, language=language).body.decode()
    assert f":** {words}\n" in text


def test_facts_of_the_run_have_readable_names() -> None:
    facts = metadata() | {
        "cost": {"held": "2.00", "charged": "1.284", "released": "0.716", "currency": "FTNS"},
        "resource_usage": {"tokens_out": 0, "peak_memory_mb": 89.5},
        "attempts": 1,
    }
    text = rendered("markdown", metadata=facts).body.decode()
    for line in ("Cost charged:** 1.284 FTNS", "Output tokens:** 0", "Peak memory (MB):** 89.5", "Attempts:** 1"):
        assert f"\n* **{line}\n" in text
    assert "currency" not in text


@pytest.fixture(scope="module")
def pdf_reader() -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(rendered("pdf").body))


def test_pdf_is_tagged_and_archivable(pdf_reader: pypdf.PdfReader) -> None:
    root: Any = pdf_reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"
    packet = root["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in packet
    assert "<pdfuaid:part>1</pdfuaid:part>" in packet


def test_pdf_knows_its_title_and_date(pdf_reader: pypdf.PdfReader) -> None:
    assert pdf_reader.metadata is not None
    assert pdf_reader.metadata.title == sample()["title"]
    assert pdf_reader.metadata.creation_date is not None
    assert pdf_reader.metadata.creation_date.date().isoformat() == "2025-07-02"


def test_pdf_fonts_are_embedded(pdf_reader: pypdf.PdfReader) -> None:
    resources: list[Any] = [page["/Resources"] for page in pdf_reader.pages]
    fonts = [font.get_object() for resource in resources for font in resource["/Font"].values()]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)


def test_pdf_pages_are_numbered_and_sections_outlined(pdf_reader: pypdf.PdfReader) -> None:
    count = len(pdf_reader.pages)
    for number, page in enumerate(pdf_reader.pages, start=1):
        assert f"{number} / {count}" in page.extract_text()
    titles = [str(item["/Title"]) for item in pdf_reader.outline if isinstance(item, dict)]
    assert {"Key findings", "References"} <= set(titles)


def _headed(source: dict[str, Any], heading: str) -> tuple[str, int]:
    """The running head of the page on which a chapter begins, and the line of the chapter's heading there."""
    for page in pypdf.PdfReader(io.BytesIO(rendered("pdf", source).body)).pages[1:]:
        lines = page.extract_text().splitlines()
        if places := [index for index, line in enumerate(lines) if line.endswith(heading) and index]:
            return lines[0], places[0]
    raise AssertionError(f"no later page has {heading!r}")


def test_pdf_pages_are_headed_by_the_chapter_they_begin_with() -> None:
    source = sample() | {"key_findings": [], "tables": []}
    source["sections"] = [
        {"id": "long", "heading": "At length", "body": "\n\n".join(["Much to say. " * 60] * 9), "claims": []},
        {"id": "short", "heading": "In short", "body": "Little to say.", "claims": []},
    ]
    head, place = _headed(source, "In short")
    assert place > 5
    assert head.endswith("At length")
    # A figure that the page before has no room for takes its heading along.
    source["sections"] = [source["sections"][0] | {"body": "\n\n".join(["Much to say. " * 60] * 3)}]
    head, place = _headed(source, "Figures and tables")
    assert place == 1
    assert head.endswith("Figures and tables")


def test_long_ids_stay_in_their_columns() -> None:
    columns = list("abcdefgh")
    source = {"title": "I", "tables": [{"id": "t", "columns": columns, "rows": [["0f" * 12] * len(columns)]}]}
    page = pypdfium2.PdfDocument(rendered("pdf", source, metadata=None).body)[0]
    words = page.get_textpage()
    boxes = [words.get_charbox(index) for index in range(words.count_chars()) if words.get_text_range(index, 1) == "0"]
    assert len(boxes) >= 12 * len(columns)
    boxes.sort(key=lambda box: (round(box[1]), box[0]))
    for (_, low, right, _), (left, next_low, _, _) in pairwise(boxes):
        assert round(low) != round(next_low) or right <= left, "one id is set over another"


def test_pdf_links_lead_to_references_and_sources(pdf_reader: pypdf.PdfReader) -> None:
    annotations: list[Any] = [page.get("/Annots", []) for page in pdf_reader.pages]
    links = [item.get_object() for items in annotations for item in items]
    addresses = {link["/A"]["/URI"] for link in links if "/A" in link and "/URI" in link["/A"]}
    assert addresses == {
        "https://doi.org/10.5555/vapour.2014.7",
        "https://doi.org/10.5555/hypsometer.2003",
        "https://example.org/boiling?page=1&lang=en",
    }
    assert sum("/URI" not in link.get("/A", {}) for link in links) >= 7


def test_pdf_figures_are_vectors(pdf_reader: pypdf.PdfReader) -> None:
    assert [image.name for page in pdf_reader.pages for image in page.images] == []


def test_long_pdf_reports_have_contents() -> None:
    source = sample()
    source["sections"] += [
        {"id": f"x{index}", "heading": f"Further matter {index}", "body": "Much to say. " * 200, "claims": []}
        for index in range(9)
    ]
    assert "Contents" in pdf_text(rendered("pdf", source).body)
    assert "Contents" not in pdf_text(rendered("pdf").body)


@pytest.fixture(scope="module")
def docx_body() -> bytes:
    return rendered("docx").body


def test_docx_headings_have_real_styles(docx_body: bytes) -> None:
    styles = {p.text: p.style.name for p in docx.Document(io.BytesIO(docx_body)).paragraphs if p.style is not None}
    assert styles[sample()["title"]] == "Title"
    assert styles["Why boiling depends on pressure"] == "Heading 1"
    assert styles["Excluded"] == "Heading 2"


def test_docx_tables_are_native(docx_body: bytes) -> None:
    table = docx.Document(io.BytesIO(docx_body)).tables[0]
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[0] == sample()["tables"][0]["columns"]
    assert rows[1] == ["0", "101.325", "sea level"]
    assert len(rows) == 19


def test_docx_figures_are_pictures_with_words(docx_body: bytes) -> None:
    document = docx.Document(io.BytesIO(docx_body))
    assert len(document.inline_shapes) == 1
    properties = document.inline_shapes[0]._inline.docPr
    assert properties.get("descr") == sample()["figures"][0]["alt"]


def test_the_reference_document_does_not_depend_on_the_time() -> None:
    with zipfile.ZipFile(io.BytesIO(reference_docx.build())) as package:
        assert {entry.date_time for entry in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_every_inner_docx_link_has_its_bookmark(docx_body: bytes) -> None:
    xml = zipfile.ZipFile(io.BytesIO(docx_body)).read("word/document.xml").decode()
    targets = set(re.findall(r'<w:hyperlink w:anchor="([^"]+)"', xml))
    assert targets == {"ref-k1", "ref-k2", "ref-k3"}
    assert targets | {"claim-c1", "finding-f1", "section-s1", "figure-g1", "table-t1"} <= set(
        re.findall(r'<w:bookmarkStart [^>]*w:name="([^"]+)"', xml)
    )


def test_docx_loads_nothing_from_elsewhere(docx_body: bytes) -> None:
    package = zipfile.ZipFile(io.BytesIO(docx_body))
    for name in package.namelist():
        if name.endswith(".rels"):
            for relation in re.findall(r"<Relationship [^>]*>", package.read(name).decode()):
                assert "External" not in relation or "/hyperlink" in relation


@pytest.fixture(scope="module")
def markdown_source() -> str:
    return rendered("markdown").body.decode()


def test_markdown_front_matter_names_the_document(markdown_source: str) -> None:
    assert markdown_source.startswith('---\ntitle: "Pressure and the boiling point of water"\n')
    assert 'session_id: "01981f2e-7c3a-7b52-9d7e-0a4c6f1b2d3e"\n' in markdown_source


def test_markdown_inner_links_have_their_targets(markdown_source: str) -> None:
    targets = set(re.findall(r"\]\(#([^)]+)\)", markdown_source))
    assert targets == {"ref-k1", "ref-k2", "ref-k3"}
    assert targets <= set(re.findall(r'<a id="([^"]+)"></a>', markdown_source))
