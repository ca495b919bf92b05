"""Both edges serve the API's description to anybody, the same bytes, and a page that needs nothing from elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.openapi import PATHS, served
from tests.contract.assertions import assert_error
from tests.contract.world import World
from tests.support.rest import Answer
from tests.support.stack import ROOT

DOCS = "/api/v1/docs"
OPENAPI = "/api/v1/openapi.json"


async def fetched(world: World, path: str, method: str = "GET", **headers: str) -> Answer:
    """An answer to somebody without credentials."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await world.people.with_token("").send(method, path, headers=given)


@pytest.mark.parametrize("path", PATHS)
async def test_anybody_gets_it_as_it_was_made(world: World, path: str) -> None:
    content_type, body = served((ROOT / "gen" / "descriptors.binpb").read_bytes())[path]
    answer = await fetched(world, path)
    assert (answer.status, answer.headers["Content-Type"], answer.content) == (200, content_type, body)
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", PATHS)
async def test_who_has_it_is_told_that_nothing_has_changed(world: World, path: str) -> None:
    tag = (await fetched(world, path)).headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    again = await fetched(world, path, If_None_Match=tag)
    assert (again.status, again.content, again.headers["ETag"]) == (304, b"", tag)
    other = await fetched(world, path, If_None_Match='"another"')
    assert (other.status, other.headers["ETag"]) == (200, tag)


async def test_other_verbs_are_not_allowed(world: World) -> None:
    answer = await fetched(world, OPENAPI, "POST")
    assert_error(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET"


async def test_other_paths_beside_them_need_a_token(world: World) -> None:
    for path in (f"{DOCS}/", f"{DOCS}/docs.map", f"{OPENAPI}/", "/api/v1/openapi.yaml"):
        assert_error(await fetched(world, path), 401, "unauthorized")


async def test_the_page_may_load_its_own_style_and_script_alone(world: World) -> None:
    answer = await fetched(world, DOCS)
    policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    linked = re.findall(r'<(?:link|script)[^>]* (?:src|href)="([^"]+)"', answer.text)
    for path in linked:
        assert path == "data:," or (await fetched(world, path)).status == 200


async def test_the_page_shows_every_operation_field_and_error(world: World) -> None:
    page = (await fetched(world, DOCS)).text
    document: Any = (await fetched(world, OPENAPI)).body
    anchors = set(re.findall(r' id="([^"]+)"', page))
    for item in document["paths"].values():
        for operation in item.values():
            assert operation["operationId"] in anchors
    for name in document["components"]["schemas"]:
        assert f"schema-{name}" in anchors
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    assert "error-session_quota_exceeded" in anchors
