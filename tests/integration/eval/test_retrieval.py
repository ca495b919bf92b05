"""The retrieval part of the evaluation, on a collection of a few documents whose scores can be worked out by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from eval.options import Options
from eval.product import Product
from eval.retrieval import evaluated, measure

DOCUMENTS = {
    "tides": ("Tides", "The moon raises the tides of the sea twice a day."),
    "bread": ("Bread", "Yeast turns sugar into gas, and the dough rises before it is baked."),
    "bees": ("Bees", "A forager tells the hive by a dance where the nectar is."),
    "glass": ("Glass", "Sand, soda and lime are molten together and cooled slowly."),
}
QUERIES = {"1": "why does the sea have tides", "2": "how do bees tell where nectar is", "3": "not judged by anybody"}
JUDGED = [("1", "tides", 1), ("2", "bees", 1), ("2", "bread", 0)]


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """A folder with one collection, as `make eval` takes it."""
    home = tmp_path / "some" / "where"
    home.mkdir(parents=True)
    docs = [{"id": name, "title": title, "text": text} for name, (title, text) in DOCUMENTS.items()]
    home.joinpath("docs.jsonl").write_text("\n".join(map(json.dumps, docs)))
    queries = [{"id": name, "text": text} for name, text in QUERIES.items()]
    home.joinpath("queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    lines = ["query_id\tdoc_id\trelevance", *("\t".join(map(str, row)) for row in JUDGED)]
    home.joinpath("qrels.tsv").write_text("\n".join(lines))
    return tmp_path


async def test_the_product_is_asked_and_scored(product: Product, collection: Path) -> None:
    report = await measure(product, collection, Options())
    (ours, theirs) = report.tables[0].rows
    assert ours[:5] == ["where", "PRSM", 1.0, 1.0, 1.0]
    assert theirs[:2] == ["where", "bm25s (stems, stop words)"]
    assert not report.problems


def test_a_relevant_document_at_rank_two_counts_by_the_logarithm() -> None:
    scores = evaluated({"1": {"a": 1}, "2": {"c": 1}}, {"1": {"b": 2.0, "a": 1.0}})
    assert scores["nDCG@10"] == pytest.approx(1 / math.log2(3) / 2)
    assert scores["Recall@100"] == 0.5, "a query that found nothing counts as well"
    assert scores["MAP"] == 0.25
