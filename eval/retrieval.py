"""Retrieval: nDCG@10, Recall@100, MAP, time to index and to answer, beside bm25s on the same documents and queries."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from eval.judged import Collection, collections_in
from eval.options import Options
from eval.product import Person, Product
from eval.report import Report, Table

PART = "retrieval"
_DEPTH = 100
_LOOK_SECONDS = 2.0
_MEASURES = {"ndcg_cut_10": "nDCG@10", "recall_100": "Recall@100", "map": "MAP"}
Run = Mapping[str, Mapping[str, float]]


async def measure(product: Product, data: Path, options: Options) -> Report:
    """One row a collection and system. Every query goes through the search path of the API, one after the other."""
    rows: list[list[Any]] = []
    figures: dict[str, Any] = {}
    system = "PRSM with the dense extra" if options.dense else "PRSM"
    for collection in collections_in(data):
        run, times, indexing = await _ours(product, collection, encoded=options.dense)
        baseline, its_times, its_indexing = await asyncio.to_thread(_bm25s, collection)
        for name, found, took, built in (
            (system, run, times, indexing),
            ("bm25s (stems, stop words)", baseline, its_times, its_indexing),
        ):
            scores = evaluated(collection.judged, found)
            took.sort()
            p50, p95 = took[len(took) // 2] * 1e3, took[int(len(took) * 0.95)] * 1e3
            rows.append([collection.name, name, *scores.values(), f"{built:.1f}", f"{p50:.1f}", f"{p95:.1f}"])
            figures[f"{collection.name}/{name}"] = {**scores, "index_s": built, "p50_ms": p50, "p95_ms": p95}
    columns = ["collection", "system", *_MEASURES.values(), "index, s", "p50, ms", "p95, ms"]
    note = (
        "Index time of the product: from the first byte sent until the first query was answered, storing and encoding "
        "included. Its query times are those of a REST call with a hundred hits; bm25s answers a call in the process."
    )
    return Report(PART, [Table("Search", columns, rows, note)], figures)


def evaluated(judged: Mapping[str, Mapping[str, int]], run: Run) -> dict[str, float]:
    """Means over all judged queries by trec_eval; a query without hits counts 0."""
    import pytrec_eval

    by_query = pytrec_eval.RelevanceEvaluator(judged, set(_MEASURES)).evaluate(run)
    return {
        shown: sum(scores.get(name, 0.0) for scores in by_query.values()) / len(judged)
        for name, shown in _MEASURES.items()
    }


async def _ours(product: Product, collection: Collection, *, encoded: bool) -> tuple[Run, list[float], float]:
    person = product.person(f"retrieval-{collection.name}")
    documents = [
        {"title": item.get("title") or "", "text": item["text"], "external_id": str(item["id"])}
        for item in collection.documents
        if item["text"].strip()
    ]
    began = perf_counter()
    await person.batch(documents)
    await person.search(next(iter(collection.queries.values())), limit=1)
    if encoded:
        await _encoded(person, next(iter(collection.queries.values())))
    indexing = perf_counter() - began
    run: dict[str, dict[str, float]] = {}
    times: list[float] = []
    for query_id, text in collection.queries.items():
        began = perf_counter()
        hits = await person.search(text, limit=_DEPTH)
        times.append(perf_counter() - began)
        run[query_id] = {hit["external_id"]: float(-rank) for rank, hit in enumerate(hits)}
    return run, times, indexing


async def _encoded(person: Person, query: str) -> None:
    """Wait until the encoder counts: it does once every passage has its vector, and then the scores change."""
    by_words = [hit["score"] for hit in await person.search(query)]
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if [hit["score"] for hit in await person.search(query)] != by_words:
            return


def _bm25s(collection: Collection) -> tuple[Run, list[float], float]:
    import bm25s
    import Stemmer  # type: ignore[import-not-found,unused-ignore]

    stemmer = Stemmer.Stemmer("english")
    began = perf_counter()
    texts = [f"{item.get('title') or ''} {item['text']}" for item in collection.documents]
    index = bm25s.BM25()
    index.index(bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False), show_progress=False)
    indexing = perf_counter() - began
    names = [str(item["id"]) for item in collection.documents]
    run: dict[str, dict[str, float]] = {}
    times: list[float] = []
    for query_id, text in collection.queries.items():
        began = perf_counter()
        # Repeated words of a query count as often as they stand there, as in the product.
        words = bm25s.tokenize(text, stopwords="en", stemmer=stemmer, show_progress=False, return_ids=False)
        found, scores = index.retrieve(words, k=min(_DEPTH, len(names)), show_progress=False)
        times.append(perf_counter() - began)
        run[query_id] = {
            names[number]: float(score) for number, score in zip(found[0], scores[0], strict=True) if score > 0
        }
    return run, times, indexing
