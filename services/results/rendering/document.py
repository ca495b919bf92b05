"""The result document: what an engine stored, parsed once and checked, as frozen values.

The JSON it comes from is kept beside the typed view (`ResultDocument.source`), because the JSON answers must give
back every field an engine wrote, also those this module knows nothing of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.results.rendering.reading import JSON, InvalidResultDocument, Node, unique

Cell = str | float | int | bool | None

# Members with a meaning of their own; everything else is a block that the session type added.
_KNOWN = frozenset(
    {
        "title",
        "partial",
        "summary",
        "confidence_score",
        "sections",
        "key_findings",
        "tables",
        "figures",
        "citations",
    }
)


@dataclass(frozen=True, slots=True)
class PassageRef:
    """A passage by its citation's id and its place in that citation's list, counted from 0."""

    citation: str
    passage: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of a section and the citations it rests on. `support` is the engine's own measure of it; `evidence`
    the passages it rests on, the most fitting first, None where the engine does not say."""

    id: str
    text: str
    citations: tuple[str, ...]
    support: JSON
    evidence: tuple[PassageRef, ...] | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """`body` is plain text; a blank line parts paragraphs."""

    id: str
    heading: str
    body: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class KeyFinding:
    """`quote` is verbatim from a cited passage; `confidence` is in 0..1; `figure` and `table` are ids of exhibits;
    `evidence` as of a claim; `dataset` is the name of the data that it was computed from."""

    id: str
    text: str
    quote: str | None
    citations: tuple[str, ...]
    confidence: float | None
    figure: str | None
    table: str | None
    evidence: tuple[PassageRef, ...] | None = None
    dataset: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Every row has as many cells as there are columns."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """`spec` is the drawing's source, a Vega-Lite specification with its data inline; `alt` says it in words."""

    id: str
    title: str
    alt: str
    spec: Mapping[str, JSON]
    media_type: str


@dataclass(frozen=True, slots=True)
class Passage:
    """`start` and `end` are 0-based code points in the stored text with hash `sha256`, end exclusive."""

    quote: str
    page: int | None
    start: int
    end: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A source. `csl` is its CSL-JSON item."""

    id: str
    document_id: str
    title: str
    authors: tuple[str, ...]
    year: int | None
    doi: str | None
    url: str | None
    passages: tuple[Passage, ...]
    csl: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class ResultDocument:
    """What a session found. `blocks` are the members that its session type added (screening, analysis, ...)."""

    title: str
    partial: bool
    summary: str
    confidence_score: float | None
    sections: tuple[Section, ...]
    key_findings: tuple[KeyFinding, ...]
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    citations: tuple[Citation, ...]
    blocks: Mapping[str, JSON]
    source: Mapping[str, JSON]

    @classmethod
    def parse(cls, source: Mapping[str, Any]) -> ResultDocument:
        """Read the JSON object an engine stored.

        :raises InvalidResultDocument: a member is missing or of the wrong type, an id occurs twice, or something
            cites a citation that is not there.
        """
        root = Node(source, "")
        document = cls(
            title=root.text("title"),
            partial=root.flag("partial"),
            summary=root.text("summary", default=""),
            confidence_score=root.number("confidence_score"),
            sections=tuple(_section(node) for node in root.nodes("sections")),
            key_findings=tuple(_finding(node) for node in root.nodes("key_findings")),
            tables=tuple(_table(node) for node in root.nodes("tables")),
            figures=tuple(_figure(node) for node in root.nodes("figures")),
            citations=tuple(_citation(node) for node in root.nodes("citations")),
            blocks={key: value for key, value in source.items() if key not in _KNOWN},
            source=source,
        )
        document._check_references()
        return document

    def claims(self) -> Iterable[Claim]:
        """All claims, in the order of the text."""
        return (claim for section in self.sections for claim in section.claims)

    def reference_points(self) -> tuple[str, ...]:
        """What a comment may point at inside the results: `section:ID`, `claim:ID`, `finding:ID`, and so on."""
        kinds: tuple[tuple[str, Iterable[Any]], ...] = (
            ("section", self.sections),
            ("claim", self.claims()),
            ("finding", self.key_findings),
            ("table", self.tables),
            ("figure", self.figures),
            ("citation", self.citations),
        )
        return tuple(f"{kind}:{item.id}" for kind, items in kinds for item in items)

    def _check_references(self) -> None:
        unique("sections", self.sections)
        unique("claims", tuple(self.claims()))
        unique("key_findings", self.key_findings)
        unique("tables", self.tables)
        unique("figures", self.figures)
        known = unique("citations", self.citations)
        citing: Sequence[Claim | KeyFinding] = (*self.claims(), *self.key_findings)
        for item in citing:
            for citation in item.citations:
                if citation not in known:
                    raise InvalidResultDocument(item.id, f"cites {citation!r}, which is not among the citations")
        passages = {citation.id: len(citation.passages) for citation in self.citations}
        for item in citing:
            for ref in item.evidence or ():
                if not 0 <= ref.passage < passages.get(ref.citation, 0):
                    raise InvalidResultDocument(item.id, "rests on a passage that is not among those of the citations")


def _section(node: Node) -> Section:
    return Section(
        id=node.text("id"),
        heading=node.text("heading"),
        body=node.text("body", default=""),
        claims=tuple(
            Claim(
                id=claim.text("id"),
                text=claim.text("text"),
                citations=claim.texts("citations"),
                support=claim.value("support"),
                evidence=_evidence(claim),
            )
            for claim in node.nodes("claims")
        ),
    )


def _finding(node: Node) -> KeyFinding:
    return KeyFinding(
        id=node.text("id"),
        text=node.text("text"),
        quote=node.optional_text("quote"),
        citations=node.texts("citations"),
        confidence=node.number("confidence"),
        figure=node.optional_text("figure"),
        table=node.optional_text("table"),
        evidence=_evidence(node),
        dataset=dataset if isinstance(dataset := node.value("dataset"), str) else None,
    )


def _evidence(node: Node) -> tuple[PassageRef, ...] | None:
    if node.value("evidence") is None:
        return None
    # A passage without a place is none that could be in the list.
    return tuple(
        PassageRef(item.text("citation"), -1 if (place := item.integer("passage")) is None else place)
        for item in node.nodes("evidence")
    )


def _table(node: Node) -> Table:
    columns = tuple(
        column.text("title", default="") or column.text("name") if isinstance(column, Node) else column
        for column in node.texts_or_nodes("columns")
    )
    return Table(
        id=node.text("id"),
        title=node.text("title", default=""),
        columns=columns,
        rows=node.rows("rows", columns),
    )


def _figure(node: Node) -> Figure:
    return Figure(
        id=node.text("id"),
        title=node.text("title", default=""),
        alt=node.text("alt", default=""),
        spec=node.object("spec"),
        media_type=node.text("media_type", default=""),
    )


def _citation(node: Node) -> Citation:
    return Citation(
        id=node.text("id"),
        document_id=node.text("document_id", default=""),
        title=node.text("title", default=""),
        authors=node.texts("authors"),
        year=node.integer("year"),
        doi=node.optional_text("doi"),
        url=node.optional_text("url"),
        passages=tuple(
            Passage(
                quote=passage.text("quote"),
                page=passage.integer("page"),
                start=passage.integer("start") or 0,
                end=passage.integer("end") or 0,
                sha256=passage.text("sha256", default=""),
            )
            for passage in node.nodes("passages")
        ),
        csl=node.object("csl"),
    )
