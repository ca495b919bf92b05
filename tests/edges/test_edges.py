"""What has to cross both edges, case by case: the gateway and the real Envoy in front of one gRPC backend."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from tests.support.things.backend import ERRORS, FILE
from tests.support.things.stack import Backend, Keys

JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
POOR = {"Content-Type": "x/poor"}
LARGE = '{"title":"' + "x" * 1_100_000 + '"}'
THINGS = "/api/v1/things"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


@dataclass(frozen=True)
class Case:
    """A request and the error it must meet; `field` is the first faulty field of a validation error."""

    name: str
    verb: str
    path: str
    status: int
    error: str
    field: str | None = None
    issue: str | None = None
    body: str | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


def posted(name: str, body: str, error: str = "validation_error", **more: Any) -> Case:
    return Case(name, "POST", THINGS, 400, error, body=body, headers=JSON, **more)


def asked(name: str, query: str, field: str) -> Case:
    return Case(name, "GET", f"{THINGS}?{query}", 400, "validation_error", field=field)


CASES = [
    posted("cut off", '{"title":', "invalid_json"),
    posted("not JSON", "hello", "invalid_json"),
    posted("NaN", '{"weight":NaN}', "invalid_json"),
    posted("not UTF-8", '{"title":"\udcff"}', "invalid_json"),
    posted("something after it", '{"title":"a"} x', "invalid_json"),
    posted("half a surrogate pair", '{"title":"\\ud800"}', "invalid_json"),
    posted("too deep", '{"metadata":' + '{"a":' * 200 + "1" + "}" * 201, "invalid_json"),
    posted("an array", "[1]", field="body"),
    posted("null", "null", field="body"),
    posted("a number for a string", '{"title":5}', field="title"),
    posted("a number for a decimal", '{"amount":50}', field="amount", issue='write "50.00"'),
    posted("a fraction for a decimal", '{"amount":12.5}', field="amount", issue='write "12.50"'),
    posted("text for an integer", '{"count":"x"}', field="count"),
    posted("a fraction for an integer", '{"count":1.5}', field="count"),
    posted("an integer too large", '{"count":99999999999}', field="count"),
    posted("a number for a boolean", '{"urgent":1}', field="urgent"),
    posted("an item of the wrong kind", '{"tags":[1]}', field="tags[0]"),
    posted("text for an object", '{"main_part":"x"}', field="main_part"),
    posted("a nested field", '{"parts":[{"name":"a"},{"size":"x"}]}', field="parts[1].size"),
    posted("a number for a free object", '{"metadata":3}', field="metadata"),
    posted("an unknown name of an enum", '{"status":"nope"}', field="status"),
    asked("unknown query parameter", "nope=2", "nope"),
    asked("text for an integer in the query", "page=x", "page"),
    asked("an empty integer in the query", "page=", "page"),
    asked("an integer too large in the query", "page=99999999999", "page"),
    asked("an integer given twice", "page=1&page=2", "page"),
    asked("no boolean in the query", "partial=maybe", "partial"),
    Case(
        "the path's field in the query", "GET", f"{THINGS}/a?thing_id=b", 400, "validation_error", "thing_id"
    ),
    Case("a query where a body is", "POST", f"{THINGS}?title=x", 400, "validation_error"),
    Case(
        "another id in the body", "POST", f"{THINGS}/a/pause", 400, "validation_error", "thing_id",
        body='{"thing_id":"b"}', headers=JSON,
    ),
    Case("unknown path", "GET", "/api/v1/nope", 404, "not_found"),
    Case("unknown path at the root", "GET", "/nope", 404, "not_found"),
    Case("a path too long", "GET", f"{THINGS}/a/b/c", 404, "not_found"),
    Case("an empty segment", "GET", f"{THINGS}//export", 404, "not_found"),
    Case("the gRPC path", "POST", "/edge.v1.Things/GetThing", 404, "not_found"),
    Case("wrong verb", "PUT", f"{THINGS}/a", 405, "method_not_allowed"),
    Case("HEAD", "HEAD", f"{THINGS}/a", 405, ""),
    Case("another media type", "POST", THINGS, 415, "unsupported_media_type", body="{}", headers=TEXT),
    Case("no media type", "POST", THINGS, 415, "unsupported_media_type", body="{}"),
    Case("a body too large", "POST", THINGS, 413, "payload_too_large", body=LARGE, headers=JSON),
    Case("refused by a rule", "GET", f"{THINGS}/invalid", 400, "validation_error", field="title"),
    Case("not found", "GET", f"{THINGS}/missing", 404, "thing_not_found"),
    Case("not paid", "POST", THINGS, 402, "insufficient_balance", body='{"title":"poor"}', headers=JSON),
    Case("away", "GET", f"{THINGS}/away", 503, "unavailable"),
    Case("a large error", "GET", f"{THINGS}/large", 400, "validation_error", field="f0"),
    Case("a code without the error JSON", "GET", f"{THINGS}/plain", 503, "unavailable"),
    Case("an unknown exception", "GET", f"{THINGS}/crash", 500, "internal"),
    Case("a file that is not there", "GET", f"{THINGS}/missing/export", 404, "thing_not_found"),
    Case("an event stream that is not there", "GET", f"{THINGS}/missing/events", 404, "thing_not_found"),
    Case("an upload that is refused", "POST", f"{THINGS}/upload", 402, "insufficient_balance", body="x", headers=POOR),
]  # fmt: skip


async def body_of(response: aiohttp.ClientResponse) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/json"
    body: dict[str, Any] = json.loads(await response.read())
    return body


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_errors_have_the_documented_json(client: aiohttp.ClientSession, case: Case) -> None:
    data = case.body.encode(errors="surrogateescape") if case.body is not None else None
    skipped = [] if "Content-Type" in case.headers else ["Content-Type"]
    async with client.request(
        case.verb, case.path, data=data, headers=case.headers, skip_auto_headers=skipped
    ) as response:
        assert response.status == case.status
        assert not [name for name in response.headers if name.lower().startswith(("grpc-", "x-prsm-"))]
        assert response.headers["X-Request-Id"]
        if case.verb == "HEAD":
            return
        body = await body_of(response)
    assert (body["error"], body["code"]) == (case.error, case.status)
    assert body.keys() - {"details"} == {"error", "message", "code", "timestamp", "request_id"}
    assert _TIME.fullmatch(body["timestamp"])
    assert "must not leak" not in body["message"]
    assert "TYPE_" not in json.dumps(body)
    if case.field is not None:
        fault = body["details"]["fields"][0]
        assert fault["field"] == case.field
        assert (case.issue or "") in fault["issue"]


async def test_the_services_error_json_comes_through_as_it_is(client: aiohttp.ClientSession) -> None:
    async with client.get(f"{THINGS}/large") as response:
        body = await body_of(response)
    assert body["details"] == ERRORS["large"][2]["details"]
    async with client.get(f"{THINGS}/away") as response:
        assert response.headers["Retry-After"] == "7"


async def test_wrong_verbs_are_told_the_right_ones(client: aiohttp.ClientSession) -> None:
    async with client.put(f"{THINGS}/a") as response:
        assert response.headers["Allow"] == "DELETE, GET"


@pytest.mark.parametrize(
    ("verb", "path", "data"),
    [
        ("GET", f"{THINGS}/a", None),
        ("GET", "/api/v1/nope", None),
        ("GET", "/api/v1", None),
        ("PUT", THINGS, None),
        ("GET", f"{THINGS}?nope=1", None),
        ("POST", THINGS, b"{"),
        ("POST", f"{THINGS}/upload", b"x"),
    ],
)
@pytest.mark.parametrize("credential", ["none", "garbage", "expired", "foreign", "basic"])
async def test_401_comes_before_anything_else(
    edge: str, keys: Keys, credential: str, verb: str, path: str, data: bytes | None
) -> None:
    tokens = {
        "none": "",
        "garbage": "Bearer a.b.c",
        "expired": f"Bearer {keys.token(ttl=-3600)}",
        "foreign": f"Bearer {keys.token(audience='others')}",
        "basic": "Basic YTpi",
    }
    headers = {"Authorization": tokens[credential]} if tokens[credential] else {}
    async with (
        aiohttp.ClientSession(edge) as anyone,
        anyone.request(verb, path, data=data, headers=headers) as response,
    ):
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")
        assert (await body_of(response))["error"] == "unauthorized"


async def test_the_token_is_taken_from_x_api_key_and_passed_on(edge: str, keys: Keys, backend: Backend) -> None:
    token = keys.token("bob")
    headers = {"X-API-Key": token}
    async with aiohttp.ClientSession(edge) as anyone, anyone.get(f"{THINGS}/a", headers=headers) as response:
        assert response.status == 200
    assert backend.things.metadata["x-api-key"] == token


async def test_created_answers_201_with_location(client: aiohttp.ClientSession) -> None:
    sent = {
        "title": "Seagrass é",
        "amount": "1.50",
        "count": 3,
        "weight": 0.1,
        "tags": ["a", ""],
        "main_part": {"name": "leaf"},
        "metadata": {"n": 1, "f": 0.30000000000000004, "list": [None, True, {"x": "y"}]},
        "not_before": "2025-07-02T12:30:00.120+02:00",
        "status": "running",
    }
    async with client.post(THINGS, json=sent, headers={"Idempotency-Key": "k-1"}) as response:
        assert response.status == 201
        assert response.headers["Location"] == f"{THINGS}/t1"
        assert await body_of(response) == {
            "thing_id": "t1",
            "title": "Seagrass é",
            "amount": "1.50",
            "progress": 3,
            "score": 0.1,
            "partial": False,
            "status": "running",
            "tags": ["a", ""],
            "parts": [],
            "main_part": {"name": "leaf", "size": 0},
            "metadata": sent["metadata"],
            "created_at": "2025-07-02T10:30:00.120Z",
            "seconds": {},
        }


async def test_headers_reach_the_service_and_come_back(client: aiohttp.ClientSession, backend: Backend) -> None:
    sent = {
        "Idempotency-Key": "key 1",
        "If-None-Match": '"v0"',
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "X-Request-Id": "my-request",
    }
    async with client.get(f"{THINGS}/a", headers=sent) as response:
        assert response.headers["ETag"] == '"v1"'
        assert response.headers["RateLimit"] == '"default";r=3;t=1'
        assert response.headers["X-Request-Id"] == "my-request"
    for name, value in sent.items():
        assert backend.things.metadata[name.lower()] == value


async def test_query_and_path_become_request_fields(client: aiohttp.ClientSession, backend: Backend) -> None:
    query = "page=2&partial=true&tags=a&tags=b%20c&filter.title=q%26r&filter.min_progress=-3"
    async with client.get(f"{THINGS}?{query}") as response:
        assert await body_of(response) == {"things": [], "total_count": 0, "page": 2}
    request = backend.things.requests[-1]
    assert (request.page, request.partial, list(request.tags)) == (2, True, ["a", "b c"])
    assert (request.filter.title, request.filter.min_progress) == ("q&r", -3)
    assert not request.HasField("limit")
    async with client.get(f"{THINGS}/a%2Fb%20c+d%C3%A9") as response:
        assert (await body_of(response))["thing_id"] == "a/b c+dé"


@pytest.mark.parametrize("data", [None, b"", b"{}", b'{"reason":"later"}', b'{"thing_id":"a"}'])
async def test_a_body_may_be_absent(client: aiohttp.ClientSession, data: bytes | None) -> None:
    headers = JSON if data else {}
    async with client.post(f"{THINGS}/a/pause", data=data, headers=headers) as response:
        assert response.status == 200
        assert (await body_of(response))["thing_id"] == "a"


async def test_a_file_streams_with_its_type_and_name(client: aiohttp.ClientSession) -> None:
    async with client.get(f"{THINGS}/report/export?format=pdf") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/pdf"
        assert response.headers["Content-Disposition"] == 'attachment; filename="report.pdf"'
        assert await response.read() == FILE


async def test_events_come_one_by_one(client: aiohttp.ClientSession, backend: Backend) -> None:
    """Each frame is read before the service is allowed to send the next one: nothing on the way can hold it back."""
    backend.things.reset()
    async with client.get(f"{THINGS}/a/events", headers={"Last-Event-ID": "41"}) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        for number in (42, 43, 44):
            frame = await response.content.readuntil(b"\n\n")
            assert frame == f'id: {number}\ndata: {{"n": {number}}}\n\n'.encode()
            backend.things.release.release()
        assert await response.content.read() == b""
    assert backend.things.metadata["last-event-id"] == "41"


async def test_the_service_learns_when_the_client_of_a_stream_leaves(
    client: aiohttp.ClientSession, backend: Backend
) -> None:
    backend.things.reset()
    async with client.get(f"{THINGS}/a/events") as response:
        await response.content.readuntil(b"\n\n")
        response.close()
    await backend.things.cancelled.wait()


async def test_an_upload_arrives_whole_in_pieces(client: aiohttp.ClientSession) -> None:
    data = FILE * 3
    kind = "multipart/form-data; boundary=abc"
    async with client.post(f"{THINGS}/upload", data=data, headers={"Content-Type": kind}) as response:
        assert response.status == 201
        body = await body_of(response)
    assert body["content_type"] == kind
    assert (body["bytes"], body["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert body["chunks"] > 1


async def test_an_empty_upload_is_one_empty_piece(client: aiohttp.ClientSession) -> None:
    async with client.post(f"{THINGS}/upload", headers={"Content-Type": "application/pdf"}) as response:
        assert response.status == 201
        assert (await body_of(response))["chunks"] == 1


async def test_lines_in_lines_out(client: aiohttp.ClientSession) -> None:
    kind = {"Content-Type": "application/x-ndjson"}
    async with client.post(f"{THINGS}/batch", data=b"{}\n" * 3, headers=kind) as response:
        assert response.headers["Content-Type"] == "application/x-ndjson"
        assert await response.read() == b'{"line": 0}\n{"line": 1}\n{"line": 2}\n'


@pytest.mark.parametrize("path", [f"{THINGS}?nope=1", f"{THINGS}/plain"])
async def test_errors_tell_their_moment_in_milliseconds(client: aiohttp.ClientSession, path: str) -> None:
    told = []
    for _ in range(4):
        async with client.get(path) as response:
            told.append((await body_of(response))["timestamp"])
    # One that is whole seconds may have no fraction.
    assert any("." in moment for moment in told), told
