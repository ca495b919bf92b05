"""What each format's bytes become: workbooks, Parquet, JSON, and files that are something else."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import pytest

from tests.mutations.compound import legacy_workbook
from tests.unit.library.workbooks import workbook
from worker.engines.analysis.errors import AnalysisError
from worker.engines.analysis.options import parse_options
from worker.engines.analysis.reading.notes import ReadResult
from worker.engines.analysis.reading.reader import read_table

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def read(content: str | bytes, **overrides: object) -> ReadResult:
    options = parse_options({"read": overrides}).read
    return read_table("t", content.encode() if isinstance(content, str) else content, options)


def cells(result: ReadResult) -> dict[str, tuple[str | None, ...]]:
    return {column.name: tuple(column.cells) for column in result.table.columns}


def decided(result: ReadResult) -> str:
    return "\n".join(decision.decision for decision in result.decisions)


def with_sheet(xml: str) -> bytes:
    """A workbook whose only sheet has that XML."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook({"S": [["a"]]}))) as made, zipfile.ZipFile(out, "w", 8) as archive:
        for name in made.namelist():
            archive.writestr(name, xml if name.endswith("sheet1.xml") else made.read(name))
    return out.getvalue()


def sheet_of(rows: str) -> bytes:
    return with_sheet(f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>')


BOOK: dict[str, Sequence[Sequence[object]]] = {
    "Cover": [["Report"]],
    "Cores": [["Made by hand"], [], ["name", "depth"], ["x", 2**53], ["y", 0.1 + 0.2]],
    "More": [["a", "b"], [1, 2]],
}


def test_a_workbook_is_read_from_its_first_sheet_with_a_table() -> None:
    result = read(workbook(BOOK))
    assert cells(result) == {"name": ("x", "y"), "depth": ("9007199254740992", "0.30000000000000004")}
    choice = next(d for d in result.decisions if "sheet" in d.decision)
    others = ("sheet 'Cover' (Report)", "sheet 'More' (a and b)")
    assert (choice.decision, choice.alternatives) == ("the sheet 'Cores' is read", others)
    assert "read.sheet" in choice.reason
    assert [(p.line, p.effect) for p in result.problems] == [(1, "line left out")]


@pytest.mark.parametrize("sheet", ["More", 3, 3.0])
def test_a_sheet_is_chosen_by_name_or_number(sheet: object) -> None:
    assert cells(read(workbook(BOOK), sheet=sheet)) == {"a": ("1",), "b": ("2",)}


def test_a_sheet_that_is_not_there_is_named() -> None:
    with pytest.raises(AnalysisError, match=r"read\.sheet: no such sheet; there are 'Cover', 'Cores' and 'More'"):
        read(workbook(BOOK), sheet="Core")


def test_an_old_workbook() -> None:
    result = read(legacy_workbook("S", [["name", "v"], ["x", 2.25], ["y", -3]]))
    assert cells(result) == {"name": ("x", "y"), "v": ("2.25", "-3")}


def test_tables_side_by_side_are_told_apart() -> None:
    rows: Sequence[Sequence[object]] = [
        ["x", "y", "", "p", "q"],
        [1, 2, "", 3, 4],
        [5, 6, "", 7, 8],
        [5, 6, "", "", ""],
    ]
    result = read(workbook({"S": rows}))
    assert cells(result) == {"x": ("1", "5", "5"), "y": ("2", "6", "6")}
    assert next(d.alternatives for d in result.decisions if "columns A:B" in d.decision) == ("columns D:E",)
    assert cells(read(workbook({"S": rows}), range="D1:E3")) == {"p": ("3", "7"), "q": ("4", "8")}


def test_formulas_give_their_stored_values_and_a_lost_one_is_named() -> None:
    result = read(
        sheet_of(
            '<row r="1"><c r="A1" t="str"><v>n</v></c><c r="B1" t="str"><v>m</v></c></row>'
            '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><f>A2*2</f><v>2</v></c></row>'
            '<row r="3"><c r="A3"><v>3</v></c><c r="B3"><f>A3*2</f></c></row>'
        )
    )
    assert cells(result) == {"n": ("1", "3"), "m": ("2", None)}
    assert [(p.line, "B3" in p.issue) for p in result.problems] == [(3, True)]


def test_a_sheet_that_spans_too_much_is_refused() -> None:
    two = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(AnalysisError, match="spans 1,048,576 rows") as caught:
        read(sheet_of(two))
    assert caught.value.code == "dataset_too_large"


def test_a_workbook_that_unpacks_to_too_much_is_refused() -> None:
    book = bytearray(sheet_of(""))
    # The size that the directory declares stands 24 bytes into the entry.
    entry = book.rfind(b"PK\x01\x02", 0, book.rfind(b"xl/worksheets/sheet1.xml"))
    book[entry + 24 : entry + 28] = (2**31).to_bytes(4, "little")
    with pytest.raises(AnalysisError, match="unpacks to more than") as caught:
        read(bytes(book))
    assert caught.value.code == "dataset_too_large"


def parquet(**columns: object) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_parquet_loses_no_digit() -> None:
    import pyarrow as pa

    result = read(
        parquet(
            money=pa.array([Decimal("12345678901234567890.123400000"), None], pa.decimal128(38, 9)),
            long=[2**63 - 1, -5],
            unsigned=pa.array([2**64 - 1, 0], pa.uint64()),
            real=[0.1, 5e-20],
            single=pa.array([0.1, 2.5], pa.float32()),
            zoned=pa.array([datetime(2024, 1, 2, 3, 4, 5, 678900), None], pa.timestamp("us", tz="Europe/Berlin")),
            fine=pa.array([1, 1_700_000_000_123_456_789], pa.timestamp("ns")),
            took=pa.array([5, 7], pa.duration("ms")),
            ok=[True, None],
            text=["1,5", "x"],
        )
    )
    assert cells(result) == {
        "money": ("12345678901234567890.123400000", None),
        "long": ("9223372036854775807", "-5"),
        "unsigned": ("18446744073709551615", "0"),
        "real": ("0.1", "5e-20"),
        "single": ("0.1", "2.5"),
        "zoned": ("2024-01-02T03:04:05.6789", None),
        "fine": ("1970-01-01T00:00:00.000000001", "2023-11-14T22:13:20.123456789"),
        "took": ("5", "7"),
        "ok": ("true", None),
        "text": ("1,5", "x"),
    }
    assert result.table["took"].unit == "ms"


def test_parquet_nests_become_columns_and_bytes_text() -> None:
    import pyarrow as pa

    result = read(
        parquet(
            s=[{"x": 1, "y": {"z": "q"}}, {"x": 2, "y": None}],
            numbers=[[1, 2], [3]],
            raw=pa.array([b"\xff\x00", b"ab"]),
            words=pa.array([b"ab", b"cd"]),
            kind=pa.array(["u", "v"]).dictionary_encode(),
            none=pa.array([None, None]),
        )
    )
    found = cells(result)
    assert (found["s.x"], found["s.y.z"], found["numbers"]) == (("1", "2"), ("q", None), ("[1, 2]", "[3]"))
    assert (found["raw"], found["words"], found["kind"]) == (("ff00", "6162"), ("ab", "cd"), ("u", "v"))
    assert found["none"] == (None, None)
    assert "hexadecimal" in decided(result)


@pytest.mark.parametrize("cut", [slice(0, 200), slice(0, -20)])
def test_a_damaged_parquet_file_is_refused(cut: slice) -> None:
    with pytest.raises(AnalysisError, match="Parquet file is damaged"):
        read(parquet(a=list(range(100)))[cut])


def test_nested_json_becomes_columns_with_its_digits() -> None:
    result = read('{"meta": 1, "data": [{"a": {"b": 1.50, "c": [1.10]}, "n": 12345678901234567890}, {"a": {"b": 2}}]}')
    assert cells(result) == {"a.b": ("1.50", "2"), "a.c": ("[1.10]", None), "n": ("12345678901234567890", None)}
    assert "rows are those of 'data'" in decided(result)
    assert "become columns outer.inner" in decided(result)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('{"a": [1, 2], "b": ["x", null]}', {"a": ("1", "2"), "b": ("x", None)}),
        ('{"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}', {"a": ("1", "2"), "b": ("3", "4")}),
        ('{"r": {"a": 1, "b": 2}, "s": {"a": 3, "b": 4}}', {"row": ("r", "s"), "a": ("1", "3"), "b": ("2", "4")}),
        ('{"columns": ["a"], "index": [0], "data": [[7]]}', {"a": ("7",)}),
        ("[[1, 2], [3, 4]]", {"column_1": ("1", "3"), "column_2": ("2", "4")}),
        ('[{"a": "x\u2028y"}, {"a": "z"}]', {"a": ("x\u2028y", "z")}),
        ('{"a": "x\u2028y"}\n{"a": "z"}', {"a": ("x\u2028y", "z")}),
    ],
)
def test_shapes_of_json_documents(content: str, found: dict[str, tuple[str | None, ...]]) -> None:
    assert cells(read(content)) == found


def test_json_lines_that_are_none_are_named_by_line() -> None:
    result = read('{"a": 1}\n{"a": 2\n\n{"a": 3, "a": 4}\n[1]\n')
    assert cells(result) == {"a": ("1", "3"), "a_2": (None, "4")}
    assert [(p.line, p.effect) for p in result.problems] == [(2, "row left out"), (5, "row left out")]


def test_what_json_has_no_number_for_is_named() -> None:
    result = read('[{"a": NaN}, {"a": 1}, {"a": Infinity}]')
    assert cells(result) == {"a": (None, "1", None)}
    assert [p.line for p in result.problems] == [3]


def test_the_rows_of_a_document_are_chosen() -> None:
    document = json.dumps({"xs": [{"a": 1}], "ys": [{"b": 2}]})
    assert cells(read(document, records="ys")) == {"b": ("2",)}
    with pytest.raises(AnalysisError, match=r"several lists of rows \(xs and ys\): read\.records says which"):
        read(document)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04rest", "zip file or an Excel workbook but is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "workbook is damaged"),
        (b"PAR1\x00\x01", "Parquet file is damaged"),
        (b"\x1f\x8b\x08\x00", "a gzip file"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"<html><table><tr><td>1</td></tr></table>", "a web page"),
        (b"<?xml version='1.0'?><a/>", "an XML document"),
        (b'[{"a": 1}, {"a": 2', "not JSON"),
        (b"[1, 2, 3]", "rows must be objects"),
        # Named by hand: the test's name would be as long as these.
        pytest.param(b"[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(b'a,b\n1,"' + b"x" * 10_000_001 + b'"\n', "a field that begins on line 2 has more", id="long"),
    ],
)
def test_what_is_no_dataset_is_refused_with_the_reason(content: bytes, says: str) -> None:
    with pytest.raises(AnalysisError, match=says) as caught:
        read(content)
    assert caught.value.code == "dataset_unreadable"


@pytest.mark.parametrize(("place", "value"), [(30, 0x20), (44, 0x7FFFFFFF)])
def test_an_old_workbook_whose_header_lies_is_refused(place: int, value: int) -> None:
    book = bytearray(legacy_workbook("S", [["name", "v"], ["x", 2.25]]))
    book[place : place + 4] = value.to_bytes(4, "little")
    with pytest.raises(AnalysisError, match="its header does not fit its size"):
        read(bytes(book))


def test_a_workbook_whose_members_are_damaged_is_refused() -> None:
    book = workbook(BOOK)
    place = book.find(b"PK\x03\x04", 4)
    with pytest.raises(AnalysisError, match="the workbook is damaged"):
        read(book[:place] + b"PK\x03\x05" + book[place + 4 :].replace(b"PK\x03\x04", b"PK\x03\x05"))


def test_a_number_of_the_format_has_a_point_whatever_texts_have() -> None:
    rows = [{"number": 2.125, "text": "1,5"}, {"number": 3.125, "text": "2,25"}]
    assert cells(read(json.dumps(rows))) == {"number": ("2.125", "3.125"), "text": ("1.5", "2.25")}
    assert cells(read(json.dumps(rows), decimal=","))["number"] == ("2.125", "3.125")
    sheet = "".join(
        f'<row r="{i}"><c r="A{i}"{kind}</c><c r="B{i}" t="inlineStr"><is><t>{text}</t></is></c></row>'
        for i, kind, text in (
            (1, ' t="inlineStr"><is><t>number</t></is>', "text"),
            (2, "><v>2.125</v>", "1,5"),
            (3, "><v>3.125</v>", "2,25"),
        )
    )
    assert cells(read(sheet_of(sheet))) == {"number": ("2.125", "3.125"), "text": ("1.5", "2.25")}


def test_years_of_two_digits_may_stand_first_or_last() -> None:
    content = "a,d\n1,24-02-13\n2,24-03-14\n3,24-03-15\n"
    assert "the order of day, month and year is not certain" in " ".join(d.reason for d in read(content).decisions)
    assert cells(read(content, dates={"*": "year-month-day"}))["d"] == ("2024-02-13", "2024-03-14", "2024-03-15")


def test_a_field_that_means_nothing_to_the_format_is_told() -> None:
    assert "read.sheet and read.range not used" in decided(read("a,b\n1,2\n", sheet=2, range="A1:B2"))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("il,değer\nİzmir,4\nAğrı,5\n", "cp1254"),
        ("Ort,Wert\nKöln,4\nGroß Süderau,5\n", "cp850"),
        ("nombre,valor\nJosé,4\nPeña,5\n", "mac_roman"),
        ("שם,ערך\nדוד,4\nירושלים,5\n", "cp1255"),
        ("الاسم,القيمة\nأحمد,4\nالقاهرة,5\n", "cp1256"),
    ],
)
def test_a_few_letters_tell_the_encoding(text: str, encoding: str) -> None:
    table = read_table("t.csv", text.encode(encoding)).table
    assert table.columns[0].cells == read_table("t.csv", text.encode()).table.columns[0].cells
    assert table.names() == text.split("\n")[0].split(",")
