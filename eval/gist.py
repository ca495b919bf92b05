"""The gist of a document: the one sentence that says best what it contributes, beside summaries that people wrote.

Overview sessions over batches of abstracts; ROUGE-1 F1 (stemmed) of `results.sources[].gist`, for an abstract with
several summaries the best of them, as is the custom with such data; the mean over them stands beside it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from eval.judged import lines_of
from eval.options import Options
from eval.product import Person, Product, gathered
from eval.report import Cell, Report, Table

PART = "gist"
_BATCH = 10
_PROMPT = "Summarise these documents"
JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Summarised:
    """An abstract as its sentences, and one-sentence summaries of it."""

    title: str
    sentences: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


def summarised_in(data: Path) -> list[Summarised]:
    """From every file below `data` whose lines have `source` (sentences) and `target` (summaries)."""
    found: list[Summarised] = []
    for path in sorted(data.glob("**/*.jsonl")):
        for line in lines_of(path):
            if not (isinstance(line.get("source"), list) and isinstance(line.get("target"), list)):
                break
            sentences = tuple(" ".join(sentence.split()) for sentence in line["source"])
            targets = tuple(target for target in line["target"] if target.strip())
            if any(sentences) and targets:
                found.append(Summarised(line.get("title") or "", sentences, targets))
    return found


async def measure(product: Product, data: Path, options: Options) -> Report:
    """As many abstracts as `options.sessions`, drawn by seed, ten a session."""
    every = summarised_in(data)
    drawn = random.Random(options.seed).sample(every, min(options.sessions, len(every)))
    if not drawn:
        return Report(PART)
    person = product.person("gist")
    lines = [
        {"title": item.title or f"Document {place}", "text": item.text, "external_id": str(place)}
        for place, item in enumerate(drawn)
    ]
    ids = [str(answer["document_id"]) for answer in await person.batch(lines)]
    gists = await _gists(person, ids)
    texts = [gists.get(document_id, "") for document_id in ids]
    wrong = [
        f"document {place}: its gist is no part of its text"
        for place, (item, text) in enumerate(zip(drawn, texts, strict=True))
        if text not in item.text
    ]
    rows: list[list[Cell]] = []
    figures: dict[str, Any] = {}
    for name, chosen in (
        ("PRSM, gist", texts),
        ("first sentence", [item.sentences[0] for item in drawn]),
        ("best sentence possible", await asyncio.to_thread(_best, drawn)),
    ):
        best, mean = await asyncio.to_thread(_rouge, drawn, chosen)
        rows.append([name, len(drawn), best, mean])
        figures[name] = {"best": best, "mean": mean}
    without = sum(not text for text in texts)
    figures["without"] = without
    note = f"{without} of {len(texts)} documents have no gist; they count 0."
    columns = ["what", "documents", "ROUGE-1, best summary", "ROUGE-1, mean of summaries"]
    return Report(PART, [Table("One sentence a document", columns, rows, note)], figures, wrong)


async def _gists(person: Person, ids: Sequence[str]) -> dict[str, str]:
    batches = [ids[begin : begin + _BATCH] for begin in range(0, len(ids), _BATCH)]
    answers = await gathered(person.results(_body(batch)) for batch in batches)
    return {
        source["document_id"]: source["gist"]["text"]
        for answer in answers
        for source in answer["results"]["sources"]
        if source["gist"]
    }


def _body(documents: Sequence[str]) -> JSON:
    return {
        "prompt": _PROMPT,
        "session_type": "research",
        "preferences": {"depth": "standard", "seed": 1},
        "inputs": {"documents": [{"document_id": document} for document in documents]},
    }


def _rouge(items: Sequence[Summarised], chosen: Sequence[str]) -> tuple[float, float]:
    values = [_against(item, text) for item, text in zip(items, chosen, strict=True)]
    return fmean(max(scores) for scores in values), fmean(fmean(scores) for scores in values)


def _best(items: Sequence[Summarised]) -> list[str]:
    return [max(item.sentences, key=lambda text: max(_against(item, text))) for item in items]


def _against(item: Summarised, text: str) -> list[float]:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1"], use_stemmer=True)
    return [float(scorer.score(target, text)["rouge1"].fmeasure) for target in item.targets]
