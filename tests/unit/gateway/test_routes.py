from __future__ import annotations

import dataclasses

import pytest

from gateway.json_codec import HttpBinding, Method, Schema
from gateway.routes import RouteTable, routes_of
from tests.support.things.compile import Compiled


@pytest.fixture(scope="module")
def methods(compiled: Compiled) -> dict[str, Method]:
    schema = Schema.from_bytes(compiled.descriptors.read_bytes())
    return {method.path.rpartition("/")[2]: method for method in schema.methods()}


@pytest.fixture(scope="module")
def table(methods: dict[str, Method]) -> RouteTable:
    return RouteTable(routes_of(methods.values()))


@pytest.mark.parametrize(
    ("verb", "path", "method", "values"),
    [
        ("GET", "/api/v1/things", "ListThings", {}),
        ("POST", "/api/v1/things", "CreateThing", {}),
        ("GET", "/api/v1/things/a", "GetThing", {"thing_id": "a"}),
        ("GET", "/api/v1/things/%2e%2e%2Fb", "GetThing", {"thing_id": "../b"}),
        ("GET", "/api/v1/things/..", "GetThing", {"thing_id": ".."}),
        ("POST", "/api/v1/things/upload", "UploadThings", {}),
        ("GET", "/api/v1/things/upload", "GetThing", {"thing_id": "upload"}),
        ("POST", "/api/v1/things/upload/pause", "PauseThing", {"thing_id": "upload"}),
    ],
)
def test_a_path_finds_its_method(table: RouteTable, verb: str, path: str, method: str, values: dict[str, str]) -> None:
    match = table.match(verb, path)
    assert match is not None
    assert (match.route.method.path, match.values) == (f"/edge.v1.Things/{method}", values)


@pytest.mark.parametrize(
    "path", ["", "/", "/api/v1/things/", "/api/v1//things", "/api/v1/things/a/b", "/api/v1/things/%ff"]
)
def test_other_paths_find_nothing(table: RouteTable, path: str) -> None:
    assert table.match("GET", path) is None


def test_verbs_are_those_of_every_template_that_fits(table: RouteTable) -> None:
    assert table.verbs("/api/v1/things/upload") == ["DELETE", "GET", "POST"]
    assert table.verbs("/api/v1/things/a") == ["DELETE", "GET"]
    assert table.verbs("/api/v1/other") == []


@pytest.mark.parametrize(
    ("method", "binding", "complaint"),
    [
        ("GetThing", HttpBinding("GET", "/v1/{nope}", ""), "nope must be a string field"),
        ("CreateThing", HttpBinding("POST", "/v1/{count}", "*"), "count must be a string field"),
        ("CreateThing", HttpBinding("POST", "/v1/{tags}", "*"), "tags must be a string field"),
        ("CreateThing", HttpBinding("POST", "/v1/things", "main_part"), "the body must be"),
        ("GetThing", HttpBinding("GET", "/v1/{thing_id=things/*}", ""), "is not supported"),
        ("GetThing", HttpBinding("GET", "/v1/a:go", ""), "is not supported"),
        ("GetThing", HttpBinding("GET", "v1", ""), "must start with a slash"),
        ("UploadThings", HttpBinding("POST", "/v1/things", ""), "a streamed request must be"),
    ],
)
def test_a_rule_that_cannot_be_served_is_refused_at_start(
    methods: dict[str, Method], method: str, binding: HttpBinding, complaint: str
) -> None:
    changed = dataclasses.replace(methods[method], bindings=(binding,))
    with pytest.raises(ValueError, match=complaint):
        routes_of([changed])


def test_two_methods_at_one_path_are_refused(methods: dict[str, Method]) -> None:
    other = dataclasses.replace(methods["PauseThing"], bindings=(HttpBinding("GET", "/api/v1/things/{reason}", ""),))
    with pytest.raises(ValueError, match="is also a route of"):
        RouteTable(routes_of([methods["GetThing"], other]))
