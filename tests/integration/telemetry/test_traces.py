"""One trace for each session, from the client's request to the last attempt and the settlement."""

from __future__ import annotations

from tests.integration.telemetry.conftest import CLIENT_SPAN, CLIENT_TRACE, Run
from tests.support.collector import Span

CREATE = "prsm.session.v1.SessionService/CreateSession"


def only(spans: list[Span], name: str, service: str = "") -> Span:
    (found,) = [span for span in spans if span.name == name and (not service or span.service == service)]
    return found


def parent_of(spans: list[Span], span: Span) -> Span:
    (found,) = [each for each in spans if each.span_id == span.parent]
    return found


async def test_the_client_s_trace_goes_through_every_part(run: Run) -> None:
    trace = run.trace_of(run.real)
    assert {span.trace_id for span in trace} == {CLIENT_TRACE}
    parts = {"prsm-gateway", "prsm-session", "prsm-billing", "prsm-library", "prsm-worker", "prsm-results"}
    assert {span.service for span in trace} >= parts


async def test_each_span_hangs_on_the_one_that_caused_it(run: Run) -> None:
    trace = run.trace_of(run.real)
    request = only(trace, "POST /api/v1/sessions")
    assert request.parent == CLIENT_SPAN
    create = only(trace, CREATE)
    assert create.parent == request.span_id
    hold = only(trace, "prsm.billing.v1.LedgerService/PlaceHold")
    assert (hold.service, parent_of(trace, hold).name) == ("prsm-billing", "billing/PlaceHold")
    assert parent_of(trace, parent_of(trace, hold)) == create
    attempt = only(trace, "attempt research")
    assert attempt.parent == create.span_id
    write = only(trace, "stage write")
    assert (write.service, write.parent) == ("prsm-worker", attempt.span_id)
    stored = [span for span in trace if span.name == "prsm.results.v1.ArtifactService/PutArtifact"]
    assert {parent_of(trace, parent_of(trace, span)).name for span in stored} >= {"stage plan", "stage write"}
    known = {span.span_id for span in trace}
    assert [span for span in trace if span.parent not in known] == [request]


async def test_events_travel_in_the_trace(run: Run) -> None:
    trace = run.trace_of(run.real)
    published = only(trace, "publish session.completed")
    assert parent_of(trace, published).name == CREATE
    consumed = [span for span in trace if span.name == "consume session.completed"]
    assert {span.service for span in consumed} == {"prsm-billing", "prsm-library"}
    assert {span.parent for span in consumed} == {published.span_id}
    writes = [span for span in trace if span.name == "db.write" and span.parent in {each.span_id for each in consumed}]
    assert "prsm-billing" in {span.service for span in writes}


async def test_a_later_attempt_joins_the_trace_of_the_creation(run: Run) -> None:
    trace = run.trace_of(run.led)
    create = only(trace, CREATE)
    attempts = [span for span in trace if span.name == "attempt signal"]
    assert [span.attributes["prsm.epoch"] for span in attempts] == [1, 3]
    assert {span.parent for span in attempts} == {create.span_id}
    assert [span.attributes["prsm.ending"] for span in attempts] == ["dropped", "completed"]
    assert trace[0].trace_id != CLIENT_TRACE


async def test_polling_and_heartbeats_make_no_traces(run: Run) -> None:
    names = {span.name for span in run.spans}
    assert not [name for name in names if name.endswith(("/ClaimNext", "/Heartbeat"))]
    roots = {span.name.partition(" ")[0] for span in run.spans if not span.parent}
    assert roots <= {"GET", "POST"}


async def test_failures_are_marked_and_carry_no_texts(run: Run) -> None:
    refused = [span for span in run.spans if span.attributes.get("http.response.status_code") == 401]
    assert len(refused) == 1
    assert not refused[0].failed
    values = " ".join(str(value) for span in run.spans for value in (span.name, *span.attributes.values()))
    assert "zebrafish" not in values
    assert "zanzibar" not in values
