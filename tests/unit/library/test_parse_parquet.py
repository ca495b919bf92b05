from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import Kind, ParsedDocument, ParseLimits
from services.library.parsing.parse import parse


def written(columns: dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(arrow.table(columns), out, **options)
    return out.getvalue()


def read(data: bytes, limits: ParseLimits | None = None) -> ParsedDocument:
    return parse(data, "rows.parquet", "", limits or ParseLimits())


def cause(data: bytes, limits: ParseLimits | None = None) -> UnreadableCause:
    with pytest.raises(DocumentUnreadable) as raised:
        read(data, limits)
    return raised.value.cause


@pytest.mark.parametrize(
    ("values", "kind", "cells"),
    [
        (
            [Decimal("1234567890123456789.0123456789"), None],
            arrow.decimal128(38, 10),
            ["1234567890123456789.0123456789", ""],
        ),
        ([2**64 - 1, 0], arrow.uint64(), ["18446744073709551615", "0"]),
        ([0.1 + 0.2, 1e300], arrow.float64(), ["0.30000000000000004", "1e+300"]),
        ([0.1, None], arrow.float32(), ["0.1", ""]),
        ([1700000000123456789, 0], arrow.timestamp("ns"), ["2023-11-14T22:13:20.123456789", "1970-01-01T00:00:00"]),
        ([1700000000123, None], arrow.timestamp("ms", tz="Europe/Berlin"), ["2023-11-14T22:13:20.123Z", ""]),
        ([dt.date(2020, 1, 2), None], arrow.date32(), ["2020-01-02", ""]),
        ([True, None], arrow.bool_(), ["true", ""]),
        ([b"\xff\x00", b"ab"], arrow.binary(), ["ff00", "ab"]),
        (['a,"b"\nc', ""], arrow.string(), ['a,"b"\nc', ""]),
        ([[1, None], None], arrow.list_(arrow.int64()), ["[1, null]", ""]),
        ([[("k", Decimal("1.10"))], []], arrow.map_(arrow.string(), arrow.decimal128(4, 2)), ['{"k": "1.10"}', "{}"]),
    ],
)
def test_no_digit_is_lost(values: list[object], kind: arrow.DataType, cells: list[str]) -> None:
    document = read(written({"c": arrow.array(values, kind), "n": [1, 2]}))
    assert document.kind is Kind.PARQUET
    assert document.is_dataset
    assert list(csv.reader(io.StringIO(document.text, newline=""))) == [["c", "n"], [cells[0], "1"], [cells[1], "2"]]


def test_the_fields_of_a_struct_are_columns() -> None:
    core = arrow.array([{"x": 1, "in": {"y": "a"}}, None])
    assert read(written({"core": core})).text == "core.x,core.in.y\n1,a\n,\n"


def test_a_table_without_rows_is_no_dataset_yet() -> None:
    document = read(written({"a": arrow.array([], arrow.int64())}))
    assert (document.text, document.is_dataset) == ("a\n", False)


def test_damage_is_named() -> None:
    data = written({"a": list(range(1000))})
    assert cause(data[:-20]) is UnreadableCause.CORRUPT
    assert cause(data[:40] + bytes(60) + data[100:]) is UnreadableCause.CORRUPT
    assert cause(b"PAR1" + bytes(30) + b"PAR1") is UnreadableCause.CORRUPT
    assert cause(b"PARE" + bytes(30) + b"PARE") is UnreadableCause.ENCRYPTED
    assert cause(b"a,b\n1,2\n") is UnreadableCause.CORRUPT


def test_a_small_file_may_not_become_a_large_one() -> None:
    giant = arrow.DictionaryArray.from_arrays(arrow.array([0] * 50_000, arrow.int32()), arrow.array(["moss" * 250]))
    data = written({"a": giant})
    assert len(data) < 10_000
    for limits in (ParseLimits(characters=1_000_000), ParseLimits(cells=40_000)):
        found = read(data, limits)
        assert len(found.text) <= 1_000_000
        assert found.is_dataset
        assert "Searches read its first" in found.problems[0]
    zeros = written({"a": [0.5] * 200_000}, use_dictionary=False, compression="gzip")
    assert cause(zeros, ParseLimits(unpacked_bytes=100_000)) is UnreadableCause.DECOMPRESSION_LIMIT
