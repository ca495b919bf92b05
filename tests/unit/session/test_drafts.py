"""The rules for a new session that need no look at anything else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kit.errors import Fault, ValidationError
from kit.rpc.validation import RequestValidator
from kit.times import MINUTE
from prsm.session.v1 import session_pb2
from services.session.domain import OnLimit, SessionType
from services.session.drafts import Catalogue, DatasetDraft, DocumentDraft, Draft, EngineKind, check, rules

CATALOGUE = Catalogue(
    engines={
        "research": EngineKind(frozenset({SessionType.RESEARCH})),
        "analysis": EngineKind(frozenset({SessionType.ANALYSIS})),
        "synthesis": EngineKind(frozenset({SessionType.SYNTHESIS})),
        "stiff": EngineKind(frozenset({SessionType.RESEARCH}), pausable=False),
    },
    urls=False,
    default_time_limit=60 * MINUTE,
)


def faults(**fields: Any) -> list[tuple[str, str]]:
    draft = Draft(**{"prompt": "Why?", **fields})
    with pytest.raises(ValidationError) as refused:
        check(draft, CATALOGUE)
    return [(fault.field, fault.issue) for fault in refused.value.faults]


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"x": value}
    return value


def test_defaults() -> None:
    drafted = check(Draft("Why?"), CATALOGUE)
    assert (drafted.session_type, drafted.engine, drafted.on_limit) == (
        SessionType.RESEARCH,
        "research",
        OnLimit.FINISH,
    )
    assert (drafted.limit, drafted.time_limit, drafted.depth) == (None, 60 * MINUTE, "standard")
    assert drafted.uses_library
    assert not drafted.documents
    assert not drafted.datasets


def test_what_is_asked_for() -> None:
    preferences = {"engine": "stiff", "time_limit_minutes": 5, "depth": "deep", "max_documents": 7}
    draft = Draft("Why?", limit="12.50", on_limit="fail", preferences=preferences, documents=(DocumentDraft("d1"),))
    drafted = check(draft, CATALOGUE)
    assert (drafted.engine, drafted.pausable, drafted.limit) == ("stiff", False, 12_500_000)
    assert (drafted.time_limit, drafted.depth, drafted.max_documents) == (5 * MINUTE, "deep", 7)
    assert not drafted.uses_library


@pytest.mark.parametrize("prompt", [" ", "\n\t", "\u2003"])
def test_a_blank_prompt(prompt: str) -> None:
    assert faults(prompt=prompt) == [("prompt", "must not be blank")]


@pytest.mark.parametrize("limit", ["50,00", "1e2", "-1.00", "", "0.0000001", "NaN", " 1.00", "1.", "٣.00"])
def test_a_limit_that_is_no_amount_shows_the_cure(limit: str) -> None:
    ((field, issue),) = faults(limit=limit)
    assert field == "budget.limit"
    assert '"50.00"' in issue


def test_a_limit_of_nothing() -> None:
    assert faults(limit="0.00")[0][0] == "budget.limit"


def test_metadata_is_bounded() -> None:
    assert check(Draft("Why?", metadata=nested(16)), CATALOGUE).metadata == nested(16)
    assert faults(metadata=nested(17)) == [("metadata", "must not be nested deeper than 16 levels")]
    assert faults(metadata={"list": [nested(15)]})[0][0] == "metadata"
    size = 16 * 1024 - len('{"a":""}')
    check(Draft("Why?", metadata={"a": "x" * size}), CATALOGUE)
    assert faults(metadata={"a": "x" * (size + 1)}) == [("metadata", "must be at most 16384 bytes as JSON")]
    assert faults(metadata={"a": [float("nan")]})[0][1] == "must not contain numbers that are not finite"
    assert faults(preferences={"analysis": {"a": float("inf")}})[0][0] == "preferences.analysis"


def test_an_analysis_is_checked_as_far_as_that_needs_no_data() -> None:
    asked = {"analysis": {"tasks": ["describe", "corelation"], "colour": "red"}}
    fields = [field for field, _ in faults(session_type="analysis", datasets=(DatasetDraft("d1"),), preferences=asked)]
    assert fields == ["preferences.analysis.colour", "preferences.analysis.tasks[1]"]
    assert "did you mean 'correlation'?" in faults(preferences=asked)[1][1]
    assert check(Draft("Why?", preferences={"engine": "stiff", **asked}), CATALOGUE).engine == "stiff"


def test_values_of_tasks_are_checked_at_creation() -> None:
    tasks = [{"kind": "cluster", "k": "three"}, {"kind": "regression", "formula": "weight ~ age +"}]
    asked = {"analysis": {"tasks": tasks, "read": {"decimal": "x"}}}
    found = faults(session_type="analysis", datasets=(DatasetDraft("d1"),), preferences=asked)
    assert found == [
        ("preferences.analysis.read.decimal", "must be one of '.', ','"),
        ("preferences.analysis.tasks[0].k", "must be a whole number from 1 to 20"),
        ("preferences.analysis.tasks[1].formula", "a term is missing after '+', at the end"),
    ]


def test_an_empty_dataset_has_one_fault() -> None:
    message = session_pb2.CreateSessionRequest(prompt="Describe")
    message.inputs.datasets.add(name="e.csv", csv="")
    assert RequestValidator().faults(message) == [Fault("inputs.datasets[0].csv", "must not be empty")]
    draft = Draft("Describe", session_type="analysis", datasets=(DatasetDraft(name="e.csv", csv=""),))
    assert list(rules(draft, CATALOGUE)) == []
    blank = faults(session_type="analysis", datasets=(DatasetDraft(name="e.csv", csv=" "),))
    assert blank == [("inputs.datasets[0].csv", "must not be blank")]


def test_engines_and_connectors_of_this_installation() -> None:
    assert faults(preferences={"engine": "analysis"}) == [
        ("preferences.engine", "is no engine for research sessions: use research, stiff")
    ]
    assert faults(preferences={"connectors": ["papers", "none"]}) == [("preferences.connectors[1]", "must stand alone")]


_DOCUMENT = "give exactly one of {document_id}, {title, text}, {url}"
_DATASET = "give exactly one of {document_id}, {name, csv}, {name, rows}, {url}"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (DocumentDraft(), [("", _DOCUMENT)]),
        (DocumentDraft("d1", title="x"), [("", _DOCUMENT)]),
        (DocumentDraft("d1", url="https://example.org"), [("", _DOCUMENT)]),
        (DocumentDraft(title="x"), [(".text", "is needed with title")]),
        (DocumentDraft(text="x"), [(".title", "is needed with text")]),
        (DocumentDraft(title=" ", text="\n"), [(".title", "must not be blank"), (".text", "must not be blank")]),
    ],
)
def test_each_document_has_one_form(document: DocumentDraft, expected: list[tuple[str, str]]) -> None:
    found = faults(documents=(DocumentDraft("fine"), document))
    assert found == [(f"inputs.documents[1]{suffix}", issue) for suffix, issue in expected]


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        (DatasetDraft(), [("", _DATASET)]),
        (DatasetDraft(name="x", csv="a", rows=[{}]), [("", _DATASET)]),
        (DatasetDraft("d1", csv="a"), [("", _DATASET)]),
        (DatasetDraft(name="x"), [(".csv", "is needed with name")]),
        (DatasetDraft(csv="a,b"), [(".name", "is needed with csv")]),
        (DatasetDraft(rows=[{}]), [(".name", "is needed with rows")]),
        (DatasetDraft(name="x", rows=[]), [(".rows", "must not be empty")]),
        (DatasetDraft(name="x", rows=[1]), [(".rows", "must be objects, or arrays whose first is the header")]),
        (DatasetDraft(name="x", rows=[{}, []]), [(".rows", "must be objects, or arrays whose first is the header")]),
        (
            DatasetDraft(name="x", rows=[{"a": float("inf")}]),
            [(".rows", "must not contain numbers that are not finite")],
        ),
    ],
)
def test_each_dataset_has_one_form(dataset: DatasetDraft, expected: list[tuple[str, str]]) -> None:
    found = faults(datasets=(dataset,))
    assert found == [(f"inputs.datasets[0]{suffix}", issue) for suffix, issue in expected]


@pytest.mark.parametrize("kind", ["analysis", "synthesis"])
def test_a_language_model_is_for_research(kind: str) -> None:
    offered = replace(CATALOGUE, model=True)
    sources: dict[str, Any] = {"datasets": (DatasetDraft("d1"),)} if kind == "analysis" else {"sessions": ("a", "b")}
    with pytest.raises(ValidationError) as refused:
        check(Draft("Why?", session_type=kind, preferences={"model": "default"}, **sources), offered)
    assert [fault.field for fault in refused.value.faults] == ["preferences.model"]
    assert not check(Draft("Why?", session_type=kind, preferences={"model": "none"}, **sources), offered).model


def test_a_language_model_has_to_be_there() -> None:
    (field, _) = faults(preferences={"model": "default"})[0]
    assert field == "preferences.model"
    offered = replace(CATALOGUE, model=True)
    drafts = {
        name: check(Draft("Why?", preferences=preferences), offered).model
        for name, preferences in (("unsaid", {}), ("default", {"model": "default"}), ("none", {"model": "none"}))
    }
    assert drafts == {"unsaid": True, "default": True, "none": False}
    assert not check(Draft("Why?", preferences={"model": "none"}), CATALOGUE).model
    assert not check(Draft("Why?"), CATALOGUE).model


def test_fetching_has_to_be_enabled() -> None:
    ((field, issue),) = faults(documents=(DocumentDraft(url="https://example.org"),))
    assert field == "inputs.documents[0].url"
    assert "not enabled" in issue


def test_what_a_type_needs() -> None:
    assert faults(session_type="analysis") == [("inputs.datasets", "an analysis needs at least one dataset")]
    assert faults(session_type="synthesis", sessions=("a",)) == [
        ("inputs.sessions", "a synthesis needs at least two completed sessions")
    ]


def test_all_faults_at_once() -> None:
    found = faults(prompt=" ", limit="x", session_type="analysis", preferences={"connectors": ["none", "web"]})
    assert [field for field, _ in found] == ["prompt", "budget.limit", "preferences.connectors[0]", "inputs.datasets"]


@pytest.mark.parametrize(
    ("tag", "issue"), [("xx-DE", '"xx-DE" is no language of ISO 639'), ("english", "is no language")]
)
def test_the_language_of_reports_is_one(tag: str, issue: str) -> None:
    cure = 'write a tag such as "en", "de" or "pt-BR"'
    assert faults(preferences={"language": tag}) == [("preferences.language", f"{issue}: {cure}")]
    assert check(Draft("Why?", preferences={"language": "pt-BR"}), CATALOGUE).preferences == {"language": "pt-BR"}
