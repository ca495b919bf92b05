from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eval.checks import flow_problems
from tests.unit.engines.fakes import record
from worker.engines.research.flow import kind_of, screening_of
from worker.engines.research.model import Candidate, Exclusion, Passage

STAGES = ("identification", "screening", "retrieval", "reading")
REASONS = st.sampled_from(
    ("duplicate of “A study”", "too little of what was asked: only “sleep”", "the searches found no passage of it")
)


def candidate(number: int, source: str) -> Candidate:
    return Candidate(record(f"d{number}", "text"), 1.0, 0.5, ("sleep",), (Passage(0, 4, None),), source=source)


@given(
    sources=st.lists(st.sampled_from(("library", "given", "openalex", "arxiv")), max_size=12),
    fates=st.lists(st.none() | st.sampled_from(STAGES), min_size=12, max_size=12),
    reasons=st.lists(REASONS, min_size=12, max_size=12),
    absent=st.integers(0, 3),
    more=st.integers(0, 4),
)
def test_the_flow_adds_up(
    sources: list[str], fates: list[str | None], reasons: list[str], absent: int, more: int
) -> None:
    candidates = [candidate(number, source) for number, source in enumerate(sources)]
    out = [
        Exclusion(item.document_id, "", reason, fate)
        for item, fate, reason in zip(candidates, fates, reasons, strict=False)
        if fate is not None
    ]
    named = [item.document_id for item in candidates if item.source == "given"]
    named += [f"absent-{number}" for number in range(absent)]
    flow = screening_of(candidates, out, named=named, held=len(candidates) + more)
    assert flow_problems(flow) == []
    assert flow["included"] == len(candidates) - len(out)
    assert flow["not_retrieved"] == sum(item.stage == "retrieval" for item in out) + absent
    assert flow["not_listed"] == more
    by = Counter(sources)
    for name in ("openalex", "arxiv"):
        assert flow["identified_by"].get(name, 0) == by[name]


def test_reasons_are_counted_without_what_is_particular() -> None:
    out = [
        Exclusion("d0", "", "duplicate of “One study”", "identification"),
        Exclusion("d1", "", "duplicate of “Another study”", "identification"),
        Exclusion("d2", "", "too little of what was asked: only “sleep”", "screening"),
    ]
    flow = screening_of([candidate(number, "library") for number in range(4)], out, named=(), held=4)
    assert flow["reasons"] == [
        {"stage": "identification", "reason": "duplicate", "documents": 2},
        {"stage": "screening", "reason": "too little of what was asked", "documents": 1},
    ]


def test_flow_problems_see_what_does_not_add_up() -> None:
    flow: dict[str, Any] = screening_of([candidate(0, "library"), candidate(1, "given")], [], named=(), held=2)
    assert flow_problems(flow) == []
    for name in ("identified", "screened", "sought", "assessed", "included", "duplicates_removed", "not_retrieved"):
        assert flow_problems({**flow, name: flow[name] + 1})


def test_kinds_of_reasons() -> None:
    assert kind_of("ranked below the 25 documents that are read") == "ranked below the 25 documents that are read"
    assert kind_of("read, but no sentence of it says enough about the prompt") == (
        "read, but no sentence of it says enough about the prompt"
    )
