"""Both edges read bodies and queries alike, strictly, and name the first thing that is wrong."""

from __future__ import annotations

import json

import aiohttp
import pytest
from yarl import URL

from tests.edges.conftest import error_of
from tests.support.things.stack import Backend, Keys

THINGS = "/api/v1/things"
JSON = {"Content-Type": "application/json"}
UNKNOWN = "is not a known query parameter: known are page, limit, partial, tags, filter.title, filter.min_progress"


STRICT: list[tuple[str, str, str]] = [
    ('{"a":1,}', "invalid_json", ""),
    ("{'title':\"a\"}", "invalid_json", ""),
    ('{"title":"a"} 2', "invalid_json", ""),
    ('{"title":"a","title":"b"}', "invalid_json", ""),
    ('{"title":"a","t\\u0069tle":"b"}', "invalid_json", ""),
    ('{"metadata":{"list":[{"a":1,"a":1}]}}', "invalid_json", ""),
    ('{"weight":-Infinity}', "invalid_json", ""),
    ('{"weight":1e400}', "invalid_json", ""),
    ('{"weight":01}', "invalid_json", ""),
    ('{"weight":.5}', "invalid_json", ""),
    ('{"weight":1.}', "invalid_json", ""),
    ('{"weight":+1}', "invalid_json", ""),
    ('{"weight":' + "1" * 5000 + "}", "invalid_json", ""),
    ('{"title":"\t"}', "invalid_json", ""),
    ('{"title":"\\x41"}', "invalid_json", ""),
    ('{"title":"\\udc00"}', "invalid_json", ""),
    ('{"title":"\\ud800\\u0041"}', "invalid_json", ""),
    ('{"title":"never ends}', "invalid_json", ""),
    ('{"title" "a"}', "invalid_json", ""),
    ('{"tags":["a" "b"]}', "invalid_json", ""),
    ('{"tags":["a",]}', "invalid_json", ""),
    ('{"urgent":True}', "invalid_json", ""),
    ("[" * 100_000, "invalid_json", ""),
    (" ", "invalid_json", ""),
    ('{"nope":1}', "nope", "is not a known field"),
    ('{"nope":1,"nope2":[}', "invalid_json", ""),
    ('{"parts":[{"nope":1}]}', "parts[0].nope", "is not a known field"),
    ('{"' + "\u00e4" * 300_000 + '":1}', "\u00e4" * 100, "is not a known field"),
    ('{"metadata":{"a' + "\u00e4" * 100 + '":1,"a' + "\u00e4" * 100 + '":2}}', "invalid_json", ""),
    ('{"mainPart":{}}', "mainPart", "is not a known field: did you mean main_part?"),
    ('{"tilte":"a"}', "tilte", "is not a known field: did you mean title?"),
    ('{"parts":[{"sise":1}]}', "parts[0].sise", "is not a known field: did you mean size?"),
    ('{"tag":"a"}', "tag", "is not a known field: did you mean tags?"),
    ('{"it":1}', "it", "is not a known field"),
    ('{"parts":["a"]}', "parts[0]", 'must be an object, not a string: write {"name": "…"}'),
    ('{"parts":[1]}', "parts[0]", "must be an object, not a number"),
    ('{"\u00e4":{}}', "\u00e4", "is not a known field"),
    ('{"amount":50}', "amount", 'must be a string, not a number: write "50.00"'),
    ('{"amount":-0.125}', "amount", 'must be a string, not a number: write "-0.125"'),
    ('{"amount":1e2}', "amount", 'must be a string, not a number: write "100.00"'),
    ('{"title":7}', "title", 'must be a string, not a number: write "7"'),
    ('{"title":true}', "title", "must be a string, not true or false"),
    ('{"title":{"a":{"b":[1,{}]}}}', "title", "must be a string, not an object"),
    ('{"title":[1]}', "title", "must be a string, not an array"),
    ('{"count":1.5}', "count", "must be a whole number, not 1.5"),
    ('{"count":"seven"}', "count", "must be a whole number, not a string"),
    ('{"count":4294967296}', "count", "must be from -2147483648 to 2147483647"),
    ('{"weight":"heavy"}', "weight", "must be a number, not a string"),
    ('{"urgent":"true"}', "urgent", "must be true or false, not a string"),
    ('{"urgent":0}', "urgent", "must be true or false, not a number"),
    ('{"tags":"x"}', "tags", "must be an array, not a string"),
    ('{"tags":{"a":1}}', "tags", "must be an array, not an object"),
    ('{"tags":["a",null]}', "tags[1]", "must not be null"),
    ('{"tags":[["a"]]}', "tags[0]", "must be a string, not an array"),
    ('{"parts":[{"name":"a"},{"size":"x"}]}', "parts[1].size", "must be a whole number, not a string"),
    ('{"main_part":[]}', "main_part", "must be an object, not an array"),
    ('{"metadata":[]}', "metadata", "must be an object, not an array"),
    ('{"not_before":"2025-07-02"}', "not_before", "must be an RFC 3339 moment such as 2025-07-02T10:30:00Z"),
    ('{"not_before":5}', "not_before", "must be an RFC 3339 moment such as 2025-07-02T10:30:00Z"),
    ('{"status":"asleep"}', "status", "must be one of queued, running"),
    ("3", "body", "must be an object, not a number"),
    ('"a"', "body", "must be an object, not a string"),
    ("null", "body", "must be an object, not null"),
    ("[1]", "body", "must be an object, not an array"),
]


@pytest.mark.parametrize(("text", "field", "issue"), STRICT, ids=lambda value: value[:30])
async def test_bodies_are_read_strictly(client: aiohttp.ClientSession, text: str, field: str, issue: str) -> None:
    async with client.post(THINGS, data=text.encode(), headers=JSON) as response:
        body = json.loads(await response.read())
        assert response.status == 400, body
    if field == "invalid_json":
        assert body["error"] == "invalid_json"
        return
    assert (body["error"], body["message"]) == ("validation_error", f"{field}: {issue}")
    assert body["details"] == {"fields": [{"field": field, "issue": issue}]}


@pytest.mark.parametrize(
    "text",
    [
        ' {"title" : "a\\u00e9\\ud83c\\udf0a\\/" ,\n"tags":[ ],"parts":[{},{"size":1.0}], "main_part":{} }',
        '{"title":null,"tags":null,"main_part":null,"metadata":{"a":[null,true,-0.5e-3,{"b":[]}],"":{}}}',
        '{"weight":-0,"count":-2147483648,"status":"running","not_before":"2025-07-02T12:30:00.120+02:00"}',
        '{"title":"\x7f \u20ac \U0001f30a","amount":"1.50"}',
    ],
)
async def test_all_of_json_is_taken(client: aiohttp.ClientSession, text: str) -> None:
    async with client.post(THINGS, data=text.encode(), headers=JSON) as response:
        assert response.status == 201, await response.text()


@pytest.mark.parametrize(
    "data", [b'{"title":"\xc0\xaf"}', b'{"title":"\xed\xa0\x80"}', b'{"\xff":1}', b'{"title":"\xe2\x82']
)
async def test_other_bytes_than_utf8_are_no_json(client: aiohttp.ClientSession, data: bytes) -> None:
    async with client.post(THINGS, data=data, headers=JSON) as response:
        assert await error_of(response) == (400, "invalid_json")


@pytest.mark.parametrize(
    ("query", "field", "issue"),
    [
        ("nope=1", "nope", UNKNOWN),
        ("filter=1", "filter", UNKNOWN),
        ("filter.nope=1", "filter.nope", UNKNOWN),
        ("page.x=1", "page.x", UNKNOWN),
        ("=1", "", UNKNOWN),
        ("page=1.0", "page", "must be a whole number"),
        ("page=1e2", "page", "must be a whole number"),
        ("page=%D9%A1", "page", "must be a whole number"),
        ("page=2147483648", "page", "must be from -2147483648 to 2147483647"),
        ("partial=1", "partial", "must be true or false"),
        ("page=1&page=1", "page", "may be given only once"),
        ("tags=%ff", "query", "is not UTF-8"),
        ("&".join(["tags=a"] * 201), "query", "holds more than 200 parameters"),
    ],
)
async def test_the_first_fault_of_a_query_is_named(
    client: aiohttp.ClientSession, edge: str, query: str, field: str, issue: str
) -> None:
    async with client.get(URL(f"{edge}{THINGS}?{query}", encoded=True)) as response:
        assert response.status == 400
        assert (await response.json())["details"] == {"fields": [{"field": field, "issue": issue}]}


@pytest.mark.parametrize("query", ["&", "tags=a+b&tags=&tags=%2B", "filter.title=x%3Dy&partial=true&page=-0"])
async def test_queries_are_read_alike(edges: dict[str, str], keys: Keys, things: Backend, query: str) -> None:
    seen = []
    async with aiohttp.ClientSession(headers={"X-API-Key": keys.token()}) as anyone:
        for base in edges.values():
            async with anyone.get(URL(f"{base}{THINGS}?{query}", encoded=True)) as response:
                assert response.status == 200, await response.text()
            seen.append(things.things.requests[-1])
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": "application/jsonp"},
    ],
)
async def test_a_compressed_or_foreign_body_is_refused(client: aiohttp.ClientSession, headers: dict[str, str]) -> None:
    async with client.post(THINGS, data=b"{}", headers=headers) as response:
        assert await error_of(response) == (415, "unsupported_media_type")


async def test_json_in_utf8_by_any_name_is_taken(client: aiohttp.ClientSession) -> None:
    headers = {"Content-Type": "Application/JSON; charset=UTF-8", "Content-Encoding": "identity"}
    async with client.post(THINGS, data=b"{}", headers=headers) as response:
        assert response.status == 201
