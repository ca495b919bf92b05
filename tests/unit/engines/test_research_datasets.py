from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.engines.fakes import Context, Library, run_engine
from tests.unit.engines.sample import library
from worker.engines.base import EngineError, Job
from worker.engines.research.confidence import Confidence
from worker.engines.research.data_blocks import BOTH_FORMULA, DATA_FORMULA
from worker.engines.research.engine import ResearchEngine
from worker.engines.research.prose import stated

ROWS = "\n".join(f"{year},{20 + 2 * (year - 2000)}" for year in range(2000, 2020))
DATA = f"year,recall\n{ROWS}\n".encode()
PROMPT = "How does spaced practice affect long-term retention?"


def context_for(sources: Library, *datasets: str, **job: Any) -> Context:
    return Context(Job("s", "research", PROMPT, datasets=datasets, **job), sources)


def with_data(made: Library, **files: bytes) -> Library:
    for name, data in files.items():
        made.datasets[name] = (f"{name}.csv", data)
    return made


async def test_datasets_are_analysed_beside_the_documents() -> None:
    context = context_for(with_data(library(), recall=DATA), "recall")
    result = await run_engine(ResearchEngine(), context)
    plain = await run_engine(ResearchEngine(), context_for(library()))
    assert result["summary"].startswith(plain["summary"])
    assert "In the data: " in result["summary"]
    assert result["confidence_score"] == plain["confidence_score"]
    assert {entry["dataset"] for entry in result["analysis"]} == {"recall.csv"}
    assert result["tables"]
    assert result["figures"]
    found = [finding for finding in result["key_findings"] if finding.get("dataset") == "recall.csv"]
    assert found
    assert all(finding["citations"] == [] and finding["document_id"] == "recall" for finding in found)
    assert result["sections"][-1]["heading"] == "How this was made"
    assert "recall.csv: findings" in [section["heading"] for section in result["sections"]]
    assert context.used["row_read"] == 20
    assert any(entry["decision"].startswith("recall.csv") for entry in context.decisions)


async def test_datasets_alone_make_an_answer() -> None:
    result = await run_engine(ResearchEngine(), context_for(with_data(Library(), recall=DATA), "recall"))
    assert result["answered"]
    assert result["summary"].startswith(result["key_findings"][0]["text"])
    assert result["citations"] == []
    assert 0 < result["confidence_score"] <= 1
    assert result["methods"]["confidence"] == {"formula": DATA_FORMULA, "parts": {"data": result["confidence_score"]}}


async def test_two_datasets_of_one_name_are_told_apart() -> None:
    sources = Library(datasets={"a": ("recall.csv", DATA), "b": ("recall.csv", DATA)})
    result = await run_engine(ResearchEngine(), context_for(sources, "a", "b"))
    assert {entry["dataset"] for entry in result["analysis"]} == {"recall.csv", "recall.csv (2)"}
    ids = [item["id"] for section in result["sections"] for item in (section, *section["claims"])]
    assert len(set(ids)) == len(ids)


async def test_a_dataset_that_cannot_be_read_is_left_out() -> None:
    context = context_for(with_data(library(), empty=b"", recall=DATA), "empty", "recall")
    result = await run_engine(ResearchEngine(), context)
    assert {entry["dataset"] for entry in result["analysis"]} == {"recall.csv"}
    assert "dataset left out" in [entry["decision"] for entry in context.decisions]


async def test_nothing_but_an_unreadable_dataset_is_an_error() -> None:
    with pytest.raises(EngineError):
        await run_engine(ResearchEngine(), context_for(with_data(Library(), empty=b""), "empty"))


async def test_writing_up_leaves_the_remaining_datasets() -> None:
    context = context_for(with_data(Library(), a=DATA, b=DATA), "a", "b")
    context.write_up_after = 1
    result = await run_engine(ResearchEngine(), context)
    assert result["partial"]
    assert {entry["dataset"] for entry in result["analysis"]} == {"a.csv"}


async def test_same_datasets_give_the_same_bytes() -> None:
    sources = with_data(library(), recall=DATA)
    first = await run_engine(ResearchEngine(), context_for(sources, "recall"))
    second = await run_engine(ResearchEngine(), context_for(sources, "recall"))
    assert json.dumps(first) == json.dumps(second)


async def test_a_prompt_about_the_data_is_answered_by_the_data_first() -> None:
    sources = with_data(library(), recall=DATA)
    asked = "Does recall grow with the year, and does spaced practice improve long-term retention?"
    context = Context(Job("s", "research", asked, datasets=("recall",)), sources)
    result = await run_engine(ResearchEngine(), context)
    assert result["summary"].startswith("In the data: recall is rising over year")
    assert "In the documents: " in result["summary"]
    assert result["key_findings"][0]["support"] == "computed"
    assert any(finding["support"] == "supported" for finding in result["key_findings"])
    plain = await run_engine(ResearchEngine(), Context(Job("s", "research", asked), library()))
    told = result["methods"]["confidence"]
    assert told["documents"] == plain["methods"]["confidence"]
    assert told["parts"]["documents"] == plain["confidence_score"]
    both = Confidence(result["confidence_score"], {})
    assert both.score == pytest.approx(sum(told["parts"].values()) / 2, abs=1e-4)
    assert told["formula"] == BOTH_FORMULA
    assert result["summary"].count("Confidence") == 1
    assert (
        f"Confidence: from the data {told['parts']['data']:.2f}, from the documents {plain['confidence_score']:.2f}; "
        f"together {stated(both)}."
    ) in result["summary"]


async def test_hypotheses_are_tested_whether_or_not_the_prompt_names_them() -> None:
    result = await run_engine(ResearchEngine(), context_for(with_data(library(), recall=DATA), "recall"))
    assert [(item["dataset"], item["supported"]) for item in result["hypotheses"]] == [("recall.csv", True)]
    assert "Hypotheses" in {table["title"] for table in result["tables"]}
    tasks = {"tasks": [{"kind": "describe"}]}
    named = context_for(with_data(library(), recall=DATA), "recall", preferences={"analysis": tasks})
    assert (await run_engine(ResearchEngine(), named))["hypotheses"] == []
