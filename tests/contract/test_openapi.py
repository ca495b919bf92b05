"""The API's description is a valid OpenAPI document, whole, deterministic, and says what the contract says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from typing import Any

import jsonschema_rs
import pytest

from gateway.json_codec import Schema
from gateway.openapi import served
from gateway.openapi.document import VERSION
from gateway.routes import RouteTable, routes_of
from tests.contract.described import document, operations, resolved
from tests.contract.table import load
from tests.support.stack import ROOT

DESCRIPTORS = (ROOT / "gen" / "descriptors.binpb").read_bytes()
TABLE = load()
OF_THE_EDGE = {"/health", "/ready", "/api/v1/openapi.json", "/api/v1/docs", "/api/v1/schemas/results-1.json"}
"""Pages that no service answers."""
OPERATIONS = [(verb, path, operation) for verb, path, operation in operations()]
WITH_TOKEN = [one for one in OPERATIONS if one[1] not in OF_THE_EDGE]


def by_endpoint(method: str, path: str) -> Any:
    return document()["paths"][path][method.lower()]


def errors_of(operation: Any) -> dict[str, int]:
    """Every error name that an operation may answer with, and its status."""
    found = {}
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            for name in resolved(response)["content"]["application/json"]["examples"]:
                found[name] = int(status)
    return found


def test_it_is_a_valid_document() -> None:
    # Loading it compiles dozens of grammars: in the process that runs this, not in each that collects it.
    from openapi_spec_validator import validate

    validate(document())


def test_the_same_contract_gives_the_same_bytes() -> None:
    script = (
        "import hashlib, pathlib, sys; from gateway.openapi import served\n"
        "found = served(pathlib.Path(sys.argv[1]).read_bytes())\n"
        "assert 'aiohttp' not in sys.modules and 'google.protobuf' not in sys.modules\n"
        "print(hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest())"
    )
    command = [sys.executable, "-c", script, str(ROOT / "gen" / "descriptors.binpb")]
    seeds = ({"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)} for seed in ("1", "2"))
    printed = [subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout for env in seeds]
    assert printed[0] == printed[1]


def test_every_route_is_described_and_the_other_way_round() -> None:
    routes = RouteTable(routes_of(Schema.from_bytes(DESCRIPTORS).methods())).routes
    described = {(verb, path) for verb, path, _ in WITH_TOKEN}
    assert described == {(route.verb, route.template) for route in routes}
    assert described == {(endpoint.method, endpoint.path) for endpoint in TABLE.endpoints}


def test_the_version_is_that_of_the_release() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION == document()["info"]["version"]


def test_operations_have_names_of_their_own_and_say_what_they_are() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] and operation["description"] for _, _, operation in OPERATIONS)
    tags = {tag["name"] for tag in document()["tags"]}
    assert {tag for _, _, operation in OPERATIONS for tag in operation["tags"]} == tags


@pytest.mark.parametrize("endpoint", TABLE.endpoints, ids=lambda e: e.name)
def test_every_error_of_the_table_is_described(endpoint: Any) -> None:
    errors = errors_of(by_endpoint(endpoint.method, endpoint.path))
    for case in endpoint.errors:
        assert errors.get(case.error) == case.code, case.title


@pytest.mark.parametrize("endpoint", TABLE.endpoints, ids=lambda e: e.name)
def test_success_and_its_headers_are_described(endpoint: Any) -> None:
    operation = by_endpoint(endpoint.method, endpoint.path)
    response = resolved(operation["responses"][str(endpoint.success)])
    assert ("Location" in response["headers"]) == bool(endpoint.location)
    assert set(response["content"]) >= {endpoint.media_type, *endpoint.media_types.values()} - {"application/json"}
    named = {resolved(parameter)["name"] for parameter in operation["parameters"]}
    assert ("Idempotency-Key" in named) == endpoint.idempotency
    assert "X-Request-Id" in named


@pytest.mark.parametrize("endpoint", TABLE.endpoints, ids=lambda e: e.name)
def test_parameters_and_their_requirements_are_those_of_the_table(endpoint: Any) -> None:
    operation = by_endpoint(endpoint.method, endpoint.path)
    parameters = [resolved(parameter) for parameter in operation["parameters"]]
    query = {one["name"]: one["required"] for one in parameters if one["in"] == "query"}
    assert query == {parameter.name: parameter.required for parameter in endpoint.query}
    if not endpoint.request:
        return
    schema = resolved(operation["requestBody"]["content"]["application/json"]["schema"])
    assert set(schema["properties"]) == {parameter.name for parameter in endpoint.request}
    assert set(schema.get("required", ())) == {one.name for one in endpoint.request if one.required}


def test_every_reason_that_leaves_the_platform_is_described() -> None:
    found: dict[str, int] = {}
    for _, _, operation in OPERATIONS:
        found.update(errors_of(operation))
    assert found == {name: code for name, code in TABLE.error_codes.items() if name != "method_not_allowed"}


def examples() -> list[tuple[str, Any, Any]]:
    """(where, schema, value) of every example of a body or a parameter."""
    found = []
    for verb, path, operation in OPERATIONS:
        for parameter in map(resolved, operation.get("parameters", ())):
            if "example" in parameter:
                found.append((f"{verb} {path} {parameter['name']}", parameter["schema"], parameter["example"]))
        bodies = [("body", operation.get("requestBody", {}))]
        bodies += [(status, resolved(response)) for status, response in operation["responses"].items()]
        for name, body in bodies:
            for media_type, content in body.get("content", {}).items():
                values = [one["value"] for one in content.get("examples", {}).values()]
                values += [content["example"]] if "example" in content else []
                found += [(f"{verb} {path} {name} {media_type}", content["schema"], value) for value in values]
    return found


def test_every_example_is_valid() -> None:
    found = examples()
    assert len(found) > 400
    for where, schema, value in found:
        validator = jsonschema_rs.Draft202012Validator(
            {**schema, "components": document()["components"]}, validate_formats=True, ignore_unknown_formats=True
        )
        assert [one.message for one in validator.iter_errors(value)] == [], where


def test_every_body_has_an_example() -> None:
    for verb, path, operation in WITH_TOKEN:
        body = operation.get("requestBody", {"content": {}})
        bodies = [*body["content"].items()]
        for status, response in operation["responses"].items():
            if status != "304":
                bodies += resolved(response)["content"].items()
        for media_type, content in bodies:
            is_binary = media_type.startswith(("multipart/", "application/pdf", "application/vnd", "application/zip"))
            assert is_binary or content.keys() & {"example", "examples"}, f"{verb} {path} {media_type}"


@pytest.mark.parametrize("endpoint", [e for e in TABLE.endpoints if e.request], ids=lambda e: e.name)
def test_good_values_of_the_table_fit_and_plainly_bad_ones_do_not(endpoint: Any) -> None:
    """Of the bad ones those that break a rule that can be described: type, length, range, enum."""
    operation = by_endpoint(endpoint.method, endpoint.path)
    schema = resolved(operation["requestBody"]["content"]["application/json"]["schema"])
    for parameter in endpoint.request:
        validator = jsonschema_rs.Draft202012Validator(
            {**schema["properties"][parameter.name], "components": document()["components"]}
        )
        for value in parameter.good:
            if not (value is None and parameter.required) and "$" not in json.dumps(value):
                assert validator.is_valid(value), (parameter.name, value)
        for bad in parameter.bad:
            if bad.value == "" and "min" in json.dumps(schema["properties"][parameter.name]):
                assert not validator.is_valid(bad.value), (parameter.name, bad.value)
            if isinstance(bad.value, dict) and bad.unknown:
                assert not validator.is_valid(bad.value), (parameter.name, bad.value)


def test_served_pages_refer_to_nothing_from_elsewhere() -> None:
    pages = served(DESCRIPTORS)
    page = pages["/api/v1/docs"][1].decode()
    linked = re.findall(r'(?:src|href)="([^"#][^"]*)"', page)
    assert set(linked) <= {*pages, "data:,"}
    assert "<style" not in page
    assert not re.search(r"<script(?! src=)|\son[a-z]+=|style=", page)
