"""When two documents are the same work, and when they are the same content: keys that are equal then, and only then."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.library.domain import Document

_WORD = re.compile(r"[^\W_]+")
_TITLE_WORDS = 4
"""A title of fewer words ("Introduction", "Annual report 2020") is many works' title."""


def work_keys(*, doi: str, title: str, authors: Sequence[str], year: int | None) -> tuple[str, ...]:
    """The keys of a work: its DOI; a title of four words or more with the first author's family name and the year.
    Documents that share a key are the same work; none is known by its title alone."""
    keys: list[str] = []
    if doi:
        keys.append(f"doi:{doi.lower()}")
    words = _words(title)
    # The last word: "Jane Doe", "J. Doe" and "Doe" are the same first author.
    family = _words(authors[0])[-1:] if authors else []
    if len(words) >= _TITLE_WORDS and family and year is not None:
        keys.append(f"title:{_digest(' '.join(words))}:{family[0]}:{year}")
    return tuple(keys)


def content_key(document: Document) -> str:
    """Equal for documents that are copies of each other; "" for one that is never merged, since its external id says
    which document it is. A file is its bytes, read as the same kind; a text is its title, its text and its metadata."""
    if document.external_id is not None or document.session_id is not None:
        return ""
    if document.source.sha256:
        return f"file:{document.kind}:{document.status.value}:{document.source.sha256}"
    said = json.dumps([document.title, document.metadata], ensure_ascii=False, sort_keys=True)
    return f"text:{document.text_sha256}:{_digest(said)}"


def _words(text: str) -> list[str]:
    """Words in lower case without accents."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return _WORD.findall(plain.lower())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
