"""What the research stages hand to each other. Every type knows its JSON form, for a stage's output is a checkpoint.

Storage may give whole numbers back as doubles, so reading JSON restores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from worker.engines.base import DocumentRecord, WorkSpan

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the prompt: its stem, the word as the prompt has it, and how often it is asked for."""

    stem: str
    word: str
    weight: float

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(str(data["stem"]), str(data["word"]), float(data["weight"]))


@dataclass(frozen=True, slots=True)
class Facet:
    """A side of the prompt that is searched on its own. `kind` is `prompt`, `question`, `topic` (of a list), `side` (of
    a comparison), `for`, `against`, `intervention`, `outcome`, `population` or `aspect`; or `overview`, for a prompt
    without a subject, and then nothing is searched."""

    id: str
    kind: str
    label: str
    query: str
    stems: tuple[str, ...]

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(data["id"], data["kind"], data["label"], data["query"], tuple(data["stems"]))


@dataclass(frozen=True, slots=True)
class Plan:
    """The prompt's terms and facets; the first facet is the prompt itself. An overview has no terms."""

    terms: tuple[Term, ...]
    facets: tuple[Facet, ...]

    @property
    def overview(self) -> bool:
        """Whether the prompt asks what the documents say, and of no subject."""
        return self.facets[0].kind == "overview"

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(tuple(map(Term.of, data["terms"])), tuple(map(Facet.of, data["facets"])))


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that a search found in a document; offsets are code points of the stored text."""

    start: int
    end: int
    page: int | None

    @classmethod
    def of(cls, data: Json) -> Self:
        page = data["page"]
        return cls(int(data["start"]), int(data["end"]), None if page is None else int(page))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document that the searches found or the session named.

    `relevance` is its reciprocal-rank fusion over the facets' searches, `coverage` the weighted share of the prompt's
    terms in its title and best passage, `stems` those terms over all passages found.
    """

    record: DocumentRecord
    relevance: float
    coverage: float
    stems: tuple[str, ...]
    passages: tuple[Passage, ...]
    source: str = "library"
    """Where it comes from: `library`, `given` with the session, or the connector that found it."""

    @property
    def document_id(self) -> str:
        return self.record.document_id

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(
            record_of(data["record"]),
            float(data["relevance"]),
            float(data["coverage"]),
            tuple(data["stems"]),
            tuple(map(Passage.of, data["passages"])),
            str(data.get("source", "library")),
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """A quotable statement: `quote` stands verbatim at `start`..`end` of the document, `text` is its one-line form.

    `relevance` (0..1) says how well its words meet the prompt, `score` ranks it as evidence; `coverage` is the weighted
    share of the prompt's terms it holds, `context` the same with its paragraph and title; `stems` are those of the
    prompt it holds; `facets` are the ids of those it speaks to, best met first; `in_form` says that it has the form of
    answer that the prompt asks for (a definition, a quantity, a time, a cause); `evidence` (0..1) is how likely it is
    to be part of what its document answers.

    In an overview there are no terms to meet: `relevance`, `coverage` and `context` are then all how well the statement
    represents its document.
    """

    id: str
    document_id: str
    start: int
    end: int
    page: int | None
    quote: str
    text: str
    score: float
    relevance: float
    coverage: float
    context: float
    stems: tuple[str, ...]
    facets: tuple[str, ...]
    in_form: bool
    evidence: float = 0.0

    @property
    def strength(self) -> float:
        """How fully the statement and its surroundings meet the prompt, 0..1."""
        return (self.coverage + self.context) / 2

    @classmethod
    def of(cls, data: Json) -> Self:
        page = data["page"]
        return cls(
            **{
                **data,
                "start": int(data["start"]),
                "end": int(data["end"]),
                "page": None if page is None else int(page),
                "stems": tuple(data["stems"]),
                "facets": tuple(data["facets"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A document left out. `stage` is `identification` (a duplicate), `screening`, `retrieval` (it could not be
    read) or `reading`."""

    document_id: str
    title: str
    reason: str
    stage: str

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(data["document_id"], data["title"], data["reason"], data["stage"])


def to_json(value: Any) -> Any:
    """The JSON form of any of these types."""
    return asdict(value)


def record_of(data: Json) -> DocumentRecord:
    """A document's card from its JSON form."""
    year = data["year"]
    return DocumentRecord(
        **{
            **data,
            "characters": int(data["characters"]),
            "pages": int(data["pages"]),
            "authors": tuple(data["authors"]),
            "year": None if year is None else int(year),
            "works": tuple(WorkSpan(**work) for work in data.get("works", ())),
        }
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of the report with the statements of other documents that say nearly the same.

    `conflicts` are ids of claims that state the opposite.
    """

    id: str
    statement: Statement
    echoes: tuple[Statement, ...]
    conflicts: tuple[str, ...] = ()

    @property
    def statements(self) -> tuple[Statement, ...]:
        return (self.statement, *self.echoes)

    @property
    def documents(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.document_id for item in self.statements))

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(
            data["id"],
            Statement.of(data["statement"]),
            tuple(map(Statement.of, data["echoes"])),
            tuple(data["conflicts"]),
        )


@dataclass(frozen=True, slots=True)
class Theme:
    """A section of the report: its heading and the ids of its claims."""

    heading: str
    claims: tuple[str, ...]

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(data["heading"], tuple(data["claims"]))


@dataclass(frozen=True, slots=True)
class Outline:
    """What the report will say: all its claims, the key findings among them, its themes, and what was not found.

    `answered` is false when no statement meets the prompt well enough; `nearest` then holds the closest ones.
    `missing` are words of the prompt that no source holds, `open_facets` the sides of it that nothing speaks to.
    `likely` is the probability that the prompt is answered, `signals` what it was told from
    (:mod:`worker.engines.research.answering`), `questions` the same by sub-question; an overview has none of these.
    """

    answered: bool
    claims: tuple[Claim, ...]
    key: tuple[str, ...]
    themes: tuple[Theme, ...]
    nearest: tuple[str, ...]
    missing: tuple[str, ...]
    open_facets: tuple[str, ...]
    signals: Mapping[str, float] = field(default_factory=dict)
    likely: float = 0.0
    questions: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Json) -> Self:
        return cls(
            bool(data["answered"]),
            tuple(map(Claim.of, data["claims"])),
            tuple(data["key"]),
            tuple(map(Theme.of, data["themes"])),
            tuple(data["nearest"]),
            tuple(data["missing"]),
            tuple(data["open_facets"]),
            data["signals"],
            float(data["likely"]),
            {facet: float(value) for facet, value in data["questions"].items()},
        )
