"""The research engine without the product around it: over an index of its own, stage by stage, in this process.

For learning constants from hundreds of prompts; what is published is measured on the product.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from eval.questions import Text
from services.library.index.library_index import MAX_HITS, LibraryIndex, analyse
from services.library.index.terms import Analyzer
from services.library.passages import split
from worker.engines.base import JSON, DocumentRecord, Hit, Job, Kept, LanguageModel
from worker.engines.research.engine import ResearchEngine

T = TypeVar("T")
_STAGES = ("plan", "gather", "screen", "read", "synthesise")


class Indexed:
    """Sources over documents by id, without those `left_out`."""

    def __init__(self, documents: Mapping[str, Text]) -> None:
        self._documents = documents
        self.left_out: Collection[str] = ()
        analyzer = Analyzer()
        self._index = LibraryIndex()
        analysed = [analyse(analyzer, key, item.title, item.text, split(item.text)) for key, item in documents.items()]
        self._index.apply(analysed, revision=1)

    async def search(
        self, query: str, *, limit: int, document_ids: Sequence[str] = (), passages: bool = True
    ) -> list[Hit]:
        more = min(MAX_HITS, limit + 4 * len(self.left_out))
        found = self._index.search(query, limit=more, document_ids=set(document_ids) or None, passages=passages)
        hits = []
        for hit in found:
            if hit.document_id not in self.left_out:
                held = self._documents[hit.document_id]
                quote = held.text[hit.start : hit.end]
                hits.append(Hit(hit.document_id, held.title, hit.score, quote, hit.page, hit.start, hit.end))
        return hits[:limit]

    async def documents(self, document_ids: Sequence[str] = ()) -> list[DocumentRecord]:
        return [
            DocumentRecord(key, self._documents[key].title, "txt", len(self._documents[key].text), 1)
            for key in document_ids or self._documents
            if key not in self.left_out
        ]

    async def text(self, document_id: str) -> str:
        return self._documents[document_id].text

    async def dataset(self, document_id: str) -> tuple[str, bytes]:
        raise LookupError(document_id)

    async def dataset_file(self, document_id: str) -> tuple[str, str]:
        raise LookupError(document_id)

    async def session_results(self, session_id: str) -> dict[str, JSON]:
        raise LookupError(session_id)

    def near(self, prompt: str, most: int) -> list[str]:
        """The documents that match a prompt best."""
        return [hit.document_id for hit in self._index.search(prompt, limit=most)]

    def part(self, document_ids: Collection[str]) -> Indexed:
        """Sources over some of the documents alone."""
        return Indexed({key: self._documents[key] for key in sorted(document_ids)})


@dataclass
class _Stage:
    job: Job
    sources: Any
    outputs: dict[str, JSON] = field(default_factory=dict)
    write_up: bool = False
    model: LanguageModel | None = None

    async def step(self, done: float, total: float) -> None:
        return None

    def use(self, item: str, quantity: int) -> None:
        return None

    def decide(self, decision: str, reason: str, **more: object) -> None:
        return None

    async def run(self, fn: Callable[..., T], *args: object) -> T:
        return fn(*args)

    async def keep(self, fn: Callable[..., object], *args: object) -> Kept:
        return fn(*args)


async def outputs_of(prompt: str, sources: Indexed, preferences: Mapping[str, Any]) -> dict[str, JSON]:
    """Outputs of the stages up to *synthesise*."""
    stage = _Stage(Job("session", "research", prompt, preferences=preferences), sources)
    engine = ResearchEngine()
    for name in _STAGES:
        stage.outputs[name] = await engine.run_stage(name, stage)
    return stage.outputs
