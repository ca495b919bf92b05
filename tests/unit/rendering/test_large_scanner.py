"""Indexes of documents: nothing is lost between the ranges, and what is not canonical is told."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.results.large.index import Index, Node, dump_index, load_index
from services.results.large.scanner import NotCanonical, scan

_TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(['"', "\\", '\\"', '","', "},{", '},{"', "],[", "\u0000", "\u2028", "é", "\U0001f600", "a" * 90]),
)
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False), _TEXTS
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=8),
        st.dictionaries(_TEXTS, inner, max_size=5),
        st.tuples(inner, st.integers(2, 30)).map(lambda pair: [pair[0]] * pair[1]),
    ),
    max_leaves=25,
)
DOCUMENTS = st.dictionaries(_TEXTS, _VALUES, max_size=6)
GRAINS = st.sampled_from([1, 2, 7, 24, 100, 64 * 1024])


def canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def rebuilt(data: bytes, node: Node) -> Any:
    """The value of a node, from its ranges alone."""
    found: Any = [] if node.is_list else {}
    for run in node.runs:
        if run.node is not None:
            value = rebuilt(data, run.node)
            assert data[run.start : run.end].endswith(data[run.node.start : run.node.end])
            found = [*found, value] if node.is_list else {**found, run.first: value}
            continue
        inner = data[run.start : run.end]
        values = orjson.loads(b"[" + inner + b"]" if node.is_list else b"{" + inner + b"}")
        assert len(values) == run.count
        assert run.first == (len(found) if node.is_list else next(iter(values)))
        found = [*found, *values] if node.is_list else {**found, **values}
    assert len(found) == node.count
    return found


@settings(max_examples=40, deadline=None)
@given(DOCUMENTS, GRAINS, st.integers(1, 50))
def test_the_ranges_hold_the_document(document: dict[str, Any], grain: int, portion: int) -> None:
    data = canonical(document)
    source = io.BytesIO(data)
    index = scan(lambda size: source.read(min(size, portion)), grain=grain)
    assert rebuilt(data, index.root) == document
    assert index.size == len(data)
    assert all(document[name] == value for name, value in index.small.items())
    assert load_index(dump_index(index)) == index


@settings(max_examples=40, deadline=None)
@given(DOCUMENTS, GRAINS)
def test_a_document_written_otherwise_is_told(document: dict[str, Any], grain: int) -> None:
    data = canonical(document)
    spaced = orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)
    if spaced != data:
        with pytest.raises(NotCanonical):
            scan(io.BytesIO(spaced).read, grain=grain)
    for cut in {1, len(data) // 2, len(data) - 1}:
        with pytest.raises(NotCanonical):
            scan(io.BytesIO(data[:cut]).read, grain=grain)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b'{"b":1,"a":2}',
        b'{"a":1,"a":2}',
        b'{"a":1}\n',
        b'{"a":1.0e1}',
        b'{"a":01}',
        b'{"a":1.50}',
        b'{"a":"\\u0061"}',
        b'{"a":NaN}',
        b'{"a":[1,2,]}',
        b'{"a":[1 ,2]}',
        b'{"a":[{"y":1,"x":1},{"y":1,"x":1}]}',
        b'{"a":"\xff"}',
        b'{"a":' + b"[" * 3000,
        b'{"a":18446744073709551616}',
    ],
)
@pytest.mark.parametrize("grain", [2, 64 * 1024])
def test_each_departure_from_the_canonical_form_is_seen(text: bytes, grain: int) -> None:
    with pytest.raises(NotCanonical):
        scan(io.BytesIO(text).read, grain=grain)


def test_long_lists_are_cut_into_runs_and_large_items_have_nodes_of_their_own() -> None:
    passages = [{"end": n + 9, "quote": f"Quote {n}: " + "word " * 30, "start": n} for n in range(2000)]
    document = {"citations": [{"id": f"r{n}", "passages": passages[: n * 500]} for n in range(4)], "title": "t"}
    data = canonical(document)
    index = scan(io.BytesIO(data).read, grain=4096)
    citations = index.root.runs[0].node
    assert citations is not None
    assert citations.count == 4
    nodes = [run.node for run in citations.runs if run.node is not None]
    assert len(nodes) == 3
    held = nodes[-1].runs[1].node
    assert held is not None
    assert held.count == 1500
    assert all(run.end - run.start < 3 * 4096 for run in held.runs)
    assert rebuilt(data, index.root) == document
    assert index.small == {"title": "t"}


def test_an_index_of_another_version_is_not_read() -> None:
    stored = orjson.loads(dump_index(Index(Node(False, 0, 2, 0, ()), 2, {})))
    assert load_index(orjson.dumps({**stored, "version": 0})) is None
