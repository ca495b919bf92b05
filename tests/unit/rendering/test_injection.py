"""Content is data: whatever a text says, it comes out as that text, in every format and every field."""

from __future__ import annotations

import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pypandoc
import pypdf
import pytest

from services.results.rendering.document import ResultDocument
from services.results.rendering.filenames import safe_filename
from services.results.rendering.plain_text import clean
from services.results.rendering.render import render
from services.results.rendering.rendition import Format
from tests.unit.rendering.payloads import PAYLOADS
from tests.unit.rendering.reading import docx_text, pdf_text, squeezed

_SEPARATOR = " \u2042 "
_OWN_LINK = re.compile(r"#ref-k\d+|http://plain\.example/path\?x=1&y=2")
_OWN_TAG = re.compile(r'<a id="[a-z]+-[A-Za-z0-9-]+">|</a>')


def _document() -> dict[str, Any]:
    """Every payload in every kind of field."""
    indexed = list(enumerate(PAYLOADS))
    last = len(PAYLOADS) - 1
    return {
        "title": _SEPARATOR.join(PAYLOADS),
        "summary": "\n\n".join(f"{payload} s{index}e" for index, payload in indexed),
        "sections": [
            {
                "id": f"s{index} {payload}",
                "heading": payload,
                "body": payload,
                # Not what the key finding cites: the text stands in both places then.
                "claims": [{"id": f"c{index} {payload}", "text": payload, "citations": [f"k{last - index}"]}],
            }
            for index, payload in indexed
        ],
        "key_findings": [
            {"id": f"f{index}", "text": payload, "quote": payload, "citations": [f"k{index}"], "confidence": 0.5}
            for index, payload in indexed
        ],
        "tables": [
            {"id": "t0", "title": _SEPARATOR.join(PAYLOADS), "columns": ["n", *PAYLOADS[:2]],
             "rows": [[index, payload, payload] for index, payload in indexed]},
        ],
        "figures": [
            {"id": f"g{index}", "title": payload, "alt": payload, "spec": {"mark": payload}}
            for index, payload in indexed
        ],
        "screening": {"notes": list(PAYLOADS), "facts": {payload: payload for payload in PAYLOADS}},
        "citations": [
            {
                "id": f"k{index}", "title": payload, "authors": [payload], "year": 2000, "doi": payload, "url": payload,
                "csl": {"type": payload, "container-title": payload, "publisher": payload, "DOI": payload},
                "passages": [{"quote": payload, "page": 1, "start": 0, "end": len(payload), "sha256": payload}],
            }
            for index, payload in indexed
        ],
    }  # fmt: skip


_METADATA = {"session_id": "sid", "prompt": _SEPARATOR.join(PAYLOADS[::-1]), "finished_at": "2025-07-02T10:31:40Z"}


def _rendered(format: Format) -> bytes:
    return render(
        format, ResultDocument.parse(_document()), _METADATA,
        session_id="sid", citation_style="ieee", language="en",
    ).body  # fmt: skip


@pytest.fixture(scope="module")
def docx_body() -> bytes:
    return _rendered("docx")


@pytest.fixture(scope="module")
def pdf_body() -> bytes:
    return _rendered("pdf")


@pytest.fixture(scope="module")
def markdown_body() -> bytes:
    return _rendered("markdown")


def _shown(payload: str) -> str:
    return squeezed(clean(payload).replace("\ufffd", ""))


def _drawable(payload: str) -> bool:
    """Whether a reader gives the PDF's text back as it was: not so without a font, from right to left, or with
    combining marks."""
    return all(
        (character < "\u0590" or "\u2010" < character < "\u2028") and not unicodedata.combining(character)
        for character in clean(payload)
    )


def test_docx_shows_every_payload_in_every_place(docx_body: bytes) -> None:
    text = squeezed(docx_text(docx_body).replace("\ufffd", ""))
    for payload in PAYLOADS:
        assert text.count(_shown(payload)) >= 12, payload


def test_pdf_shows_every_payload_in_every_place(pdf_body: bytes) -> None:
    text = squeezed(pdf_text(pdf_body).replace("\ufffd", ""))
    checked = [payload for payload in PAYLOADS if _drawable(payload)]
    assert len(checked) > 80
    for payload in checked:
        assert text.count(_shown(payload)) >= 12, payload


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "t" in node:
            yield node
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        for item in node:
            yield from _walk(item)


@pytest.mark.parametrize("dialect", ["commonmark", "gfm-autolink_bare_uris", "commonmark_x-smart", "markdown-smart"])
def test_markdown_shows_every_payload_and_nothing_else(markdown_body: bytes, dialect: str) -> None:
    # Without the front matter, which is not CommonMark; it has a test of its own.
    source = markdown_body.decode().split("\n---\n", 1)[1]
    tree = json.loads(pypandoc.convert_text(source, "json", format=dialect))
    words: list[str] = []
    for node in _walk(tree["blocks"]):
        match node["t"]:
            case "Str" | "Code":
                words.append(node["c"] if isinstance(node["c"], str) else node["c"][1])
            case "Link":
                assert _OWN_LINK.fullmatch(node["c"][2][0]), node
            case "RawInline":
                assert _OWN_TAG.fullmatch(node["c"][1]), node
            case "Image" | "RawBlock" | "Note" | "Math" | "CodeBlock" | "Cite" | "HorizontalRule" | "DefinitionList":
                pytest.fail(f"{node}")
    text = squeezed("".join(words).replace("\ufffd", ""))
    for payload in PAYLOADS:
        assert text.count(_shown(payload)) >= 12, payload


def test_front_matter_holds_the_title_as_a_string(markdown_body: bytes) -> None:
    import yaml

    front = yaml.safe_load(markdown_body.decode().split("\n---\n", 1)[0].removeprefix("---\n"))
    assert set(front) == {"title", "lang", "date", "session_id", "partial"}
    assert _shown(front["title"]) == _shown(_SEPARATOR.join(PAYLOADS))


def test_pdf_holds_nothing_active(pdf_body: bytes) -> None:
    reader = pypdf.PdfReader(io.BytesIO(pdf_body))
    root: Any = reader.trailer["/Root"]
    assert not {"/OpenAction", "/AA", "/AcroForm"} & set(root)
    assert "/EmbeddedFiles" not in root.get("/Names", {})
    for page in reader.pages:
        annotations: Any = page.get("/Annots", [])
        for annotation in annotations:
            action = annotation.get_object().get("/A", {})
            assert action.get("/S", "/GoTo") == "/GoTo" or action["/URI"].startswith("http://plain.example/path")


def test_docx_holds_nothing_active(docx_body: bytes) -> None:
    package = zipfile.ZipFile(io.BytesIO(docx_body))
    word = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    active = {f"{word}{name}" for name in ("fldSimple", "altChunk", "object", "control", "subDoc")}
    for name in package.namelist():
        if name.endswith((".xml", ".rels")):
            tree = ElementTree.fromstring(package.read(name))
            assert not active & {element.tag for element in tree.iter()}
            if name.endswith(".rels"):
                outside = [item.get("Target") for item in tree if item.get("TargetMode") == "External"]
                assert all(str(target).startswith("http://plain.example/path") for target in outside)
    document = ElementTree.fromstring(package.read("word/document.xml"))
    assert list(document.iter(f"{word}instrText")) == []


def test_json_holds_every_payload_as_it_was() -> None:
    answer = json.loads(_rendered("json"))
    assert answer["results"]["key_findings"] == _document()["key_findings"]
    assert answer["citations"] == _document()["citations"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_makes_a_path(payload: str) -> None:
    name = safe_filename(payload, "pdf")
    assert not {"/", "\\"} & set(name)
    assert not name.startswith(".")
