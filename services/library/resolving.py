"""A new session's inputs, one by one: what each names or holds, or what is wrong with it."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from kit.errors import Fault, ValidationError
from kit.ids import is_uuid
from kit.times import Instant
from services.library.addressed import Addressed, Unusable
from services.library.domain import TITLE_MAX, Document, Draft, Status
from services.library.errors import DocumentUnreadable
from services.library.holdings import (
    Address,
    Arrival,
    DatasetInput,
    DocumentInput,
    Held,
    InlineDataset,
    InlineDocument,
    Inputs,
    Reference,
)
from services.library.ingest import Place, from_draft, from_file
from services.library.parsing.document import ParsedDocument
from services.library.parsing.tables import sniff_delimiter
from services.library.ports import Parser
from services.library.streams import UploadedFile, safe_filename

DOCUMENTS = "inputs.documents"
DATASETS = "inputs.datasets"
_FORMS = {"csv": ("csv", "text/csv; charset=utf-8"), "json": ("rows", "application/json")}
_UNKNOWN = "is not a document of yours"
_NO_TABLE = "must be a table: column names and at least one row"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A usable input. What was given inline has an `arrival`, and `raw` where it came as bytes."""

    document: Document
    arrival: Arrival | None = None
    raw: bytes | None = None


class Resolver:
    """Resolves the inputs of one session; what is wrong collects in `faults`."""

    def __init__(
        self,
        inputs: Inputs,
        known: Mapping[str, Held],
        linked: Set[str],
        fetched: Sequence[Document],
        parser: Parser,
        addressed: Addressed,
        now: Instant,
    ) -> None:
        """`known` are the documents that the inputs name, `linked` those that the session uses already: preparing
        again finds them even when they were deleted meanwhile. `fetched` are those that it has of addresses."""
        self.faults: list[Fault] = []
        self._inputs = inputs
        self._known = known
        self._linked = linked
        self._fetched_before = fetched
        self._parser = parser
        self._addressed = addressed
        self._now = now

    async def document(self, number: int, source: DocumentInput) -> Resolved | None:
        """None for a faulty one."""
        try:
            return await self._document(number, source)
        except ValidationError as error:
            self.faults += error.faults
            return None

    async def dataset(self, number: int, source: DatasetInput) -> Resolved | None:
        """None for a faulty one."""
        try:
            return await self._dataset(number, source)
        except ValidationError as error:
            self.faults += error.faults
            return None

    async def _document(self, number: int, source: DocumentInput) -> Resolved:
        field = f"{DOCUMENTS}[{number}]"
        match source:
            case Reference(document_id=document_id):
                return self._referred(f"{field}.document_id", document_id)
            case Address(url=url):
                return await self._fetched(DOCUMENTS, number, url)
            case InlineDocument(title=title, text=text):
                draft = Draft(title, text)
                arrival = await asyncio.to_thread(from_draft, draft, self._place(DOCUMENTS, number), f"{field}.")
                return Resolved(arrival.document, arrival)

    async def _dataset(self, number: int, source: DatasetInput) -> Resolved:
        field = f"{DATASETS}[{number}]"
        match source:
            case Reference(document_id=document_id):
                return self._referred(f"{field}.document_id", document_id, dataset=True)
            case Address(url=url):
                return await self._fetched(DATASETS, number, url)
            case InlineDataset():
                return await self._table(number, field, source)

    async def _fetched(self, role: str, number: int, url: str) -> Resolved:
        held = fetched_before(self._inputs, self._fetched_before, role, number, url)
        if held is not None:
            return Resolved(held)
        field = url_field(role, number)
        try:
            read = await self._addressed.read(field)
        except Unusable as error:
            raise ValidationError.of(field, error.issue) from None
        if role == DATASETS and not (read.parsed.is_dataset and await asyncio.to_thread(_has_rows, read.parsed)):
            raise ValidationError.of(field, _NO_TABLE)
        made = fetched_id(self._inputs.session_id, role, number, read.file.sha256)
        place = replace(self._place(role, number), document_id=made)
        arrival = await asyncio.to_thread(from_file, read.file, read.parsed, place)
        # What is cited says where it was found, unless it names an address of its own.
        csl = {"URL": url, **arrival.document.csl} if arrival.document.csl else arrival.document.csl
        document = replace(arrival.document, source_url=url, csl=csl)
        return Resolved(document, Arrival(document, arrival.text), read.file.data)

    async def _table(self, number: int, field: str, source: InlineDataset) -> Resolved:
        name, content_type = _FORMS[source.kind]
        if len(source.name) > TITLE_MAX:
            raise ValidationError.of(f"{field}.name", f"must be at most {TITLE_MAX} characters")
        title = source.name.strip() or f"Dataset {number + 1}"
        extension = f".{source.kind}"
        filename = safe_filename(title)
        if not filename.lower().endswith(extension):
            filename += extension
        file = UploadedFile("", filename, content_type, source.content)
        try:
            parsed = await self._parser.parse(file.data, filename=filename, content_type=content_type)
        except DocumentUnreadable as error:
            raise ValidationError.of(f"{field}.{name}", f"cannot be read as a table: {error.message}") from None
        if not await asyncio.to_thread(_has_rows, parsed):
            raise ValidationError.of(f"{field}.{name}", _NO_TABLE)
        arrival = await asyncio.to_thread(from_file, file, parsed, self._place(DATASETS, number), title)
        return Resolved(arrival.document, arrival, file.data)

    def _referred(self, field: str, document_id: str, *, dataset: bool = False) -> Resolved:
        held = self._known.get(document_id)
        if held is None or held.document.owner != self._inputs.owner:
            raise ValidationError.of(field, _UNKNOWN)
        document = held.document
        if held.deleted and document_id not in self._linked:
            raise ValidationError.of(field, _UNKNOWN)
        if document.status is not Status.READY:
            raise ValidationError.of(field, "could not be read: " + "; ".join(document.problems))
        if not document.characters:
            raise ValidationError.of(field, "holds no text")
        if dataset and not document.is_dataset:
            raise ValidationError.of(field, f"is not a dataset but a document of kind {document.kind}")
        return Resolved(document)

    def _place(self, role: str, number: int) -> Place:
        session_id = self._inputs.session_id
        # A moment apart, so that they keep their order wherever they are listed.
        at = Instant(self._now + number)
        return Place(inline_id(session_id, role, number), self._inputs.owner, at, session_id)


def url_field(role: str, number: int) -> str:
    """How faults name an input that is an address."""
    return f"{role}[{number}].url"


def addresses(inputs: Inputs) -> list[tuple[str, int, str]]:
    """The inputs that are addresses: role, number and URL."""
    entries = [(DOCUMENTS, number, each) for number, each in enumerate(inputs.documents)]
    tables = [(DATASETS, number, each) for number, each in enumerate(inputs.datasets)]
    return [(role, number, each.url) for role, number, each in (*entries, *tables) if isinstance(each, Address)]


def fetched_before(inputs: Inputs, fetched: Sequence[Document], role: str, number: int, url: str) -> Document | None:
    """What the session was given of this address when it was prepared before: it is not fetched again."""
    for document in fetched:
        if document.source_url == url and document.owner == inputs.owner:
            made = fetched_id(inputs.session_id, role, number, document.source.sha256)
            if document.document_id == made:
                return document
    return None


def fetched_id(session_id: str, role: str, number: int, sha256: str) -> str:
    """The id of what a session is given by its address. It depends on the bytes too: an address may give others the
    next moment, and of two preparations at a time neither may put its text behind the other's card."""
    return inline_id(session_id, f"{role}/{sha256}", number)


def inline_id(session_id: str, role: str, number: int) -> str:
    """The id of what a session is given inline: the same whenever it is prepared. A UUIDv7 with the session's time,
    the rest from a hash."""
    digest = hashlib.sha256(f"{session_id}/{role}/{number}".encode()).hexdigest()
    time = session_id[:13] if is_uuid(session_id) else f"{digest[32:40]}-{digest[40:44]}"
    variant = "89ab"[int(digest[3], 16) % 4]
    return f"{time}-7{digest[:3]}-{variant}{digest[4:7]}-{digest[7:19]}"


def _has_rows(parsed: ParsedDocument) -> bool:
    """Whether a table has a row beside its names. JSON was looked at by its parser."""
    if not parsed.is_dataset or parsed.kind != "csv":
        return parsed.is_dataset
    rows = 0
    try:
        for row in csv.reader(io.StringIO(parsed.text, newline=""), delimiter=sniff_delimiter(parsed.text)):
            rows += any(cell.strip() for cell in row)
            if rows > 1:
                return True
    except csv.Error:
        return False
    return False
