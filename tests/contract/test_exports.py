"""An export in JSON names its schema; the edge that gave the one serves the other, and the export is valid by it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import jsonschema_rs

from tests.contract.calls import given
from tests.contract.world import World
from tests.support.rest import API


async def test_an_export_is_valid_by_the_schema_that_it_names(world: World) -> None:
    made = await given(world, "completed_session")
    path = f"{API}/sessions/{made.path['session_id']}/export"
    export = (await made.api.send("GET", path, query={"format": "json", "include_raw_data": "true"})).body
    assert set(export["raw_data"]) == {"passages", "screening", "decisions", "usage"}
    assert export["raw_data"]["usage"]
    schema = (await world.people.with_token("").send("GET", export["$schema"])).body
    jsonschema_rs.Draft202012Validator(schema).validate(export)


async def test_an_archive_holds_the_same_results_their_schema_and_true_checksums(world: World) -> None:
    made = await given(world, "completed_session")
    path = f"{API}/sessions/{made.path['session_id']}/export"
    answer = await made.api.send("GET", path, query={"format": "markdown", "include_raw_data": "true"})
    assert answer.headers["Content-Type"] == "application/zip"
    package = zipfile.ZipFile(io.BytesIO(answer.content))
    results = json.loads(package.read("results.json"))
    jsonschema_rs.Draft202012Validator(json.loads(package.read(results["$schema"]))).validate(results)
    plain = (await made.api.send("GET", path, query={"format": "json"})).body
    assert results["results"] == plain["results"]
    lines = [line.split("  ", 1) for line in package.read("SHA256SUMS").decode().splitlines()]
    assert {name: hashlib.sha256(package.read(name)).hexdigest() for _, name in lines} == {
        name: digest for digest, name in lines
    }
