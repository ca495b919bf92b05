"""From what callers send to documents: pure, and the only place where a document is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from kit.errors import ValidationError
from kit.times import Instant
from services.library.domain import (
    JSON,
    Document,
    Draft,
    Source,
    Status,
    derived_title,
    sha256_of_text,
)
from services.library.errors import DocumentUnreadable
from services.library.holdings import Arrival
from services.library.parsing.document import Kind, ParsedDocument
from services.library.parsing.facts import TITLE_MAX, clean_doi, split_authors, title_from_filename, year_of
from services.library.parsing.kinds import named_kind
from services.library.parsing.normalise import normalise, one_line
from services.library.streams import File

_URL = re.compile(r"https?://[^\s\"<>\\^`{|}]+")
_URL_MAX = 2048
_NAMES_MAX = 100
UNKNOWN_KIND = "unknown"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose a new document is, its id and when it comes; a session's when it was given to one."""

    document_id: str
    owner: str
    at: Instant
    session_id: str | None = None


def from_draft(draft: Draft, place: Place, prefix: str = "") -> Arrival:
    """A document from a text. Raises ValidationError naming the fields after `prefix`.

    The metadata's `authors`, `year`, `doi` and `url` are also taken as what a citation shows of them.
    """
    draft.check(prefix)
    text = normalise(draft.text)
    if not text.strip():
        raise ValidationError.of(f"{prefix}text", "must not be blank")
    authors, year, doi, url = _cited(draft.metadata)
    document = Document(
        document_id=place.document_id,
        owner=place.owner,
        title=one_line(draft.title)[:TITLE_MAX] or derived_title(text),
        kind=Kind.TEXT.value,
        status=Status.READY,
        created_at=place.at,
        text_sha256=sha256_of_text(text),
        characters=len(text),
        authors=authors,
        year=year,
        doi=doi,
        url=url,
        external_id=draft.external_id,
        metadata=draft.metadata,
        source=Source(size=len(text.encode())),
        session_id=place.session_id,
    )
    return Arrival(document, text)


def from_file(file: File, parsed: ParsedDocument, place: Place, title: str = "") -> Arrival:
    """A document from a file that was read; a `title` goes before the file's own."""
    document = Document(
        document_id=place.document_id,
        owner=place.owner,
        title=one_line(title)[:TITLE_MAX] or parsed.title or derived_title(parsed.text),
        kind=parsed.kind.value,
        status=Status.READY,
        created_at=place.at,
        text_sha256=sha256_of_text(parsed.text),
        characters=len(parsed.text),
        pages=parsed.pages,
        authors=parsed.authors,
        year=parsed.year,
        doi=parsed.doi,
        is_dataset=parsed.is_dataset,
        problems=parsed.problems,
        source=_source(file),
        session_id=place.session_id,
        csl=parsed.csl,
        tables=parsed.tables,
        works=parsed.works,
        url=_link(parsed.csl.get("URL")),
    )
    return Arrival(document, parsed.text)


def from_unreadable(file: File, error: DocumentUnreadable, place: Place) -> Arrival:
    """What is kept of a file that could not be read: the file and the reason."""
    kind = named_kind(file.filename, file.content_type)
    document = Document(
        document_id=place.document_id,
        owner=place.owner,
        title=title_from_filename(file.filename) or PurePath(file.filename).name,
        kind=kind.value if kind else UNKNOWN_KIND,
        status=Status.UNREADABLE,
        created_at=place.at,
        text_sha256="",
        characters=0,
        problems=(error.message or "The file cannot be read.",),
        source=_source(file),
        session_id=place.session_id,
    )
    return Arrival(document, "")


def _source(file: File) -> Source:
    return Source(file.filename, file.content_type[:255], file.sha256, file.size)


def _cited(metadata: Mapping[str, JSON]) -> tuple[tuple[str, ...], int | None, str, str]:
    """Authors, year, DOI and URL as far as they are well-formed."""
    authors, year, doi, url = (metadata.get(key) for key in ("authors", "year", "doi", "url"))
    names: tuple[str, ...] = ()
    if isinstance(authors, str):
        names = split_authors(authors)
    elif isinstance(authors, list):
        given = (one_line(name)[:200] for name in authors[:_NAMES_MAX] if isinstance(name, str))
        names = tuple(name for name in given if name)
    number = year_of(str(year).removesuffix(".0")) if isinstance(year, str | int | float) else None
    return names, number, clean_doi(doi) if isinstance(doi, str) else "", _link(url)


def _link(url: object) -> str:
    """A well-formed address, else nothing."""
    link = url.strip() if isinstance(url, str) else ""
    return link if len(link) <= _URL_MAX and _URL.fullmatch(link) else ""
