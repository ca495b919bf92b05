"""The words of finished files, read with real readers."""

from __future__ import annotations

import io
import re
import unicodedata

import docx
import pypdf
from lxml import etree

_DROPPED = re.compile(r"[\s\u00ad\u200b\u2010\-]+")


def squeezed(text: str) -> str:
    """`text` without white space, hyphens and compatibility forms, which line breaking and ligatures change."""
    return _DROPPED.sub("", unicodedata.normalize("NFKC", text))


def pdf_text(body: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(body)).pages)


def docx_text(body: bytes) -> str:
    """All text of the document's body, in order, tables included, then that of its footnotes."""
    document = docx.Document(io.BytesIO(body))
    roots = [document.element.body]
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/footnotes"):
            roots.append(etree.fromstring(relation.target_part.blob))
    paragraphs = (paragraph for root in roots for paragraph in root.iter(_PARAGRAPH))
    return "\n".join("".join(run.text or "" for run in paragraph.iter(_TEXT)) for paragraph in paragraphs)


def markdown_text(body: bytes) -> str:
    """The text a reader of the rendered Markdown sees, as pandoc understands it."""
    import pypandoc

    return str(pypandoc.convert_text(body.decode(), "plain", format="commonmark_x-smart", extra_args=["--wrap=none"]))


_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TEXT = f"{_WORD}t"
_PARAGRAPH = f"{_WORD}p"
