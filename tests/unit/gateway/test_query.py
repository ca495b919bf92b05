from __future__ import annotations

from typing import Any

import pytest

from gateway.json_codec import Schema
from gateway.query import QueryReader, unknown_parameter
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


def test_who_names_a_parameter_that_there_is_not_is_told_those_that_there_are() -> None:
    inner = Shape("Y", {"title": Field("title", "string")})
    kinds = {"thing_id": "string", "format": "string", "raw": "bool", "free": "object"}
    shape = Shape("X", {name: Field(name, kind) for name, kind in kinds.items()})  # type: ignore[arg-type]
    shape.fields["filter"] = Field("filter", "message", shape=inner)
    said = unknown_parameter(shape, {"thing_id"})
    assert said == "is not a known query parameter: known are format, raw, filter.title"
    with pytest.raises(ValidationError, match="known are format, raw"):
        QueryReader(shape, taken={"thing_id"}).read("no=1")
    assert unknown_parameter(None).endswith("there are none here")


def test_the_names_that_are_told_are_bounded() -> None:
    shape = Shape("X", {f"f{number}": Field(f"f{number}", "string") for number in range(30)})
    shape.fields["again"] = Field("again", "message", shape=shape)
    assert unknown_parameter(shape).endswith("f18, f19, ...")
    assert unknown_parameter(Shape("X", {"again": Field("again", "message", shape=shape)})).count(",") == 20
