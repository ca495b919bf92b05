"""Every field of every answer: there, of its type, and gone when it does not apply."""

from __future__ import annotations

import pytest

from tests.contract.calls import call, decoded, given, good_call
from tests.contract.shapes import is_a, select
from tests.contract.table import Endpoint, ResponseField, load
from tests.contract.world import World
from tests.support.rest import API

TABLE = load()
FIELDS = [
    pytest.param(endpoint, field, id=f"{endpoint.name}-{field.path}")
    for endpoint in TABLE.endpoints
    for field in endpoint.response
]
ABSENT = [
    pytest.param(endpoint, field, id=f"{endpoint.name}-{field.path}")
    for endpoint in TABLE.endpoints
    for field in endpoint.response
    if field.absent
]
LOCATED = [endpoint for endpoint in TABLE.endpoints if endpoint.location]


@pytest.mark.parametrize(("endpoint", "field"), FIELDS)
async def test_field(world: World, endpoint: Endpoint, field: ResponseField) -> None:
    answer = await good_call(world, endpoint, field.given)
    assert answer.status == endpoint.success, answer.text
    assert answer.media_type == endpoint.media_type
    body = decoded(endpoint, answer)
    values = select(body, field.path)
    if field.type == "never":
        outer = field.path.rpartition(".")[0]
        assert not outer or select(body, outer), "nothing is there that could have it"
        assert values == []
        return
    assert values, f"{field.path} is missing in {answer.text[:800]}"
    for value in values:
        assert is_a(field.type, value), f"{field.path} is {value!r}, not a {field.type}"
        assert field.value is None or value == field.value
        assert not field.values or value in field.values


@pytest.mark.parametrize(("endpoint", "field"), ABSENT)
async def test_field_is_absent_when_it_does_not_apply(world: World, endpoint: Endpoint, field: ResponseField) -> None:
    answer = await good_call(world, endpoint, field.absent)
    assert answer.status == endpoint.success, answer.text
    assert select(decoded(endpoint, answer), field.path) == []


@pytest.mark.parametrize("endpoint", LOCATED, ids=lambda e: e.name)
async def test_location_leads_to_what_was_created(world: World, endpoint: Endpoint) -> None:
    made = await given(world, endpoint.given)
    answer = await call(world, endpoint, made)
    expected = endpoint.location.format(**{**made.path, **answer.expect(201)})
    assert answer.headers["Location"].endswith(expected)
    reached = await made.api.send(endpoint.location_verb, expected)
    assert reached.status == 200, reached.text


@pytest.mark.parametrize("endpoint", TABLE.endpoints, ids=lambda e: e.name)
async def test_answers_carry_the_request_id(world: World, endpoint: Endpoint) -> None:
    made = await given(world, endpoint.given)
    answer = await call(world, endpoint, made, headers={"X-Request-Id": "the-callers-own"})
    assert answer.status == endpoint.success, answer.text
    assert answer.headers["X-Request-Id"] == "the-callers-own"


@pytest.mark.parametrize("endpoint", [e for e in TABLE.endpoints if e.media_types], ids=lambda e: e.name)
async def test_media_type_of_each_format(world: World, endpoint: Endpoint) -> None:
    made = await given(world, endpoint.given)
    for name, media_type in endpoint.media_types.items():
        answer = await call(world, endpoint, made, query={"format": name})
        assert (answer.status, answer.media_type) == (200, media_type), name
        assert answer.content


async def test_an_api_key_is_a_token_too(world: World) -> None:
    made = await given(world, "anybody")
    headers = {"Authorization": "", "X-API-Key": made.api.token}
    assert (await made.api.send("GET", f"{API}/billing/balance", headers=headers)).status == 200
