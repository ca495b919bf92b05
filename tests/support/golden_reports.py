"""Reports of every session type as readable text, and what their files are made of, as they were looked at:
``python -m tests.support.golden_reports`` writes them anew. After a change that is meant, read what is different, and
say in the change what it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from services.results.rendering.composing.compose import compose
from services.results.rendering.composing.report import Report
from services.results.rendering.document import ResultDocument
from tests.support.golden_files import files
from tests.support.report_documents import DOCUMENTS, facts
from tests.support.report_text import dump

FOLDER = Path(__file__).parent.parent / "unit" / "rendering" / "golden"
COMMAND = "python -m tests.support.golden_reports"


def reports() -> Iterator[tuple[str, Report]]:
    """Each report with the name of its file."""
    for name, (kind, document, style, language) in DOCUMENTS.items():
        parsed = ResultDocument.parse(document())
        yield name, compose(parsed, facts(kind), citation_style=style, language=language)


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, report in reports():
        for ending, text in {"txt": dump(report), **files(report, DOCUMENTS[name][2])}.items():
            (FOLDER / f"{name}.{ending}").write_text(text, encoding="utf-8")
    print(f"{len(DOCUMENTS)} reports written; read them before they are kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
