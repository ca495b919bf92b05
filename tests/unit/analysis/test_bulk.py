"""Large data are read to the same table as small ones, but for the digits that doubles cannot hold."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from worker.engines.analysis.errors import AnalysisError
from worker.engines.analysis.numerics.sums import summarise
from worker.engines.analysis.options import ReadOptions
from worker.engines.analysis.reading import bulk, bulk_blocks, json_rows
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


def test_a_scatter_that_doubles_cannot_hold_is_not_trusted() -> None:
    large = read_data("t", _csv(lambda i: f"1000000000000000000{i % 10}"), ReadOptions(), exact_cells=0)
    summary = summarise(large.table["b"].cells)
    assert (summary.sd, summary.digits) == (0.0, 0)
    assert summarise(read_data("t", _csv(lambda i: "0.1"), ReadOptions(), exact_cells=0).table["b"].cells).digits == 15


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


def _csv(cell: Callable[[int], str], name: str = "b") -> bytes:
    return (f"a,{name}\n" + "".join(f"{i}.5,{cell(i)}\n" for i in range(ROWS))).encode()


@pytest.mark.parametrize(
    "cell",
    [
        lambda i: f"({i})" if i % 5 else str(i),
        lambda i: f"{i} kg",
        lambda i: f"${i}",
        lambda i: f'="{i:04d}"',
        lambda i: f"\u200bw{i % 3}",
    ],
    ids=["accounts", "unit", "currency", "text of Excel", "marks of no width"],
)
def test_what_cells_carry(cell: Callable[[int], str]) -> None:
    same(_csv(cell))


def test_a_code_that_the_sample_does_not_show_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_HEAD", 1_000)
    monkeypatch.setattr(bulk, "_SAMPLE", 50)
    data = _csv(lambda i: "-999" if i == 201 else str(i % 7))
    assert b"-999" not in bulk._sample(data)
    large = read_data("t", data, ReadOptions(missing=("-999",)), exact_cells=0)
    assert large.table["b"].missing == 1
    same(data, ReadOptions(missing=("-999",)))


def test_a_code_among_dates_is_missing() -> None:
    data = _csv(lambda i: "1900-01-01" if i % 9 == 0 else f"2024-01-{1 + i % 28:02d}")
    assert same(data, ReadOptions(missing_in={"b": ("1900-01-01",)})).table["b"].missing == 45


def test_a_block_without_values_says_nothing_of_the_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_blocks, "BLOCK", 500)
    same(_csv(lambda i: "" if 100 < i < 300 else str(i % 50)))


def test_the_header_again_is_no_row() -> None:
    lines = _csv(lambda i: f"w{i % 3}").splitlines()
    lines[50] = lines[300] = lines[0]
    large = same(b"\n".join(lines))
    assert [problem.line for problem in large.problems] == [51, 301]


def test_damaged_bytes_are_named() -> None:
    data = _csv(lambda i: "gr\u00fcn" if i % 2 else "blau").replace(b"blau", b"bl\x00au", 1)
    large = read_data("t", data, ReadOptions(), exact_cells=0)
    assert [(problem.line, problem.effect) for problem in large.problems] == [(2, "kept")]
    assert large.table["b"].levels() == ["blau", "gr\u00fcn"]
    broken = read_data("t", data.replace(b"blau", b"bl\xffau", 1), ReadOptions(), exact_cells=0)
    assert [(problem.line, problem.effect) for problem in broken.problems] == [(2, "kept"), (4, "kept")]


def test_names_that_are_made_unique() -> None:
    same(json.dumps([{"": i, " b ": i / 7, "b": "x"} for i in range(ROWS)]).encode())
    number = pa.array(np.arange(ROWS))
    nested = pa.array([{"x": i} for i in range(ROWS)])
    sink = io.BytesIO()
    named = ["", " b ", "b", "b", "c", "c.x"]
    parquet.write_table(pa.Table.from_arrays([number, number, number, number, nested, number], names=named), sink)
    assert same(sink.getvalue()).table.names() == ["column_1", "b", "b_2", "b_3", "c.x", "c.x_2"]


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": 2}] x', '[{"a": 1} {"a": 2}]', '[{"a": 1},, {"a": 2}]'])
def test_damaged_json_is_refused(text: str) -> None:
    with pytest.raises(AnalysisError, match="not JSON"):
        read_data("t", text.encode(), ReadOptions(), exact_cells=0)


def test_a_name_twice_in_an_object_loses_no_value() -> None:
    large = read_data("t", b'[{"a": 1, "a": 2}, {"a": 3}]', ReadOptions(), exact_cells=0)
    assert large.table.names() == ["a", "a_2"]


def test_a_code_is_a_number_however_it_is_written() -> None:
    data = _csv(lambda i: "-999.0" if i % 9 == 0 else "-999.00" if i % 8 == 0 else str(i / 4))
    large = same(data, ReadOptions(missing=("-999",)))
    assert large.table["b"].missing == 89
    assert not any("taken as a number" in decision.decision for decision in large.decisions)


def test_running_out_of_memory_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads still holds the file's pages when the error passes by."""
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 50)
    held = []

    def full(name: str, data: Any, *others: Any) -> None:
        held.append(memoryview(data))
        raise MemoryError

    monkeypatch.setattr(bulk, "read_data", full)
    with pytest.raises(MemoryError):
        bulk.read_file("t", str(path))


def test_large_json_with_a_fault_is_refused_by_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_rows, "MAX_CELLS", 100)
    lines = [f'{{"a": {i}, "b": {i / 7}}}' for i in range(ROWS)]
    lines[70] = '{"a": 1,'
    with pytest.raises(AnalysisError, match=r"more than 100 cells; .* after row 70 comes a fault"):
        read_data("t", "\n".join(lines).encode(), ReadOptions(), exact_cells=0)
    lines[70] = '{"a": {"c": 1}}'
    with pytest.raises(AnalysisError, match="row 71 holds an object"):
        read_data("t", "\n".join(lines).encode(), ReadOptions(), exact_cells=0)
