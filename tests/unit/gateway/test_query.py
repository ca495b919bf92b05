from __future__ import annotations

from typing import Any

import pytest

from gateway.json_codec import Schema
from gateway.query import QueryReader
from gateway.shapes import Field, Shape
from kit.errors import ValidationError
from tests.support.things.compile import Compiled


@pytest.fixture(scope="module")
def reader(compiled: Compiled) -> QueryReader:
    methods = Schema.from_bytes(compiled.descriptors.read_bytes()).methods()
    shape = next(method.input.shape for method in methods if method.path.endswith("/ListThings"))
    return QueryReader(shape)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("page=2&limit=-0", {"page": 2, "limit": 0}),
        ("partial=true&tags=a&tags=&tags=b+c", {"partial": True, "tags": ["a", "", "b c"]}),
        ("filter.title=x%3Dy&filter.min_progress=-7", {"filter": {"title": "x=y", "min_progress": -7}}),
        ("", {}),
        ("&", {}),
    ],
)
def test_parameters_become_a_value(reader: QueryReader, query: str, value: dict[str, Any]) -> None:
    assert reader.read(query) == value


def test_numbers_and_choices_are_checked() -> None:
    shape = Shape("X", {"score": Field("score", "float"), "kind": Field("kind", "enum", choices=frozenset("ab"))})
    assert QueryReader(shape).read("score=-1.5e3&kind=a") == {"score": -1500.0, "kind": "a"}
    for query in ("score=nan", "score=1_0", "score=", "kind=c"):
        with pytest.raises(ValidationError):
            QueryReader(shape).read(query)


def test_fields_of_the_path_are_no_parameters() -> None:
    shape = Shape("X", {"thing_id": Field("thing_id", "string")})
    with pytest.raises(ValidationError):
        QueryReader(shape, taken={"thing_id"}).read("thing_id=a")
    with pytest.raises(ValidationError):
        QueryReader(None).read("thing_id=a")
