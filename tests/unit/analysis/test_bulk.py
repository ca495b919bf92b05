"""Large data are read to the same table as small ones, but for the digits that doubles cannot hold."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from worker.engines.analysis.errors import AnalysisError
from worker.engines.analysis.options import ReadOptions
from worker.engines.analysis.reading import bulk_blocks
from worker.engines.analysis.reading.bulk import read_data
from worker.engines.analysis.reading.notes import ReadResult
from worker.engines.analysis.reading.reader import read_table
from worker.engines.analysis.table import Column, ColumnType

ROWS = 400
DIALECTS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "cp1252": lambda text: text.encode("cp1252"),
    "utf-16": lambda text: text.encode("utf-16"),
}


def rows(seed: int = 1) -> list[list[str]]:
    rng = random.Random(seed)
    made = []
    for i in range(ROWS):
        number = "" if i % 17 == 0 else repr(round(rng.gauss(0, 3), 6))
        whole = "NA" if i % 23 == 0 else str(rng.randrange(-50, 5_000))
        date = f"{rng.randrange(1950, 2030)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
        flag = rng.choice(["yes", "no"])
        group = rng.choice(["äpple", "b c", "c"])
        code = f"{rng.randrange(1_000):03d}"
        made.append([number, whole, date, flag, group, code, f"text {i}"])
    return made


NAMES = ["number", "whole", "date", "flag", "group", "code", "words"]


def text_of(table: list[list[str]], delimiter: str = ",", quote: bool = False) -> str:
    q = '"' if quote else ""
    lines = [delimiter.join(f"{q}{cell}{q}" for cell in row) for row in [NAMES, *table]]
    return "\n".join(lines) + "\n"


def same(data: bytes, options: ReadOptions | None = None) -> ReadResult:
    """Both ways' results are the same; the large one's."""
    options = options or ReadOptions()
    exact = read_table("t", data, options)
    large = read_data("t", data, options, exact_cells=0)
    assert [(c.name, c.type, c.unit, c.identifier) for c in large.table.columns] == [
        (c.name, c.type, c.unit, c.identifier) for c in exact.table.columns
    ]
    assert large.table.rows == exact.table.rows
    assert large.table.sha256 == exact.table.sha256
    for a, b in zip(large.table.columns, exact.table.columns, strict=True):
        assert not a.exact
        assert alike(a, b), a.name
    assert [p.as_json() for p in large.problems] == [p.as_json() for p in exact.problems]
    return large


def alike(a: Column, b: Column) -> bool:
    if a.numeric:
        return np.array_equal(a.floats(), b.floats(), equal_nan=True)
    if a.type is ColumnType.DATE:
        return np.array_equal(a.days(), b.days(), equal_nan=True) and list(a.cells) == list(b.cells)
    codes, levels = a.codes()
    return bool(np.array_equal(codes, b.codes()[0])) and levels == b.codes()[1] and list(a.cells) == list(b.cells)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_column_is_the_same(dialect: str) -> None:
    large = same(DIALECTS[dialect](text_of(rows())))
    assert [str(c.type) for c in large.table.columns][:5] == ["number", "integer", "date", "boolean", "category"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_delimiters_and_quotes(delimiter: str) -> None:
    same(text_of(rows(2), delimiter).encode())
    same(text_of(rows(2), delimiter, quote=True).encode())


def test_faults_are_named_by_line() -> None:
    table = rows(3)
    table[40][0] = "oops"
    table[41][2] = "someday"
    table[60][1] = "+7"
    lines = text_of(table).splitlines(keepends=True)
    lines[100] = "1,2\n"
    lines[120] = "\n"
    lines[121] = ",,,,,,\n"
    lines[140] = lines[140].rstrip("\n") + ",,\n"
    lines[150] = '1,2,2001-01-01,yes,"two\nlines",007,x\n'
    lines[160] = '1,2,2001-01-01,yes,"open,007,x\n'
    large = same("".join(lines).encode())
    assert [(p.line, p.column) for p in large.problems][:3] == [(42, "number"), (43, "date"), (101, None)]
    assert large.rows_left_out >= 1


def test_decimal_commas_and_thousands() -> None:
    body = "".join(f"{k % 7 + 1}.{k:03d},{k % 10}5;{k}\n" for k in range(300))
    large = same(f"price;k\n{body}".encode())
    assert large.table["price"].floats()[1] == 2001.15


def test_what_the_sample_does_not_show() -> None:
    body = "".join(f"{k}.5,{k}\n" for k in range(40_000))
    late = body + "".join(f"word{k % 5},0{k}\n" for k in range(10_000)) + body
    large = read_data("t", f"a,b\n{late}".encode(), ReadOptions(), exact_cells=0)
    assert [str(c.type) for c in large.table.columns] == ["text", "text"]
    assert list(large.table["a"].cells[40_000:40_002]) == ["word0", "word1"]
    assert large.table["b"].cells[40_003] == "03"


def test_encoding_that_the_sample_does_not_show() -> None:
    body = "".join(f"{k},plain\n" for k in range(30_000)) + "1,caf\xe9\n"
    large = read_data("t", f"a,b\n{body}".encode("cp1252"), ReadOptions(), exact_cells=0)
    assert large.table["b"].cells[-1] == "café"


def test_numbers_beyond_doubles_are_told() -> None:
    body = "".join(f"{9_007_199_254_740_993 + 2 * k},{k}\n" for k in range(50))
    large = read_data("t", f"big,k\n{body}".encode(), ReadOptions(), exact_cells=0)
    assert large.table["big"].note is not None
    assert large.table["k"].note is None


def test_json_rows() -> None:
    objects = [dict(zip(NAMES, row, strict=True)) | {"number": float(row[0] or 0)} for row in rows(5)]
    same("\n".join(json.dumps(row) for row in objects).encode())
    same(json.dumps(objects, indent=1).encode())


def test_parquet() -> None:
    sink = io.BytesIO()
    table = pa.table(
        {
            "x": pa.array([None if k % 9 == 0 else k / 7 for k in range(ROWS)]),
            "single": pa.array([k / 7 for k in range(ROWS)], pa.float32()),
            "n": pa.array(range(ROWS), pa.int16()),
            "flag": pa.array([k % 3 == 0 for k in range(ROWS)]),
            "day": pa.array([k * 43_200_000 for k in range(ROWS)], pa.timestamp("ms")),
            "group": pa.array([f"g{k % 4}" for k in range(ROWS)]).dictionary_encode(),
            "inner": pa.array([{"a": k, "b": f"t{k % 3}"} for k in range(ROWS)]),
        }
    )
    parquet.write_table(table, sink, row_group_size=64)
    same(sink.getvalue())


def test_too_many_cells_are_refused_with_a_cure() -> None:
    sink = io.BytesIO()
    parquet.write_table(pa.table({f"c{k}": pa.nulls(120_000, pa.int8()) for k in range(1_000)}), sink)
    with pytest.raises(AnalysisError, match="leave out columns or rows") as caught:
        read_data("t", sink.getvalue(), ReadOptions())
    assert caught.value.code == "dataset_too_large"


def test_a_file_that_is_not_understood_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_blocks, "MOST_ROWS_LEFT_OUT", 100)
    body = "1,2\n" * 90_000 + "1\n" * 1_000
    with pytest.raises(AnalysisError, match="more than 100 rows"):
        read_data("t", f"a,b\n{body}".encode(), ReadOptions(), exact_cells=0)
