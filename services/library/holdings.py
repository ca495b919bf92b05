"""What a library holds, how it changes, and what others make of it: the values that use cases and ports share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kit.errors import Fault
from services.library.domain import Document, Span


@dataclass(frozen=True, slots=True)
class Arrival:
    """A document about to be stored, with its text."""

    document: Document
    text: str


class Change(StrEnum):
    """What storing an arrival came to. The values are part of the public contract (a batch's `change`)."""

    CREATED = "created"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Stored:
    """The document that now stands for an arrival: an unchanged one keeps the id it had."""

    document: Document
    change: Change


def unused(arrivals: Sequence[Arrival], stored: Sequence[Document]) -> list[Document]:
    """Of the arrivals those for which another document stands: nothing of them is kept."""
    return [
        arrival.document
        for arrival, document in zip(arrivals, stored, strict=True)
        if arrival.document.document_id != document.document_id
    ]


@dataclass(frozen=True, slots=True)
class Held:
    """A document as it is kept; a deleted one is for sessions that cite it."""

    document: Document
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class LibraryState:
    """An owner's library in figures. `usable` documents can be read by a session that names none; `characters` are
    theirs. `snapshot` is the key of the saved index, complete up to `snapshot_revision`."""

    revision: int = 0
    documents: int = 0
    usable: int = 0
    characters: int = 0
    snapshot: str = ""
    snapshot_revision: int = 0


@dataclass(frozen=True, slots=True)
class Indexable:
    """What an index needs to know of a document beside its text; `gone` takes it out."""

    document_id: str
    title: str
    characters: int = 0
    pages: tuple[Span, ...] = ()
    is_dataset: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found: `quote` is `text[start:end]` of the stored text, in code points."""

    document_id: str
    external_id: str | None
    title: str
    score: float
    quote: str
    page: int | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class InlineDataset:
    """A table given in a request; `kind` is "csv" or "json"."""

    name: str
    content: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class InlineDocument:
    """A text given in a request."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A document of the library, by its id."""

    document_id: str


@dataclass(frozen=True, slots=True)
class Address:
    """Something on the web."""

    url: str


DocumentInput = InlineDocument | Reference | Address
DatasetInput = InlineDataset | Reference | Address


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a new session is to work on. `dry_run` checks and measures, and stores nothing."""

    session_id: str
    owner: str
    documents: Sequence[DocumentInput] = ()
    datasets: Sequence[DatasetInput] = ()
    use_library: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class PreparedInput:
    """An input that can be used; the id is empty where nothing was stored. `size` is in bytes."""

    document_id: str
    title: str
    kind: str
    characters: int
    size: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """All inputs, and the library's usable documents where it was asked for. Where there are `faults`, which name
    the fields of the REST request, nothing was stored."""

    documents: Sequence[PreparedInput] = ()
    datasets: Sequence[PreparedInput] = ()
    faults: Sequence[Fault] = ()
    library_documents: int = 0
    library_characters: int = 0


@dataclass(frozen=True, slots=True)
class WorksWanted:
    """What a worker asks connectors for: at most `limit_each` works of each; no names mean all that are enabled."""

    query: str
    connectors: Sequence[str]
    limit_each: int
    full_text: bool


@dataclass(frozen=True, slots=True)
class GatheredWork:
    """A document of the session and the connectors that found it; `full_text` where it holds more than an abstract."""

    document: Document
    connectors: tuple[str, ...]
    full_text: bool


@dataclass(frozen=True, slots=True)
class AskedConnector:
    """What came of one connector: works found, those of them that the session's sources hold already, and what went
    wrong, in words for the session's reader; "" for nothing."""

    connector: str
    found: int
    held: int
    problem: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """Works, best first, and what came of each connector."""

    works: Sequence[GatheredWork]
    asked: Sequence[AskedConnector]
