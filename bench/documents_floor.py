"""What the typesetter alone takes for six pages: the report's words as bare paragraphs, without notes, links, headings,
tables, figures, tags or an archivable kind. No report with all of these can be made faster than that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import orjson

from bench import documents_report

_SOURCE = b"""
#let data = json(bytes(sys.inputs.data))
#set page(paper: "a4", margin: (top: 27mm, bottom: 28mm, x: 29mm))
#set text(font: "Libertinus Serif", size: 10.5pt)
#set par(justify: true, leading: 0.66em, spacing: 1.15em)
#for words in data { par(words) }
"""


def typst_alone() -> Callable[[int], bytes]:
    """Another report each time."""
    import typst

    compiler = typst.Compiler(font_paths=typst.Fonts(include_system_fonts=False))

    def make(number: int) -> bytes:
        words = orjson.dumps(list(_words(documents_report.result_document(number)))).decode()
        return cast("bytes", compiler.compile(_SOURCE, format="pdf", sys_inputs={"data": words}, pdf_tags=False))

    return make


def _words(document: dict[str, Any]) -> Iterator[str]:
    """Paragraphs of the words that the report shows: some six pages."""
    yield from document["summary"].split("\n\n")
    for finding in document["key_findings"]:
        yield finding["text"]
        yield finding["quote"]
    for section in document["sections"]:
        yield section["heading"]
        yield from section["body"].split("\n\n")
        yield from (claim["text"] for claim in section["claims"])  # As their notes do.
    for table in document["tables"]:
        yield from (" ".join(map(str, row)) for row in (table["columns"], *table["rows"]))
    for citation in document["citations"]:
        yield f"{'; '.join(citation['authors'])} ({citation['year']}): {citation['title']}. {citation['doi']}"
        yield from (f"“{passage['quote']}” {passage['sha256']}" for passage in citation["passages"])
