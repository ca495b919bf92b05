"""A result document in all formats, as the product writes them, and what a reader finds in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.results.rendering.composing.compose import compose
from services.results.rendering.document import ResultDocument
from services.results.rendering.markdown.writer import markdown
from services.results.rendering.pdf.writer import pdf
from services.results.rendering.word.writer import docx
from tests.injection.faults import markdown_tree, words
from tests.roundtrip.comparing import Finished
from tests.support.golden_files import docx_structure, pdf_structure
from tests.support.pdf_contents import pdf_contents
from tests.unit.rendering.reading import docx_text

JSON = dict[str, Any]


def written(source: JSON, metadata: JSON | None, *, style: str, language: str) -> dict[str, bytes]:
    """The document's files by format."""
    report = compose(ResultDocument.parse(source), metadata, citation_style=style, language=language)
    return {
        "pdf": pdf(report, timestamp=0),
        "docx": docx(report, timestamp=0),
        "markdown": markdown(report).encode(),
    }


def finished(source: JSON, metadata: JSON | None, *, style: str, language: str) -> dict[str, Finished]:
    """The document's texts by format."""
    return read(written(source, metadata, style=style, language=language))


def unsound(files: Mapping[str, bytes]) -> list[str]:
    """What is wrong with the build of a PDF or a Word document: syntax, fonts, tags, parts, links."""
    found = []
    for name, look in (("pdf", pdf_structure), ("docx", docx_structure)):
        try:
            look(files[name])
        except AssertionError as fault:
            found.append(f"{name}: {fault}")
    return found


def read(files: Mapping[str, bytes]) -> dict[str, Finished]:
    """The texts of finished files by format."""
    readers = {"pdf": pdf_contents, "docx": docx_text, "markdown": _markdown_text}
    return {name: Finished(readers[name](body), page=name == "pdf") for name, body in files.items()}


def _markdown_text(body: bytes) -> str:
    return words(markdown_tree(body.decode(), "commonmark_x-smart"))
