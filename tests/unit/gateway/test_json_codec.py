from __future__ import annotations

import json

import pytest

from gateway.json_codec import Codec, InvalidJson, Schema, Undecodable, parse_json
from tests.support.things.compile import Compiled


@pytest.fixture(scope="module")
def create(compiled: Compiled) -> Codec:
    methods = Schema.from_bytes(compiled.descriptors.read_bytes()).methods()
    return next(method.input for method in methods if method.path.endswith("/CreateThing"))


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,}',
        "{'a':1}",
        '{"a":1} 2',
        '{"a":1,"a":2}',
        '{"outer":[{"a":1,"a":1}]}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":1e400}',
        '{"a":' + "1" * 5000 + "}",
        '{"a":"\t"}',
        "[" * 100_000,
        "",
    ],
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidJson):
        parse_json(text.encode())


def test_a_fault_says_where_it_is() -> None:
    with pytest.raises(InvalidJson, match="line 2, column 7"):
        parse_json(b'{"a": 1,\n "b": x}')
    with pytest.raises(InvalidJson, match='"a" appears twice'):
        parse_json(b'{"a":1,"b":2,"a":1}')


def test_numbers_and_texts_come_back_equal(create: Codec) -> None:
    value = {
        "title": 'tab\t quote" é 漢 \U0001f41f',
        "weight": 0.1 + 0.2,
        "metadata": {"big": 1e300, "small": 5e-324, "n": -0.5, "deep": [[[{"x": [None]}]]]},
    }
    assert json.loads(create.decode(create.encode(value))) | value == {
        "amount": "",
        "count": 0,
        "urgent": False,
        "tags": [],
        "parts": [],
        "status": "status_unspecified",
        **value,
    }


@pytest.mark.parametrize(
    ("text", "field", "issue"),
    [
        ('{"nope":1}', "nope", "is not a known field"),
        ('{"parts":[{"nope":1}]}', "parts[0].nope", "is not a known field"),
        ('{"mainPart":{}}', "mainPart", "is not a known field: did you mean main_part?"),
    ('{"tilte":"a"}', "tilte", "is not a known field: did you mean title?"),
    ('{"parts":[{"sise":1}]}', "parts[0].sise", "is not a known field: did you mean size?"),
    ('{"tag":"a"}', "tag", "is not a known field: did you mean tags?"),
    ('{"it":1}', "it", "is not a known field"),
    ('{"parts":["a"]}', "parts[0]", 'must be an object, not a string: write {"name": "…"}'),
    ('{"parts":[1]}', "parts[0]", "must be an object, not a number"),
        ('{"amount":50}', "amount", 'must be a string, not a number: write "50.00"'),
        ('{"amount":-0.125}', "amount", 'must be a string, not a number: write "-0.125"'),
        ('{"title":7}', "title", 'must be a string, not a number: write "7"'),
        ('{"title":true}', "title", "must be a string, not true or false"),
        ('{"count":1.5}', "count", "must be a whole number, not 1.5"),
        ('{"count":"x"}', "count", "must be a whole number, not a string"),
        ('{"count":4294967296}', "count", "must be from -2147483648 to 2147483647"),
        ('{"weight":"x"}', "weight", "must be a number, not a string"),
        ('{"urgent":"true"}', "urgent", "must be true or false, not a string"),
        ('{"tags":"x"}', "tags", "must be an array, not a string"),
        ('{"tags":["a",null]}', "tags[1]", "must not be null"),
        ('{"metadata":[]}', "metadata", "must be an object, not an array"),
        ('{"not_before":"2025-07-02"}', "not_before", "must be an RFC 3339 moment such as 2025-07-02T10:30:00Z"),
        ('{"status":"asleep"}', "status", "must be one of queued, running"),
        ("3", "body", "must be an object, not a number"),
    ],
)  # fmt: skip
def test_what_is_no_such_message_is_named(create: Codec, text: str, field: str, issue: str) -> None:
    with pytest.raises(Undecodable) as caught:
        create.encode(parse_json(text.encode()))
    assert (caught.value.fault.field, caught.value.fault.issue) == (field, issue)


def test_a_text_that_no_utf8_can_hold_is_no_json(create: Codec) -> None:
    with pytest.raises(InvalidJson, match="surrogate"):
        create.encode(parse_json(b'{"title":"\\ud800"}'))


def test_deep_values_are_refused_before_they_reach_a_service(create: Codec) -> None:
    with pytest.raises(InvalidJson, match="too deeply"):
        create.encode(parse_json(('{"metadata":' + '{"a":' * 60 + "1" + "}" * 61).encode()))


def test_a_contract_without_the_reasons_is_refused() -> None:
    with pytest.raises(ValueError, match=r"prsm\.errors\.v1\.Reason"):
        Schema.from_bytes(b"").reasons()
    with pytest.raises(ValueError, match="HttpBody"):
        Schema.from_bytes(b"").http_body()
