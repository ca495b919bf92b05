"""Every request field and every query parameter: good values are accepted, bad ones named and without effect."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.calls import MISSING, call, given
from tests.contract.table import Bad, Endpoint, Parameter, load
from tests.contract.world import World
from tests.support.rest import API, Answer

TABLE = load()
WRONG_TYPE: dict[str, Any] = {
    "string": 5,
    "integer": "seven",
    "boolean": "perhaps",
    "object": "flat",
    "array": {"a": 1},
}


def _cases(where: str, values: str) -> list[Any]:
    return [
        pytest.param(endpoint, parameter, value, id=f"{endpoint.name}-{parameter.name}-{number}")
        for endpoint in TABLE.endpoints
        for parameter in getattr(endpoint, where)
        for number, value in enumerate(getattr(parameter, values))
    ]


def _fields(*, required: bool = False) -> list[Any]:
    return [
        pytest.param(endpoint, parameter, id=f"{endpoint.name}-{parameter.name}")
        for endpoint in TABLE.endpoints
        for parameter in endpoint.request
        if parameter.required or not required
    ]


def assert_refused(answer: Answer, parameter: Parameter, names: str) -> None:
    assert answer.status == 400, answer.text[:500]
    assert answer.body["error"] == parameter.error, answer.text
    if parameter.error == "validation_error":
        assert names in answer.fields, answer.text


@pytest.mark.parametrize(("endpoint", "parameter", "value"), _cases("request", "good"))
async def test_good_value(world: World, endpoint: Endpoint, parameter: Parameter, value: Any) -> None:
    answer = await call(world, endpoint, await given(world, endpoint.given), body={parameter.name: value})
    assert answer.status == endpoint.success, answer.text[:500]


@pytest.mark.parametrize(("endpoint", "parameter", "bad"), _cases("request", "bad"))
async def test_bad_value(world: World, endpoint: Endpoint, parameter: Parameter, bad: Bad) -> None:
    made = await given(world, endpoint.given)
    answer = await call(world, endpoint, made, body={parameter.name: bad.value})
    assert_refused(answer, parameter, bad.names)
    await assert_untouched(endpoint, made.api)


@pytest.mark.parametrize(("endpoint", "parameter"), _fields())
async def test_wrong_type(world: World, endpoint: Endpoint, parameter: Parameter) -> None:
    made = await given(world, endpoint.given)
    answer = await call(world, endpoint, made, body={parameter.name: WRONG_TYPE[parameter.type]})
    assert_refused(answer, parameter, parameter.name)
    await assert_untouched(endpoint, made.api)


@pytest.mark.parametrize(("endpoint", "parameter"), _fields(required=True))
async def test_missing_field(world: World, endpoint: Endpoint, parameter: Parameter) -> None:
    made = await given(world, endpoint.given)
    answer = await call(world, endpoint, made, body={parameter.name: MISSING})
    assert_refused(answer, parameter, parameter.name)
    await assert_untouched(endpoint, made.api)


async def assert_untouched(endpoint: Endpoint, api: Any) -> None:
    """A refused creation holds nothing and leaves nothing."""
    if endpoint.name == "create_session":
        assert (await api.get("/billing/balance"))["held"] == "0.00"
        assert (await api.get("/sessions"))["total_count"] == 0
    if endpoint.name == "create_document":
        assert (await api.get("/documents"))["total_count"] == 0


@pytest.mark.parametrize(("endpoint", "parameter", "value"), _cases("query", "good"))
async def test_good_parameter(world: World, endpoint: Endpoint, parameter: Parameter, value: Any) -> None:
    query = {parameter.name: value}
    answer = await call(world, endpoint, await given(world, endpoint.given), query=query)
    assert answer.status == endpoint.success, answer.text[:500]


@pytest.mark.parametrize(("endpoint", "parameter", "bad"), _cases("query", "bad"))
async def test_bad_parameter(world: World, endpoint: Endpoint, parameter: Parameter, bad: Bad) -> None:
    query = {parameter.name: bad.value}
    answer = await call(world, endpoint, await given(world, endpoint.given), query=query)
    assert_refused(answer, parameter, bad.names)


@pytest.mark.parametrize("endpoint", TABLE.endpoints, ids=lambda e: e.name)
async def test_unknown_parameter(world: World, endpoint: Endpoint) -> None:
    query = {"colour": "blue"}
    answer = await call(world, endpoint, await given(world, endpoint.given), query=query)
    assert answer.status == 400
    assert answer.body["error"] == "validation_error"
    assert answer.fields == ["colour"]


@pytest.mark.parametrize("endpoint", [e for e in TABLE.endpoints if e.takes_json], ids=lambda e: e.name)
async def test_unknown_field(world: World, endpoint: Endpoint) -> None:
    answer = await call(world, endpoint, await given(world, endpoint.given), body={"colour": "blue"})
    assert answer.status == 400, answer.text
    assert answer.body["error"] == "validation_error"
    assert answer.fields == ["colour"]


async def test_all_faults_are_told_at_once(world: World) -> None:
    made = await given(world, "own_library")
    body = {"prompt": "", "session_type": "dancing", "preferences": {"depth": "bottomless", "seed": -1}}
    answer = await made.api.send("POST", f"{API}/sessions", body=body)
    assert answer.status == 400
    assert {"prompt", "session_type", "preferences.depth", "preferences.seed"} <= set(answer.fields)


async def test_money_as_a_number_is_told_how_to_write_it(world: World) -> None:
    made = await given(world, "own_library")
    answer = await call(world, TABLE.endpoint("create_session"), made, body={"budget": {"limit": 50}})
    assert answer.status == 400
    assert answer.fields == ["budget.limit"]
    assert 'write "50.00"' in answer.body["message"]
