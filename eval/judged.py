"""Test collections for retrieval: folders with `docs.jsonl`, `queries.jsonl` and `qrels.tsv`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Collection:
    """`documents` are `{id, title, text}`; `judged` are the relevance grades by query and document id."""

    name: str
    documents: list[dict[str, Any]]
    queries: Mapping[str, str]
    judged: Mapping[str, Mapping[str, int]]


def collections_in(folder: Path) -> Iterator[Collection]:
    """Every collection below `folder`, by name; only queries with a relevant document are kept."""
    for docs in sorted(folder.glob("**/docs.jsonl")):
        home = docs.parent
        if not ((home / "queries.jsonl").exists() and (home / "qrels.tsv").exists()):
            continue
        judged: dict[str, dict[str, int]] = {}
        with (home / "qrels.tsv").open() as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                if int(row["relevance"]) > 0:
                    judged.setdefault(row["query_id"], {})[row["doc_id"]] = int(row["relevance"])
        queries = {str(line["id"]): str(line["text"]) for line in lines_of(home / "queries.jsonl")}
        kept = {query_id: text for query_id, text in queries.items() if query_id in judged}
        yield Collection(home.name, list(lines_of(docs)), kept, judged)


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    with path.open("rb") as lines:
        for line in lines:
            if line.strip():
                yield orjson.loads(line)
