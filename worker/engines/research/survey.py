"""An overview's reading of the documents: which statements represent each of them best."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from worker.engines.base import DocumentRecord, WorkSpan
from worker.engines.research.gist import Gist, gist_of
from worker.engines.research.model import Statement
from worker.engines.research.scan import first_of
from worker.engines.research.works import without_heads
from worker.engines.text.bm25 import CollectionStatistics
from worker.engines.text.identifiers import content_id
from worker.engines.text.sentences import split_sentences
from worker.engines.text.similarity import Vector, cosine, tfidf
from worker.engines.text.statements import display, is_back_matter, label_length, quality
from worker.engines.text.terms import Analyzer

OWN, COLLECTION, POSITION = 0.5, 0.2, 0.3
"""Parts of representativeness: likeness to the own document, likeness to all of them, place in the document."""
_REDUNDANCY = 0.4
_LEAD = (1.0, 0.8, 0.6, 0.4, 0.2)
_LAST_PARAGRAPH = 0.5
_TELLING = re.compile(
    r"^(?:[\divx.]+\s+)?(?:the )?(?:abstract|(?:executive |plain[- ]language )?summary|synopsis|highlights|overview"
    r"|(?:key|main|principal) (?:points?|findings?|messages?|results?|takeaways?)|findings"
    r"|(?:summary and |discussion and |general )?conclu(?:sions?|ding remarks)|in (?:brief|short)|what is known"
    r"|interpretation)\b",
    re.IGNORECASE,
)
_HALF_TELLING = re.compile(r"^(?:[\divx.]+\s+)?(?:results?|discussion|outcomes?)\b", re.IGNORECASE)
_SETTING = re.compile(
    r"^(?:[\divx.]+\s+)?(?:background|introduction|methods?|methodology|materials|data|design|setting|participants"
    r"|patients|objectives?|aims?|purpose|related work|limitations?|appendix|supplement)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quotable:
    """A statement before it is ranked. `position` (0..1) says how telling its place is."""

    start: int
    end: int
    quote: str
    text: str
    terms: tuple[str, ...]
    position: float


@dataclass(frozen=True, slots=True)
class Survey:
    """All quotable statements of one document, in its order, and its gist."""

    document_id: str
    statements: tuple[Quotable, ...]
    gist: Gist | None


def representative(records: Sequence[DocumentRecord], limit: int, language: str) -> list[DocumentRecord]:
    """The records by title, first those `limit` whose titles together speak for the most of all: greedily, each adds
    the words that most titles not yet spoken for have in common."""
    ordered = sorted(records, key=lambda record: (record.title, record.document_id))
    if len(ordered) <= limit:
        return ordered
    analyzer = Analyzer(language)
    stems = [frozenset(analyzer.terms(record.title)) for record in ordered]
    statistics = CollectionStatistics.of([sorted(found) for found in stems])
    spoken: set[str] = set()
    left = list(range(len(ordered)))
    chosen: list[int] = []
    while len(chosen) < limit:
        best = max(left, key=lambda i: (sum(statistics.frequency[stem] for stem in stems[i] - spoken), -i))
        chosen.append(best)
        left.remove(best)
        spoken |= stems[best]
    return [ordered[i] for i in [*sorted(chosen), *left]]


def survey(document_id: str, title: str, text: str, language: str, works: Sequence[WorkSpan] = ()) -> Survey:
    """The quotable statements of a text, each with its terms and how telling its place is; what identifies a work of a
    bibliography is none."""
    analyzer = Analyzer(language)
    title_line = display(title).rstrip(".").casefold()
    sentences = without_heads(text, split_sentences(text), works)
    last_block = max((part.block for part in sentences if not is_back_matter(part.section)), default=-1)
    found: list[Quotable] = []
    led = 0
    for index, part in enumerate(sentences):
        first = None if is_back_matter(part.section) else first_of(text, sentences, index)
        if first is None:
            continue
        start = sentences[first].start
        label = label_length(text[start : part.end])
        place = _place(text[start : start + label] or part.section)
        start += label
        line = display(text[start : part.end])
        if line.rstrip(".").casefold() == title_line:
            continue
        if place is None:
            lead = _LEAD[led] if led < len(_LEAD) else 0.0
            place = max(lead, _LAST_PARAGRAPH if part.block == last_block else 0.0)
            led += 1
        found.append(Quotable(start, part.end, text[start : part.end], line, tuple(analyzer.terms(line)), place))
    ends = {part.start: part.end for part in sentences}
    known = {item.start: item.terms for item in found if ends.get(item.start) == item.end}
    return Survey(document_id, tuple(found), gist_of(text, title, sentences, analyzer, known))


def _place(heading: str) -> float | None:
    """How telling a part of that heading is; None for one that does not say."""
    if _TELLING.match(heading):
        return 1.0
    if _HALF_TELLING.match(heading):
        return 0.6
    return 0.0 if _SETTING.match(heading) else None


def rank_overview(surveys: Sequence[Survey], per_document: int, facet: str) -> list[Statement]:
    """The most representative statements of each document: first the best of every document, best first, then the
    second of every document, and so on.

    Representativeness (0..1) = 0.5 · cosine with the own document's centroid + 0.2 · cosine with the centroid of all
    documents (each as a share of the highest one) + 0.3 · place (abstract, summary and conclusion 1, results 0.6,
    opening sentences 1 falling to 0, last paragraph 0.5); centroids of tf-idf vectors as in Radev, Jing, Styś and Tam,
    "Centroid-based summarization of multiple documents" (2004). Score = representativeness · √quality. Of each
    document statements are taken by maximal marginal relevance, so that they do not repeat each other.
    """
    statistics = CollectionStatistics.of([item.terms for one in surveys for item in one.statements])
    vectors = {one.document_id: [tfidf(item.terms, statistics) for item in one.statements] for one in surveys}
    centroids = {document_id: _centroid(found) for document_id, found in vectors.items()}
    middle = _centroid(centroids.values())
    near = {document_id: [cosine(vector, middle) for vector in found] for document_id, found in vectors.items()}
    nearest = max((value for found in near.values() for value in found), default=0.0) or 1.0
    chosen: list[list[Statement]] = []
    for one in surveys:
        own = [cosine(vector, centroids[one.document_id]) for vector in vectors[one.document_id]]
        highest = max(own, default=0.0) or 1.0
        scored = []
        for index, item in enumerate(one.statements):
            value = OWN * own[index] / highest + COLLECTION * near[one.document_id][index] / nearest
            value = round(value + POSITION * item.position, 6)
            scored.append(_statement(one.document_id, item, value, facet))
        chosen.append(_varied(scored, vectors[one.document_id], per_document))
    chosen.sort(key=lambda found: (-found[0].score, found[0].document_id) if found else (0.0, ""))
    return [found[place] for place in range(per_document) for found in chosen if place < len(found)]


def _statement(document_id: str, item: Quotable, value: float, facet: str) -> Statement:
    return Statement(
        id=content_id("statement", document_id, item.start, item.end, item.quote),
        document_id=document_id,
        start=item.start,
        end=item.end,
        page=None,
        quote=item.quote,
        text=item.text,
        score=round(value * quality(item.text) ** 0.5, 6),
        relevance=value,
        coverage=value,
        context=value,
        stems=(),
        facets=(facet,),
        in_form=False,
    )


def _varied(scored: Sequence[Statement], vectors: Sequence[Vector], limit: int) -> list[Statement]:
    """The best statements that do not overlap, each less its likeness to those before it."""
    likeness = [0.0] * len(scored)
    left = set(range(len(scored)))
    chosen: list[Statement] = []
    while left and len(chosen) < limit:
        best = max(left, key=lambda i: (round(scored[i].score - _REDUNDANCY * likeness[i], 6), -scored[i].start))
        chosen.append(scored[best])
        left = {i for i in left if scored[i].end <= scored[best].start or scored[best].end <= scored[i].start}
        for i in left:
            likeness[i] = max(likeness[i], cosine(vectors[i], vectors[best]))
    return sorted(chosen, key=lambda statement: (-statement.score, statement.start))


def _centroid(vectors: Iterable[Vector]) -> Mapping[str, float]:
    total: dict[str, float] = {}
    for vector in vectors:
        for term, weight in vector.items():
            total[term] = total.get(term, 0.0) + weight
    norm = sum(weight * weight for weight in total.values()) ** 0.5
    return {term: total[term] / norm for term in sorted(total)} if norm else {}
