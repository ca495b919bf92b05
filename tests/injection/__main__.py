"""`python -m tests.injection`: each hostile text in each field of a result document, in every format.

    python -m tests.injection [--seconds 60] [--seed 1] [--batch 12]

Texts go through in batches, a batch in all fields of one document; once all went through, they come in another order,
with other neighbours, another citation style and another language. Ends with 1 when a reopened file holds anything that
acts, links or stands where it must not, or lacks a text.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from time import monotonic
from typing import Any

from services.results.rendering.composing.compose import compose
from services.results.rendering.document import ResultDocument
from services.results.rendering.filenames import content_disposition, safe_filename
from services.results.rendering.markdown.writer import markdown
from services.results.rendering.packing.raw_data import archive
from services.results.rendering.pdf.writer import pdf
from services.results.rendering.word.writer import docx
from tests.injection import carriers, faults
from tests.injection.looking import headings, links, missing
from tests.support.pdf_contents import pdf_contents
from tests.unit.rendering.payloads import PAYLOADS
from tests.unit.rendering.reading import docx_text

_STYLES = ("ieee", "apa", "vancouver", "nature", "chicago", "harvard")
_LANGUAGES = ("en", "de", "fr", "es")
_DIALECTS = ("commonmark", "gfm-autolink_bare_uris", "commonmark_x-smart", "markdown-smart")
# Author-date styles put titles into their own order and case; numeric ones keep what a text says together.
_WORD_FOR_WORD = ("ieee", "vancouver", "nature")


def main() -> int:
    """0 when every text was nothing but text."""
    parser = argparse.ArgumentParser(prog="python -m tests.injection", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="begin no batch after so many")
    parser.add_argument("--seed", type=int, default=None, help="the same seed makes the same batches")
    parser.add_argument("--batch", type=int, default=12, help="texts in one document")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else secrets.randbelow(2**31)
    print(f"{len(PAYLOADS)} texts in {len(carriers.FIELDS)} fields, seed {seed}", flush=True)
    ends = monotonic() + given.seconds
    found: list[str] = []
    done = 0
    for number, batch in _batches(random.Random(seed), given.batch):
        if monotonic() > ends:
            break
        style, language = _STYLES[number % len(_STYLES)], _LANGUAGES[number % len(_LANGUAGES)]
        for fault in _faults(batch, style, language, dialect=_DIALECTS[number % len(_DIALECTS)]):
            found.append(f"{style}, {language}: {fault}")
            print(f"  {found[-1]}", flush=True)
        done += len(batch)
    fields = len(carriers.FIELDS)
    print(f"{done:,} texts, each in {fields} fields of 4 formats and a zip archive; faults: {len(found)}")
    return int(bool(found))


def _batches(chance: random.Random, size: int) -> Iterator[tuple[int, Sequence[str]]]:
    number = 0
    for _ in count():
        order = chance.sample(PAYLOADS, len(PAYLOADS))
        for start in range(0, len(order), size):
            yield number, order[start : start + size]
            number += 1


def _faults(batch: Sequence[str], style: str, language: str, *, dialect: str) -> Iterator[str]:
    write, items = carriers.everywhere(batch)
    source = carriers.document(write, items)
    document, allowed = ResultDocument.parse(source), links(PAYLOADS)
    try:
        report = compose(document, carriers.metadata(write), citation_style=style, language=language)
        files: dict[str, Any] = {
            "pdf": pdf(report, timestamp=0),
            "docx": docx(report, timestamp=0),
            "markdown": markdown(report),
        }
        name = safe_filename(document.title, "pdf")
        packed = archive(document, None, "s", carriers.raw_data(write, items), (name, files["pdf"]))
    except Exception as error:  # A text that ends a rendering is a fault like any other.
        yield f"{type(error).__name__}: {error} with {list(batch)!r}"
        return
    tree = faults.markdown_tree(files["markdown"], dialect)
    yield from (f"pdf: {fault}" for fault in faults.pdf_faults(files["pdf"], allowed))
    yield from (f"docx: {fault}" for fault in faults.docx_faults(files["docx"], allowed))
    yield from (f"{dialect}: {it}" for it in faults.markdown_faults(tree, allowed, headings=headings(report)))
    yield from (f"zip: {fault}" for fault in faults.zip_faults(packed))
    yield from faults.header_faults(content_disposition(name))
    read = {"docx": docx_text(files["docx"]), dialect: faults.words(tree), "pdf": pdf_contents(files["pdf"])}
    for place, text in read.items():
        for field, payload in missing(text, batch, 1, drawn=place == "pdf"):
            if style in _WORD_FOR_WORD or not field.startswith(("citation.", "csl.")):
                yield f"{place}: {field} lacks {payload!r}"


if __name__ == "__main__":
    sys.exit(main())
