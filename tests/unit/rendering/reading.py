"""The words of finished files, read with real readers."""

from __future__ import annotations

import io
import re
import unicodedata

import docx
import pypdf

_DROPPED = re.compile(r"[\s\u00ad\u200b\u2010\-]+")


def squeezed(text: str) -> str:
    """`text` without white space, hyphens and compatibility forms, which line breaking and ligatures change."""
    return _DROPPED.sub("", unicodedata.normalize("NFKC", text))


def pdf_text(body: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(body)).pages)


def docx_text(body: bytes) -> str:
    """All text of the document's body, in order, tables included."""
    document = docx.Document(io.BytesIO(body))
    return "\n".join("".join(run.text or "" for run in p.iter(_TEXT)) for p in document.element.body.iter(_PARAGRAPH))


def markdown_text(body: bytes) -> str:
    """The text a reader of the rendered Markdown sees, as pandoc understands it."""
    import pypandoc

    return str(pypandoc.convert_text(body.decode(), "plain", format="commonmark_x-smart", extra_args=["--wrap=none"]))


_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_TEXT = f"{_WORD}t"
_PARAGRAPH = f"{_WORD}p"
