"""Documents of a library and the rules they keep.

A document never changes: what replaces it is another document with an id of its own, so that a quote
taken from the first stands at its offsets for as long as something cites it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kit.errors import Fault, ValidationError
from kit.times import Instant
from services.library.places import CSL, Table, Work
from services.library.works import work_keys

TITLE_MAX = 500
TEXT_MAX = 20_000_000
EXTERNAL_ID_MAX = 255
METADATA_MAX_BYTES = 16 * 1024
METADATA_MAX_DEPTH = 16
_DERIVED_TITLE = 100

JSON = Any
"""A JSON value: None, bool, a number, str, a list, or a dict with string keys."""


class Status(StrEnum):
    """`ready`: read and searchable. `unreadable`: stored as it came, no text could be had."""

    READY = "ready"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document came from: the file's name, its type as sent and its bytes, by their SHA-256."""

    filename: str = ""
    content_type: str = ""
    sha256: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A page of the stored text, in code points, end exclusive."""

    page: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """A document of one owner. `session_id` is set for what a session was given inline: it belongs to
    that session alone and is no part of the library. `text_sha256` is of the stored text in UTF-8.

    `csl` is the document as a CSL-JSON item as far as it is known, `works` are those that a bibliography lists.
    `source_url` is where it was fetched. `same_work_as`, the first document of the library that is the same work, and
    `duplicate_of`, for an answer to content that was there, are no part of what is stored of it.
    """

    document_id: str
    owner: str
    title: str
    kind: str
    status: Status
    created_at: Instant
    text_sha256: str
    characters: int
    pages: tuple[Span, ...] = ()
    authors: tuple[str, ...] = ()
    year: int | None = None
    doi: str = ""
    url: str = ""
    is_dataset: bool = False
    problems: tuple[str, ...] = ()
    external_id: str | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    source: Source = field(default_factory=Source)
    session_id: str | None = None
    csl: CSL = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    works: tuple[Work, ...] = ()
    source_url: str = ""
    same_work_as: str = ""
    duplicate_of: str = ""

    @property
    def work_keys(self) -> tuple[str, ...]:
        """Documents that share one of these are the same work."""
        return work_keys(doi=self.doi, title=self.title, authors=self.authors, year=self.year)

    @property
    def searchable(self) -> bool:
        """Whether a search of the library may find it."""
        return self.status is Status.READY and self.session_id is None and self.characters > 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A text as a caller gives it. The title may be blank: then the text's beginning stands for it."""

    title: str
    text: str
    external_id: str | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)

    def check(self, prefix: str = "") -> None:
        """Raise ValidationError with every broken rule; `prefix` goes before the field names."""
        faults = [*self._faults()]
        if faults:
            raise ValidationError(Fault(prefix + fault.field, fault.issue) for fault in faults)

    def _faults(self) -> list[Fault]:
        faults: list[Fault] = []
        if len(self.title) > TITLE_MAX:
            faults.append(Fault("title", f"must be at most {TITLE_MAX} characters"))
        if not self.text.strip():
            faults.append(Fault("text", "must not be blank"))
        elif len(self.text) > TEXT_MAX:
            faults.append(Fault("text", f"must be at most {TEXT_MAX:,} characters"))
        if self.external_id is not None and not _is_external_id(self.external_id):
            faults.append(Fault("external_id", f"must be 1 to {EXTERNAL_ID_MAX} printable characters"))
        faults.extend(metadata_faults(self.metadata))
        return faults


def draft_of(value: JSON, prefix: str = "") -> Draft:
    """A draft from an object as it stands on a line of a batch: `{title?, text, external_id?, metadata?}`.

    Raises ValidationError with every broken rule.
    """
    if not isinstance(value, dict):
        raise ValidationError.of(prefix.rstrip(".") or "body", "must be a JSON object")
    faults = [Fault(f"{prefix}{name}", "is not a known field") for name in value if name not in _DRAFT_FIELDS]
    for name, kinds in _DRAFT_FIELDS.items():
        if value.get(name) is not None and not isinstance(value[name], kinds):
            wanted = "an object" if kinds is dict else "a string"
            faults.append(Fault(prefix + name, f"must be {wanted}"))
    if value.get("text") is None:
        faults.append(Fault(f"{prefix}text", "is required"))
    if faults:
        raise ValidationError(faults)
    draft = Draft(value.get("title") or "", value["text"], value.get("external_id"), value.get("metadata") or {})
    draft.check(prefix)
    return draft


_DRAFT_FIELDS: Mapping[str, type] = {"title": str, "text": str, "external_id": str, "metadata": dict}


def metadata_faults(metadata: Mapping[str, JSON], field_name: str = "metadata") -> list[Fault]:
    """What is wrong with a metadata object: its size as compact JSON, and how deep it is nested."""
    if not _within_depth(metadata, METADATA_MAX_DEPTH):
        return [Fault(field_name, f"must be nested at most {METADATA_MAX_DEPTH} levels deep")]
    size = len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
    if size > METADATA_MAX_BYTES:
        return [Fault(field_name, f"must be at most {METADATA_MAX_BYTES:,} bytes as JSON")]
    return []


def sha256_of_text(text: str) -> str:
    """The digest that citations carry: SHA-256 of the stored text in UTF-8, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_of_bytes(data: bytes) -> str:
    """SHA-256 of a file as uploaded, in hex."""
    return hashlib.sha256(data).hexdigest()


def derived_title(text: str) -> str:
    """A title for a text that came without one: its first words, cut between words."""
    words = " ".join(text[: 4 * _DERIVED_TITLE].split())
    if len(words) <= _DERIVED_TITLE:
        return words
    return words[:_DERIVED_TITLE].rsplit(" ", 1)[0] + "…"


def same_content(old: Document, new: Document) -> bool:
    """Whether replacing `old` would change nothing: then the old document stays, with its id."""
    return (
        old.status is new.status
        and old.title == new.title
        and old.kind == new.kind
        and old.text_sha256 == new.text_sha256
        and old.source.sha256 == new.source.sha256
        and dict(old.metadata) == dict(new.metadata)
    )


def _is_external_id(value: str) -> bool:
    return 1 <= len(value) <= EXTERNAL_ID_MAX and value.isprintable() and value == value.strip()


def _within_depth(value: JSON, levels: int) -> bool:
    """Level by level rather than by recursion: the value is a stranger's."""
    level: list[JSON] = [value]
    for _ in range(levels):
        nested = [
            child
            for each in level
            for child in (each.values() if isinstance(each, Mapping) else each)
            if isinstance(child, Mapping | list)
        ]
        if not nested:
            return True
        level = nested
    return False
