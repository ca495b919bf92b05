"""What the session service keeps of a result."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.meter import ProcessMeter
from worker.outcome import NotAResult, canonical, cited_documents, compact

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(_JSON)
def test_equal_values_have_equal_bytes(value: object) -> None:
    def turned(v: object) -> object:
        if isinstance(v, dict):
            return {key: turned(v[key]) for key in reversed(list(v))}
        return [turned(item) for item in v] if isinstance(v, list) else v

    assert canonical(turned(value)) == canonical(value)


@pytest.mark.parametrize("document", [None, [], "text", {}, {"summary": None}])
def test_what_has_no_summary_is_no_result(document: object) -> None:
    with pytest.raises(NotAResult):
        compact(document)


def test_missing_parts_take_their_defaults() -> None:
    assert compact({"summary": "S"}) == {
        "title": "",
        "partial": False,
        "summary": "S",
        "key_findings": [],
        "confidence_score": 0.0,
    }


def test_cited_documents_keep_their_order_without_repeats() -> None:
    citations = [{"document_id": "b"}, {"document_id": "a"}, {"document_id": "b"}, {"document_id": None}, {}]
    assert cited_documents({"citations": citations}) == ["b", "a"]


def test_the_peak_is_measured_from_the_beginning_of_a_measurement() -> None:
    first = ProcessMeter()
    block = bytearray(64 * 1024 * 1024)
    high = first.peak_memory_mb()
    del block
    second = ProcessMeter()
    assert second.peak_memory_mb() < high - 32
    assert 0 <= second.cpu_seconds() <= first.cpu_seconds()


def test_memory_is_told_in_megabytes_of_a_million_bytes() -> None:
    status = Path("/proc/self/status")
    meter = ProcessMeter()
    (resident,) = (int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    assert round(meter.peak_memory_mb() * 1e6) >= resident * 1024


def test_the_compact_form_stays_small_however_long_the_texts_are() -> None:
    long = "word " * 100_000
    finding = {"id": "f", "text": long, "citations": [f"r{n}" for n in range(5000)], "confidence": 0.5}
    made = compact({"title": long, "summary": long, "key_findings": [finding] * 50})
    assert len(canonical(dict(made))) < 400_000
    assert made["summary"].startswith("word ")
    assert made["summary"].endswith("…")
    assert len(made["key_findings"]) == 10
