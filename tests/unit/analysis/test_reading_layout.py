"""Where the table is in a file, what its columns are in, and what the request can say instead of a guess."""

from __future__ import annotations

import pytest

from worker.engines.analysis.errors import AnalysisError
from worker.engines.analysis.options import parse_options
from worker.engines.analysis.reading.dialect import detect_dialect
from worker.engines.analysis.reading.notes import Notes, ReadResult
from worker.engines.analysis.reading.overrides import ReadOptions
from worker.engines.analysis.reading.reader import read_table


def read(content: str | bytes, **overrides: object) -> ReadResult:
    options = parse_options({"read": overrides}).read
    return read_table("t", content.encode() if isinstance(content, str) else content, options)


def cells(result: ReadResult) -> dict[str, tuple[str | None, ...]]:
    return {column.name: tuple(column.cells) for column in result.table.columns}


def units(result: ReadResult) -> list[str | None]:
    return [column.unit for column in result.table.columns]


def told(result: ReadResult) -> str:
    return "\n".join(f"{d.decision} | {d.reason} | {d.alternatives}" for d in result.decisions)


def faults(result: ReadResult) -> list[tuple[int, str]]:
    return [(problem.line, problem.effect) for problem in result.problems]


def test_a_report_with_lines_above_and_notes_below() -> None:
    result = read(
        "Report 2024;;\nRegion;Umsatz (EUR);Anteil\nNord;1.234,50;12 %\nSüd;-;8 %\nOst;2.000,00;80 %\n\n"
        "Quelle: Amt;;\n* vorläufig;;\n"
    )
    assert cells(result) == {
        "Region": ("Nord", "Süd", "Ost"),
        "Umsatz (EUR)": ("1234.50", None, "2000.00"),
        "Anteil": ("12", "8", "80"),
    }
    assert units(result) == [None, "EUR", "%"]
    assert faults(result) == [(1, "line left out"), (7, "line left out"), (8, "line left out")]


def test_names_over_names_are_joined() -> None:
    result = read(",2020,,2021,\nname,a,b,a,b\nx,1,2,3,4\ny,2,3,4,5\nz,2,3,4,6\n")
    assert result.table.names() == ["name", "2020 a", "2020 b", "2021 a", "2021 b"]
    assert "the header is on lines 1, 2" in told(result)


def test_a_blank_corner_over_names_of_rows_begins_a_header() -> None:
    assert cells(read('"","hours"\n"1",3\n"2",5\n"3",7\n')) == {"column_1": ("1", "2", "3"), "hours": ("3", "5", "7")}
    words = read('"","Content"\n"V1","Do you sleep well?"\n"V2","Do you eat well?"\n')
    assert (words.table.names(), words.table.rows) == (["column_1", "Content"], 2)
    crossed = read('"",0,1,2,5\n"0",27,29,10,8\n"1",59,53,14,12\n')
    assert (crossed.table.names(), crossed.table.rows) == (["column_1", "0", "1", "2", "5"], 2)
    # A value that is missing in the first line is no corner, nor is a title over the names.
    assert read(",3,1\n2,4,5\n3,1,2\n").table.names() == ["column_1", "column_2", "column_3"]
    assert read(",1,3\n,4,5\n3,1,2\n").table.names() == ["column_1", "column_2", "column_3"]
    assert read(",Report of 2024\nname,value\na,1\nb,2\n").table.names() == ["name", "value"]


def test_the_mark_that_ends_a_file_of_dos_is_no_value() -> None:
    assert cells(read(b"a,b\n1,2\n3,6.2\x1a")) == {"a": ("1", "3"), "b": ("2", "6.2")}
    assert cells(read(b"a,b\r\n1,2\r\n3,4\r\n\x1a")) == {"a": ("1", "3"), "b": ("2", "4")}


def test_the_header_can_be_said() -> None:
    assert read("g,h\na,b\n1,2\n", header=[1, 2]).table.names() == ["g a", "h b"]
    assert read("x\ny\na,b\n1,2\n", header=3).table.names() == ["a", "b"]
    with pytest.raises(AnalysisError, match=r"read\.header: names a line that holds no row"):
        read("a,b\n1,2\n", header=9)


def test_units_come_from_the_name_a_row_or_the_values() -> None:
    named = read("weight (kg),height [cm],speed in m/s,score (max)\n1,2,3,4\n5,6,7,8\n")
    assert units(named) == ["kg", "cm", "m/s", None]
    row = read("name,depth,carbon\n,cm,%\nx,1,2\ny,3,4\n")
    assert (units(row), cells(row)["depth"]) == ([None, "cm", "%"], ("1", "3"))
    assert cells(read("name,depth\n,cm\nx,1\n", units_row=False))["name"] == (None, "x")
    mixed = read("v,w\n5 kg,1\n300 g,2\n")
    assert cells(mixed)["v"] == ("5 kg", "300 g")
    assert "its values carry different units: g, kg" in told(mixed)
    assert units(read("weight (kg)\n1\n", units={"weight (kg)": ""})) == [None]


_STORED = "cell;temp;loss;months\n;°C;%;Monate\n"


@pytest.mark.parametrize("rows", [4, 60])
def test_a_row_of_units_is_known_by_its_shape_whatever_the_words(rows: int) -> None:
    result = read(_STORED + "".join(f"Z{i};{20 + i % 3};{i % 7},{i % 9};{6 + i % 4}\n" for i in range(rows)))
    assert (units(result), result.table.rows) == ([None, "°C", "%", "Monate"], rows)
    assert not result.problems
    assert "units are on line 2" in told(result)
    kept = read(_STORED + "Z1;20;1,5;6\n" * rows, units_row=False)
    assert kept.table.rows == rows + 1


def test_words_that_may_be_units_are_asked_about_and_names_stay_names() -> None:
    rows = "".join(f"Z{i};{20 + i};{i % 5};{i % 7}\n" for i in range(60))
    doubtful = read("cell;temp;months;loss\nx;Grad;Monate;%\n" + rows)
    assert units(doubtful) == [None] * 4
    assert [(p.line, p.issue) for p in doubtful.problems if p.effect == "kept"] == [
        (2, "looks like a row of units: set read.units_row")
    ]
    said = read("cell;temp;months\nx;Grad;Monate\n" + "Z1;20;6\n" * 5, units_row=True)
    assert units(said)[1:] == ["Grad", "Monate"]
    assert read("a,b\nmin,max\n1,5\n2,7\n3,6\n").table.names() == ["a min", "b max"]


def test_accounts_write_negative_numbers_in_parentheses_or_with_the_sign_behind() -> None:
    result = read('v,w\n"(1,234)",5-\n"2,000",3\n7,2\n')
    assert cells(result) == {"v": ("-1234", "2000", "7"), "w": ("-5", "3", "2")}
    assert "numbers in parentheses in column v are negative" in told(result)


def test_values_without_the_unit_of_nearly_all_others_are_told() -> None:
    result = read("v\tw\n$0\t1\n" + "$5\t1\n" * 8 + "7\t1\n")
    assert cells(result)["v"][-1] == "7"
    assert "1 value(s) of column v are taken to be in $ too" in told(result)


def test_a_code_far_outside_the_rest_is_proposed_and_never_taken_silently() -> None:
    result = read("x,y\n1,90\n2,95\n-999,99\n3,98\n")
    assert cells(result)["x"] == ("1", "2", "-999", "3")
    assert "-999 in column x is taken as a number" in told(result)
    assert "99 in column y" not in told(result)
    # One large value makes the rest wide, and the code no less of one.
    wide = read("x\n" + "".join(f"{12 + i % 9}.5\n" for i in range(40)) + "1234.5\n-999\n")
    assert "-999 in column x is taken as a number" in told(wide)
    assert "taken as a number" not in told(read("x\n" + "".join(f"{i * 50 - 900}\n" for i in range(40)) + "-999\n"))


def test_codes_for_a_missing_value_by_column() -> None:
    result = read("x,y\n1,9\n2,8\n-9,9\n3,1\n", missing={"x": ["-9"], "*": ["8"]})
    assert cells(result) == {"x": ("1", "2", None, "3"), "y": ("9", None, "9", "1")}


def test_columns_lines_and_the_end_are_left_out_as_asked() -> None:
    result = read("x\ny\na,b\n1,2\n3,4\nend,5\n", skip_lines=2, skip_end=1, columns=["b"])
    assert cells(result) == {"b": ("2", "4")}
    assert faults(result) == [(6, "line left out")]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("# hello\n# a,b\n1,2\n3,4\n", ["a", "b"]),
        ("#a,b\n1,2\n3,4\n", ["a", "b"]),
        ("# note\na,b\n1,2\n# more\n3,4\n", ["a", "b"]),
        ("sep=;\na;b\n1;2\n3;4\n", ["a", "b"]),
        ("a  b\n 1 2.5\n3  4\n", ["a", "b"]),
        ("red,blue\ngreen,red\nred,blue\nblue,red\n", ["column_1", "column_2"]),
        ("a,b\n1,2\na,b\n3,4\n", ["a", "b"]),
        ('a,b\n"1,2\n' + "3,4\n" * 5, ["a", "b"]),
        ("a,b\n'x, y',1\n'z ''q''',2\n", ["a", "b"]),
        ('a,b\n"x \\"q\\" y",1\n"z",2\n', ["a", "b"]),
    ],
)
def test_names_are_found(content: str, names: list[str]) -> None:
    assert read(content).table.names() == names


@pytest.mark.parametrize(
    ("content", "overrides", "found"),
    [
        ("d,e\n01/02/2024,13/02/2024\n03/04/2024,14/03/2024\n", {}, "2024-02-01"),
        ("d,e\n01/02/2024,1\n03/04/2024,2\n", {"dates": "day-month-year"}, "2024-02-01"),
        ("d,e\n01/02/2024,1\n03/04/2024,2\n", {"dates": {"d": "month-day-year"}}, "2024-01-02"),
        ("date,e\n45292,1\n45293.5,2\n", {}, "2024-01-01"),
        ("d,e\n45292,1\n45293,2\n", {"dates": {"d": "excel"}}, "2024-01-01"),
        ("d,e\n2024-W05,1\n2024-W06,2\n", {}, "2024-01-29"),
        ("d,e\n2024Q2,1\n2024Q3,2\n", {}, "2024-04-01"),
        ("d,e\n20240131,1\n20240201,2\n20240202,2\n", {}, "2024-01-31"),
        ("d;e\n3. März 2024;1\n4. April 2024;2\n", {}, "2024-03-03"),
        ("d;e\nMon, 5 Jan 2015 10:00:00 GMT;1\nTue, 6 Jan 2015 10:00:00 GMT;2\n", {}, "2015-01-05T10:00:00"),
        ("d,e\n2024-01-01T00:00:00.125+01:00,1\n2024-01-01 05:00,2\n", {}, "2023-12-31T23:00:00.125"),
    ],
)
def test_dates(content: str, overrides: dict[str, object], found: str) -> None:
    column = read(content, **overrides).table.columns[0]
    assert (str(column.type), column.cells[0]) == ("date", found)


def test_damaged_bytes_are_named_by_line() -> None:
    zeros = read(b"a,b\n1,2\n3,\x004\n" + b"5,6\n" * 40)
    assert (cells(zeros)["b"][1], faults(zeros)) == ("4", [(3, "kept")])
    broken = read(b"a,b\n" + "ü,1\n".encode() * 30 + b"\xfc,2\n")
    assert (cells(broken)["a"][-1], faults(broken)) == ("\ufffd", [(32, "kept")])


def test_every_guess_says_what_changes_it() -> None:
    result = read("x;d\n1,5;01/02/2024\n2,5;03/04/2024\n-999;05/04/2024\n")
    for field in ("encoding", "delimiter", "decimal", "dates", "missing", "types"):
        assert f"read.{field} changes it" in told(result)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("sheet", 0, "read.sheet: must be a whole number from 1 on"),
        ("header", "first", "read.header: must be true, false, the number"),
        ("range", "A0:B", "read.range: must be cells such as B3:F40"),
        ("dates", {"a": "backwards"}, "read.dates.a: must be one of year-month-day"),
        ("dates", {"zz": "excel"}, r"read.dates.zz: no such column; there are a and b"),
        ("columns", ["zz"], r"read.columns.zz: no such column"),
        ("missing", {"a": 5}, "read.missing.a: must be a list of texts"),
        ("thousands", "dot", "read.thousands: must be comma, point"),
        ("quote", "ab", "read.quote: must be one character"),
        ("skip_lines", -1, "read.skip_lines: must be a whole number from 0 on"),
        ("colour", "red", "read.colour: unknown field; there are format, encoding"),
    ],
)
def test_what_cannot_be_meant_names_its_field(field: str, value: object, says: str) -> None:
    with pytest.raises(AnalysisError, match=says) as caught:
        read("a,b\n1,2\n", **{field: value})
    assert caught.value.code == "analysis_invalid"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-32"])
def test_a_sample_tells_the_dialect_of_the_whole(encoding: str) -> None:
    content = "made here\nname;weight (kg)\n" + "".join(f"n{i};1.234,5\n" for i in range(100))
    sample = content.encode(encoding)[: 200 * len("aaaa".encode(encoding)) // 4 + 7]
    dialect = detect_dialect(sample, ReadOptions(), Notes(), whole=False)
    assert (dialect.delimiter, dialect.decimal, dialect.thousands) == (";", ",", ".")
    assert (dialect.names, dialect.body_line) == (("name", "weight (kg)"), 3)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1251", ["Москва", "Казань"]),
        ("koi8_r", ["Москва", "Казань"]),
        ("cp1253", ["Αθήνα", "Πάτρα"]),
        ("cp1250", ["Łódź", "Kraków"]),
        ("cp1252", ["Málaga", "Köln", "£5 Größe", "m² ¿Qué?"]),
        ("cp1252", ["©", "20 °C"]),
        ("shift_jis", ["東京", "名古屋"]),
        ("gb18030", ["北京", "广州", "深圳"]),
        ("iso2022_jp", ["東京", "大阪"]),
    ],
)
def test_the_letters_of_short_files_tell_their_encoding(encoding: str, words: list[str]) -> None:
    rows = "".join(f"{word};{i},5\n" for i, word in enumerate(words))
    assert cells(read(f"city;n\n{rows}".encode(encoding)))["city"] == tuple(words)
