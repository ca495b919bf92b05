from __future__ import annotations

import json

import pytest

from worker.engines.analysis.errors import AnalysisError
from worker.engines.analysis.options import parse_options
from worker.engines.analysis.reading.notes import ReadResult
from worker.engines.analysis.reading.reader import read_table


def read(content: str | bytes, **overrides: object) -> ReadResult:
    options = parse_options({"read": overrides}).read
    return read_table("t", content.encode() if isinstance(content, str) else content, options)


def types(result: ReadResult) -> dict[str, str]:
    return {column.name: str(column.type) for column in result.table.columns}


def problems(result: ReadResult) -> list[tuple[int, str]]:
    return [(problem.line, problem.effect) for problem in result.problems]


def decided(result: ReadResult) -> str:
    return "\n".join(decision.decision for decision in result.decisions)


def test_columns_get_the_types_of_their_values() -> None:
    result = read("n,i,b,d,c,t\n1.50,1,yes,2024-01-31,red,ab c\n2,2,no,2024-02-01,red,xyz\n3,,yes,,blue,pqr\n")
    assert types(result) == {
        "n": "number", "i": "integer", "b": "boolean", "d": "date", "c": "category", "t": "text",
    }  # fmt: skip
    assert result.table["n"].cells == ("1.50", "2", "3")
    assert result.table["i"].missing == 1
    assert result.table["b"].cells == ("true", "false", "true")


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar"), (",", "comma")])
def test_the_delimiter_is_found_and_told(mark: str, name: str) -> None:
    result = read("\n".join(mark.join(row) for row in (["a", "b"], ["1", "x"], ["2", "y"], ["3", "x"])))
    assert result.table.names() == ["a", "b"]
    assert f"fields separated by {name}" in decided(result)


def test_semicolons_with_decimal_commas() -> None:
    result = read("a;b\n1,5;2\n-0,25;3\n1.234,5;4\n")
    assert result.table["a"].cells == ("1.5", "-0.25", "1234.5")
    assert "decimal comma" in decided(result)


def test_one_column_of_decimal_commas_is_one_column() -> None:
    assert read("y\n1,5\n2,5\n").table["y"].cells == ("1.5", "2.5")


def test_one_and_two_three_four_is_a_thousand_unless_the_file_has_decimal_commas() -> None:
    assert read('a,b\n"1,234",x\n"5,678",y\n').table["a"].cells == ("1234", "5678")
    result = read("a;b\n1,234;0,5\n5,678;1,5\n")
    assert result.table["a"].cells == ("1.234", "5.678")
    assert "column a has a decimal comma" in decided(result)


@pytest.mark.parametrize(
    ("cells", "number", "unit"),
    [
        (["$1,200.50", "$3", "$7"], "1200.50", "$"),
        (["12 kg", "7.5 kg", "9 kg"], "12", "kg"),
        (["5%", "12.5 %", "7%"], "5", "%"),
        (["1 234,5", "2 000,0", "7,5"], "1234.5", None),
        (["1'234.5", "2'000", "7"], "1234.5", None),
        (["\u22125", "3", "2"], "-5", None),
    ],
)
def test_numbers_as_people_write_them(cells: list[str], number: str, unit: str | None) -> None:
    column = read("v\tw\n" + "".join(f"{cell}\tx\n" for cell in cells)).table["v"]
    assert (column.cells[0], column.unit) == (number, unit)


def test_every_digit_of_a_number_is_kept() -> None:
    written = "0.1234567890123456789012345678901234567890"
    column = read(f"x\n{written}\n1e-7\n").table["x"]
    assert [str(value) for value in column.decimals()] == [written, "1E-7"]


def test_what_is_too_large_to_compute_with_is_named_and_read_as_missing() -> None:
    rows = "".join(f"{i}\n" for i in range(40))
    result = read(f"x\n{rows}1e999\n")
    assert result.table["x"].cells[-1] is None
    assert problems(result) == [(42, "cell read as missing")]
    assert "beyond 1e±75" in result.problems[0].issue


def test_codes_with_leading_zeros_are_no_numbers() -> None:
    assert types(read("zip,v\n01234,1\n00501,2\n"))["zip"] == "text"


def test_missing_value_codes_are_decided_and_can_be_added() -> None:
    result = read("x,c\n1,a\nNA,b\n-,a\n-99,b\n", missing=["-99"])
    assert result.table["x"].cells == ("1", None, None, None)
    assert "missing values in column x: '-' (1), 'NA' (1)" in decided(result)
    own = next(d for d in result.decisions if "'-99' (1)" in d.decision)
    assert own.reason == "asked for in the request; read.missing changes it"


def test_a_suspicious_code_is_pointed_out() -> None:
    assert "-999 in column x is taken as a number" in decided(read("x\n1\n-999\n3\n"))


def test_rows_that_do_not_fit_are_reported_by_line_and_left_out() -> None:
    result = read('a,b\n1,x\n2\n"3\nmore",y\n4,z,extra\n5,w\n')
    assert result.table["b"].cells == ("x", "y", "w")
    assert problems(result) == [(3, "row left out"), (6, "row left out")]


def test_a_quote_that_never_closes_costs_one_line_only() -> None:
    result = read('a,b\n1,x\n"2,y\n3,z\n')
    assert result.table["b"].cells == ("x", "y", "z")
    assert [problem.line for problem in result.problems if "never closed" in problem.issue] == [3]


def test_a_quote_that_never_closes_is_no_part_of_the_value() -> None:
    result = read('a,b\n1,2\n3,"4\n5,6\n')
    assert types(result) == {"a": "integer", "b": "integer"}
    assert result.table["b"].cells == ("2", "4", "6")


def test_rows_that_a_missing_quote_swallows_are_read_and_named() -> None:
    result = read('a,b\n"1,2\n3,4"\n5,6\n')
    assert result.table["a"].cells == ("1", "3", "5")
    assert result.table["b"].cells == ("2", "4", "6")
    assert [(p.line, p.effect) for p in result.problems] == [(2, "kept")]
    assert "not closed before line 3" in result.problems[0].issue


def test_line_breaks_in_a_quoted_field_are_kept() -> None:
    assert read('a,b\n1,"2\n3,4"\n5,6\n').table["b"].cells == ("2\n3,4", "6")


def test_text_after_a_closing_quote_is_kept_and_named() -> None:
    result = read('a,b\n"5" nail,x\n7,y\n')
    assert result.table["a"].cells == ("5 nail", "7")
    assert problems(result) == [(2, "kept")]


def test_a_wrong_cell_among_many_numbers_is_named() -> None:
    result = read("x,y\n" + "".join(f"{i},a\n" for i in range(30)) + "oops,a\n")
    assert types(result)["x"] == "integer"
    assert [(p.line, p.column) for p in result.problems] == [(32, "x")]


def test_lines_above_the_header_are_left_out_and_named() -> None:
    result = read("Report of 2024\n\nname,n,m\na,1,2\nb,2,3\nc,3,4\n")
    assert result.table.names() == ["name", "n", "m"]
    assert problems(result) == [(1, "line left out")]
    assert result.rows_left_out == 0


def test_headers_missing_repeated_and_blank() -> None:
    assert read("1,2\n3,4\n").table.names() == ["column_1", "column_2"]
    assert read("a,a,\n1,2,3\n").table.names() == ["a", "a_2", "column_3"]
    assert read("a,b\n1,2\n", header=False).table.rows == 2
    assert read("x,1990,1991\na,1,2\nb,3,4\n").table.names() == ["x", "1990", "1991"]


def test_an_empty_last_column_is_dropped() -> None:
    result = read("a,b,\n1,2,\n3,4,\n")
    assert result.table.names() == ["a", "b"]
    assert "column 3 is left out" in decided(result)


@pytest.mark.parametrize(
    ("cells", "iso"),
    [
        (["31.12.2023", "01.02.2024"], "2023-12-31"),
        (["12/31/2023", "01/02/2024"], "2023-12-31"),
        (["31/12/2023", "01/02/2024"], "2023-12-31"),
        (["5 Jan 2024", "6 February 2024"], "2024-01-05"),
        (["2024-05", "2024-06"], "2024-05-01"),
        (["2024-05-31T13:45:00Z", "2024-06-01T00:00:00Z"], "2024-05-31T13:45:00"),
        (["5/31/2024 1:05 PM", "6/1/2024 12:00 AM"], "2024-05-31T13:05:00"),
    ],
)
def test_dates_become_iso(cells: list[str], iso: str) -> None:
    column = read("d\tx\n" + "".join(f"{cell}\t1\n" for cell in cells)).table["d"]
    assert (str(column.type), column.cells[0]) == ("date", iso)


def test_an_uncertain_order_of_day_and_month_is_told() -> None:
    decision = next(d for d in read("d,x\n01/02/2024,1\n03/04/2024,2\n").decisions if "dates" in d.decision)
    assert decision.alternatives == ("day/month/year",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_encodings(encoding: str) -> None:
    result = read("name,größe\nMüller,1\nJosé,2\nZoë,3\n".encode(encoding))
    assert result.table.names() == ["name", "größe"]
    assert result.table["name"].cells == ("Müller", "José", "Zoë")


def test_a_longer_text_in_another_alphabet_is_detected() -> None:
    words = ["Москва", "Новосибирск", "Екатеринбург", "Казань", "Челябинск"]
    content = "город,число\n" + "".join(f"{word},{i}\n" for i, word in enumerate(words))
    assert read(content.encode("cp1251")).table.names() == ["город", "число"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    assert read(end.join(["a,b", "1,x", '2,"y"', ""])).table.rows == 2


def test_blank_lines_of_a_single_column_are_missing_values() -> None:
    assert read("y\n1\n\n3\n\n").table["y"].cells == ("1", None, "3")


def test_json_rows_keep_their_digits_and_types() -> None:
    rows = '[{"x": 0.10000000000000000001, "ok": true}, {"x": null, "ok": false}, {"x": "2.50", "extra": "e"}]'
    result = read(rows)
    assert result.table["x"].cells == ("0.10000000000000000001", None, "2.50")
    assert result.table["ok"].cells == ("true", "false", None)
    assert result.table["extra"].cells == (None, None, "e")


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([["a", "b"], [1, 2], [3, 4]]),
        json.dumps({"columns": ["a", "b"], "rows": [[1, 2], [3, 4]]}),
        '{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n',
    ],
)
def test_other_shapes_of_json(content: str) -> None:
    table = read(content).table
    assert [column.cells for column in table.columns] == [("1", "3"), ("2", "4")]


def test_json_rows_of_the_wrong_width_are_named() -> None:
    result = read(json.dumps([["a", "b"], [1, 2], [3]]))
    assert problems(result) == [(2, "row left out")]


def test_overrides() -> None:
    result = read("a;b\n1;2\n3;4\n", delimiter="semicolon", types={"a": "category"})
    assert types(result) == {"a": "category", "b": "integer"}
    assert "column a is category" in decided(result)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"PK\x03\x04rest", "Excel"),
        (b"a,b\x00\x01\x02,c", "zero bytes"),
        (b"a,b\n", "no rows"),
        (b"\xff\xfea\x00,\x00b", "breaks|no rows"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(content: bytes, says: str) -> None:
    with pytest.raises(AnalysisError, match=says) as caught:
        read(content)
    assert caught.value.code == "dataset_unreadable"


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"encoding": "klingon"}, "read.encoding: unknown encoding"),
        ({"encoding": "ascii"}, "read.encoding: the dataset is not ascii"),
        ({"types": {"zz": "number"}}, "read.types.zz: no such column"),
    ],
)
def test_overrides_that_do_not_fit_name_their_field(overrides: dict[str, object], says: str) -> None:
    with pytest.raises(AnalysisError, match=says) as caught:
        read("ä,b\n1,2\n", **overrides)
    assert caught.value.code == "analysis_invalid"


def test_what_the_request_says_of_the_file_is_a_decision() -> None:
    text = "a title\nby us\nx;y\n1,5;2.000,5\n2,5;3\n"
    result = read(text, delimiter="semicolon", decimal=",", thousands="point", quote="", skip_lines=2)
    asked = [d.decision for d in result.decisions if d.reason == "asked for in the request"]
    assert asked == [
        "fields separated by semicolon", "no character quotes fields", "the first 2 lines left out",
        "numbers have a decimal comma", "thousands are separated by point",
    ]  # fmt: skip
    rows = read('[{"x": 1}, {"x": 2}]', comment="#", decimal=".")
    assert "comments" not in decided(rows)


def test_columns_that_decide_the_decimal_mark_are_counted_with_their_faults() -> None:
    lines = "".join(f"{i},5;{i},25;word{i}\n" for i in range(40))
    result = read("x;y;z\n" + lines + "1,5;??broken;word\n")
    reason = next(d.reason for d in result.decisions if d.decision == "numbers have a decimal comma")
    assert reason == "2 columns can be read in no other way; read.decimal changes it"
