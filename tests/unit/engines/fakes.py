"""In-memory sources and a stage context for the engines' tests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.support.datasets import DatasetFiles
from worker.engines.base import (
    JSON,
    AskedConnector,
    DocumentRecord,
    Engine,
    FoundWork,
    GatheredWorks,
    Hit,
    Job,
    Kept,
    LanguageModel,
    Sources,
)
from worker.engines.text.bm25 import BM25, CollectionStatistics
from worker.engines.text.terms import Analyzer

T = TypeVar("T")
PASSAGE_CHARACTERS = 900


def record(document_id: str, text: str, title: str = "", **fields: Any) -> DocumentRecord:
    """A document's card with plain defaults."""
    card: dict[str, Any] = {"kind": "txt", "pages": 1, **fields}
    return DocumentRecord(document_id, title or document_id, characters=len(text), **card)


@dataclass
class Library:
    """Sources held in memory, searched with BM25 over passages of whole paragraphs."""

    texts: dict[str, str] = field(default_factory=dict)
    records: dict[str, DocumentRecord] = field(default_factory=dict)
    datasets: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    results: dict[str, dict[str, JSON]] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)
    works: dict[str, tuple[str, str]] = field(default_factory=dict)
    """What connectors find: title and abstract by document id."""
    problems: dict[str, str] = field(default_factory=dict)
    """What goes wrong, by connector; the others find all works."""
    asked: list[str] = field(default_factory=list)
    _files: DatasetFiles = field(default_factory=DatasetFiles)
    """Questions that connectors were asked."""
    _index: list[tuple[str, int, int, Counter[str], int]] | None = None
    _statistics: CollectionStatistics | None = None

    def add(self, document_id: str, text: str, title: str = "", **fields: Any) -> None:
        """Store a document; `fields` are those of its card."""
        self.texts[document_id] = text
        self.records[document_id] = record(document_id, text, title, **fields)
        self._index = None

    async def search(
        self, query: str, *, limit: int, document_ids: Sequence[str] = (), passages: bool = True
    ) -> list[Hit]:
        self.queries.append(query)
        index, statistics = self._built()
        scorer = BM25(statistics.mean_length)
        wanted = Counter(Analyzer().terms(query))
        weights = {term: count * statistics.idf(term) for term, count in sorted(wanted.items())}
        named = set(document_ids)
        hits = []
        for document_id, start, end, frequencies, length in index:
            if named and document_id not in named:
                continue
            score = scorer.score(weights, frequencies, length)
            if score > 0:
                text = self.texts[document_id]
                card = self.records.get(document_id)
                page = 1 + text.count("\f", 0, start) if card is not None and card.pages > 1 else None
                title = self.works[document_id][0] if card is None else card.title
                hits.append(Hit(document_id, title, score, text[start:end], page, start, end))
        hits.sort(key=lambda hit: (-hit.score, hit.document_id, hit.start))
        if not passages:
            hits = list({hit.document_id: hit for hit in reversed(hits)}.values())
            hits.sort(key=lambda hit: (-hit.score, hit.document_id, hit.start))
        return hits[:limit]

    async def documents(self, document_ids: Sequence[str] = ()) -> list[DocumentRecord]:
        wanted = document_ids or self.records
        return [self.records[key] for key in wanted if key in self.records]

    async def gather_works(
        self, query: str, *, connectors: Sequence[str], limit_each: int, full_text: bool
    ) -> GatheredWorks:
        self.asked.append(query)
        finders = tuple(name for name in connectors if name not in self.problems)
        works = []
        for document_id, (title, abstract) in self.works.items() if finders else ():
            self.add(document_id, abstract, title)
            works.append(FoundWork(self.records.pop(document_id), finders, full_text=False))
        asked = tuple(
            AskedConnector(name, 0 if name in self.problems else len(works), 0, self.problems.get(name, ""))
            for name in connectors
        )
        return GatheredWorks(tuple(works), asked)

    async def text(self, document_id: str) -> str:
        return self.texts[document_id]

    async def dataset(self, document_id: str) -> tuple[str, bytes]:
        return self.datasets[document_id]

    async def dataset_file(self, document_id: str) -> tuple[str, str]:
        name, data = self.datasets[document_id]
        return name, self._files.put(document_id, data)

    async def close(self) -> None:
        """Nothing is left behind."""

    async def session_results(self, session_id: str) -> dict[str, JSON]:
        return self.results[session_id]

    def _built(self) -> tuple[list[tuple[str, int, int, Counter[str], int]], CollectionStatistics]:
        if self._index is None or self._statistics is None:
            analyzer = Analyzer()
            self._index = []
            for document_id, text in self.texts.items():
                for start, end in _passages(text):
                    card = self.records.get(document_id)
                    title = self.works[document_id][0] if card is None else card.title
                    terms = analyzer.terms(title + " " + text[start:end])
                    self._index.append((document_id, start, end, Counter(terms), len(terms)))
            self._statistics = CollectionStatistics.of(list(entry[3].elements()) for entry in self._index)
        return self._index, self._statistics


def _passages(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    position = 0
    for paragraph in text.replace("\f", "\n\n").split("\n\n"):
        end = position + len(paragraph)
        if spans and end - spans[-1][0] <= PASSAGE_CHARACTERS and "\f" not in text[spans[-1][0] : end]:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((position, end))
        position = end + (1 if text[end : end + 1] == "\f" else 2)
    return [(start, end) for start, end in spans if text[start:end].strip()]


@dataclass
class Context:
    """A stage context that records what a stage reports."""

    job: Job
    sources: Sources
    outputs: dict[str, JSON] = field(default_factory=dict)
    write_up: bool = False
    used: Counter[str] = field(default_factory=Counter)
    decisions: list[dict[str, JSON]] = field(default_factory=list)
    steps: list[tuple[float, float]] = field(default_factory=list)
    write_up_after: int | None = None
    """`write_up` turns true after this many steps of a stage."""
    model: LanguageModel | None = None

    async def step(self, done: float, total: float) -> None:
        self.steps.append((done, total))
        if self.write_up_after is not None and len(self.steps) >= self.write_up_after:
            self.write_up = True

    def use(self, item: str, quantity: int) -> None:
        self.used[item] += quantity

    def decide(
        self,
        decision: str,
        reason: str,
        *,
        alternatives: Sequence[str] = (),
        excluded: Sequence[Mapping[str, JSON]] = (),
    ) -> None:
        entry = {
            "decision": decision,
            "reason": reason,
            "alternatives": list(alternatives),
            "excluded": list(excluded),
        }
        self.decisions.append(json.loads(json.dumps(entry)))

    async def run(self, fn: Callable[..., T], *args: object) -> T:
        return fn(*args)

    async def keep(self, fn: Callable[..., object], *args: object) -> Kept:
        return fn(*args)


async def run_engine(
    engine: Engine, context: Context, *, doubles: bool = False, sort_keys: bool = False
) -> dict[str, JSON]:
    """Run every stage and return the last output.

    Outputs go through JSON as storage would take them: with `doubles` every number comes back as a double, with
    `sort_keys` the order of keys is lost.
    """
    output: JSON = None
    for spec in engine.stages(context.job):
        context.steps.clear()
        output = await engine.run_stage(spec.name, context)
        stored = json.dumps(output, sort_keys=sort_keys)
        context.outputs[spec.name] = json.loads(stored, parse_int=float if doubles else int)
    assert isinstance(output, dict)
    return output
