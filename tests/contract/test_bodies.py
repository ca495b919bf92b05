"""Bodies that are none, too large or of another type, and paths and verbs that are not there."""

from __future__ import annotations

import aiohttp
import pytest

from tests.contract.assertions import assert_error
from tests.contract.calls import given
from tests.contract.table import Endpoint, load
from tests.contract.world import World
from tests.support.rest import API

TABLE = load()
TAKES_JSON = [endpoint for endpoint in TABLE.endpoints if endpoint.takes_json]
JSON_TYPE = {"Content-Type": "application/json"}
MALFORMED = {"cut short": b'{"prompt": "a', "no JSON": b"prompt=a", "no UTF-8": b'{"prompt": "\xff"}'}
NO_OBJECTS = {"a list": b"[]", "a text": b'"prompt"', "a number": b"5"}
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.mark.parametrize("kind", MALFORMED)
@pytest.mark.parametrize("endpoint", TAKES_JSON, ids=lambda e: e.name)
async def test_malformed_json(world: World, endpoint: Endpoint, kind: str) -> None:
    made = await given(world, endpoint.given)
    path = endpoint.path.format(**made.path)
    answer = await made.api.send(endpoint.method, path, raw=MALFORMED[kind], headers=JSON_TYPE)
    assert_error(answer, 400, "invalid_json")


@pytest.mark.parametrize("kind", NO_OBJECTS)
async def test_json_that_is_no_object(world: World, kind: str) -> None:
    made = await given(world, "own_library")
    answer = await made.api.send("POST", f"{API}/sessions", raw=NO_OBJECTS[kind], headers=JSON_TYPE)
    assert answer.status == 400
    assert answer.body["error"] in ("invalid_json", "validation_error")


async def test_a_text_in_place_of_an_input_is_told_what_to_write(world: World) -> None:
    made = await given(world, "own_library")
    body = {"prompt": "a", "inputs": {"documents": [world.new_id()]}}
    answer = await made.api.send("POST", f"{API}/sessions", body=body)
    assert_error(answer, 400, "validation_error")
    issue = 'must be an object, not a string: write {"document_id": "…"}'
    assert answer.body["details"] == {"fields": [{"field": "inputs.documents[0]", "issue": issue}]}


@pytest.mark.parametrize("endpoint", TAKES_JSON, ids=lambda e: e.name)
async def test_other_content_type(world: World, endpoint: Endpoint) -> None:
    made = await given(world, endpoint.given)
    path = endpoint.path.format(**made.path)
    answer = await made.api.send(endpoint.method, path, raw=b"a=b", headers={"Content-Type": "text/plain"})
    assert_error(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/grpc", "application/grpc+proto"])
async def test_rest_is_not_another_way_to_grpc(world: World, content_type: str) -> None:
    made = await given(world, "one_file")
    headers = {"Content-Type": content_type}
    assert (await made.api.send("GET", f"{API}/sessions", headers=headers)).status == 200
    for path in ("/documents/upload", "/sessions"):
        answer = await made.api.send("POST", API + path, raw=made.raw, headers=headers)
        assert_error(answer, 415, "unsupported_media_type")


async def test_body_over_a_mebibyte(world: World) -> None:
    made = await given(world, "own_library")
    raw = b'{"prompt": "a", "metadata": {"note": "' + b"x" * (1024 * 1024) + b'"}}'
    answer = await made.api.send("POST", f"{API}/sessions", raw=raw, headers=JSON_TYPE)
    assert_error(answer, 413, "payload_too_large")
    assert (await made.api.get("/billing/balance"))["held"] == "0.00"


async def test_json_nested_too_deep(world: World) -> None:
    made = await given(world, "own_library")
    raw = b'{"prompt": "a", "metadata": ' + b'{"a": ' * 5000 + b"1" + b"}" * 5000 + b"}"
    answer = await made.api.send("POST", f"{API}/sessions", raw=raw, headers=JSON_TYPE)
    assert answer.status == 400
    assert answer.body["error"] in ("invalid_json", "validation_error")


def _paths() -> dict[str, set[str]]:
    paths: dict[str, set[str]] = {}
    for endpoint in TABLE.endpoints:
        paths.setdefault(endpoint.path, set()).add(endpoint.method)
    return paths


@pytest.mark.parametrize("template", _paths())
async def test_other_verbs_are_not_allowed(world: World, template: str) -> None:
    api = world.people.new()
    path = template.format(session_id="x", comment_id="x", share_id="x", document_id="x", style_id="x", token="x")
    # A path such as /sessions/estimate is also that of a session of this name.
    allowed = {
        verb for other, verbs in _paths().items() for verb in verbs if other == template or _same(other, template)
    }
    for verb in set(VERBS) - allowed:
        answer = await api.send(verb, path)
        assert_error(answer, 405, "method_not_allowed")
        named = {name.strip() for name in answer.headers["Allow"].split(",")}
        assert named - {"HEAD", "OPTIONS"} == allowed


def _same(template: str, path: str) -> bool:
    ours, theirs = path.split("/"), template.split("/")
    return len(ours) == len(theirs) and all(
        a == b or (b.startswith("{") and not a.startswith("{")) for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v1/sessions/", "/api/v2/sessions", "/", "/api/v1/sessions//pause"]
)
async def test_paths_that_are_not_there(world: World, path: str) -> None:
    assert_error(await world.people.new().send("GET", path), 404, "not_found")


async def test_health_needs_no_credentials(world: World) -> None:
    async with aiohttp.ClientSession(world.stack.url) as client:
        for path in ("/health", "/ready"):
            async with client.get(path) as response:
                assert response.status == 200, path
