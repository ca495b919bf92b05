"""Messages: JSON values both ways, and pages that one answer can hold."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import Parse
from google.protobuf.struct_pb2 import ListValue, Struct
from hypothesis import given
from hypothesis import strategies as st

from kit.paging import Page
from prsm.session.v1 import session_pb2
from services.session.convert import json_values
from services.session.convert.analytics import metrics_message
from services.session.convert.requests import draft_of
from services.session.convert.sessions import listed_message
from services.session.usecases.get_session_metrics import Metrics
from services.session.usecases.list_sessions import Listed, Summary
from services.session.views import SessionView
from tests.unit.session.build import FTNS, queued

scalars = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=20
)


@given(st.dictionaries(st.text(max_size=5), values))
def test_objects_come_back_equal(value: dict[str, Any]) -> None:
    struct = Struct()
    json_values.fill(struct, value)
    assert json_values.object_of(Struct.FromString(struct.SerializeToString())) == value


def test_rows_come_out_as_they_went_in() -> None:
    rows = Parse('[{"a": 1.5, "b": "x"}]', ListValue())
    assert json_values.list_of(rows) == [{"a": 1.5, "b": "x"}]


def test_a_draft_holds_what_was_given_and_nothing_else() -> None:
    request = session_pb2.CreateSessionRequest(prompt="Why?")
    draft = draft_of(request)
    assert (draft.preferences, draft.metadata, draft.limit, draft.on_limit) == ({}, {}, None, None)
    request.preferences.seed = 0
    request.preferences.connectors.append("papers")
    Parse("[[1, 2]]", request.inputs.datasets.add(name="x").rows)
    draft = draft_of(request)
    assert draft.preferences == {"seed": 0, "connectors": ["papers"]}
    assert (draft.datasets[0].rows, draft.datasets[0].csv) == ([[1.0, 2.0]], None)


def view(prompt: str, metadata: str = "{}") -> SessionView:
    return SessionView(
        session_id="s1", owner="ada", status="queued", progress=0, current_stage="", session_type="research",
        prompt=prompt, preferences="{}", metadata=metadata, inputs="", budget_limit=0, on_limit="finish",
        created_at=1_500, updated_at=1_500, started_at=None, finished_at=None, usage="{}", open_stage=None, running=0,
        initializing=0, cpu=0, cpu_claim=0, peak_memory=0, bytes_stored=0, bytes_claim=0, results=None, error=None,
    )  # fmt: skip


def listed(views: list[SessionView]) -> session_pb2.ListSessionsResponse:
    return listed_message(Listed(views, Page(), Summary(), None), "FTNS")


def test_an_ordinary_page_is_whole() -> None:
    message = listed([view("p" * 2000, '{"a":"b"}')] * 100)
    assert all(len(s.prompt) == 2000 and s.metadata.fields for s in message.sessions)


def test_a_page_of_very_long_prompts_is_cut() -> None:
    message = listed([view("ü" * 20_000, '{"a":"b"}')] * 100)
    assert message.ByteSize() < 1024 * 1024
    assert {len(s.prompt) for s in message.sessions} == {501}
    assert all(s.metadata.fields for s in message.sessions)


def test_a_page_of_very_large_metadata_leaves_some_out() -> None:
    message = listed([view("Why?", '{"a":"%s"}' % ("x" * 16_000))] * 100)
    assert message.ByteSize() < 1024 * 1024
    assert all(s.HasField("metadata") for s in message.sessions)
    assert 50 < sum(bool(s.metadata.fields) for s in message.sessions) < 60


def test_times_are_cut_to_milliseconds() -> None:
    message = listed([view("Why?")])
    assert message.sessions[0].created_at.nanos == 1_000_000


@pytest.mark.parametrize(("running", "seconds"), [(0, 0), (570_000, 1), (2_000_000, 2), (2_000_001, 3)])
def test_work_done_takes_at_least_a_second(running: int, seconds: int) -> None:
    session = queued(running=running)
    measured = Metrics(session, (), 0, 0, 0, {}, 0.0, 0.0)
    assert metrics_message(measured, FTNS).execution_time == seconds
