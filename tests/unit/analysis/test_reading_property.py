"""Random tables in random dialects: every value comes back."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.analysis.dialects import draw_table
from worker.engines.analysis.errors import AnalysisError
from worker.engines.analysis.options import parse_options
from worker.engines.analysis.reading.reader import read_table

numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3)
words = st.text(alphabet="abcdefghXYZ äöüß,;\"'\n|", min_size=1, max_size=12).filter(
    lambda word: bool(word.strip(" \n"))
)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_a_dialect_that_nobody_tells_is_found(seed: int) -> None:
    """Delimiter, quoting, encoding, line ends, marks in numbers, dates, booleans, units, codes for missing values,
    lines around the table and damaged rows are all to be seen in the file."""
    written = draw_table(Random(seed))
    result = read_table("t", written.data)
    assert result.table.names() == written.names
    assert [list(column.cells) for column in result.table.columns] == written.columns
    assert result.table.columns[1].unit == written.unit
    assert sorted(problem.line for problem in result.problems) == written.faults


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(numbers, words), min_size=2, max_size=25),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    comma=st.booleans(),
)
def test_every_value_comes_back(
    rows: list[tuple[Decimal, str]], delimiter: str, end: str, encoding: str, comma: bool
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["amount", "label"])
    for value, word in rows:
        text = format(value, "f")
        writer.writerow([text.replace(".", ",") if comma else text, word])
    options = {"delimiter": delimiter, "decimal": "," if comma else ".", "types": {"label": "text"}}
    result = read_table("t", out.getvalue().encode(encoding), parse_options({"read": options}).read)
    assert result.problems == ()
    assert result.table["amount"].decimals() == [value for value, _ in rows]
    assert list(result.table["label"].cells) == [word.strip() for _, word in rows]


def read_or_reason(data: bytes) -> tuple[set[int], str]:
    """The lengths of the columns read, or the reason why nothing was."""
    try:
        table = read_table("t", data).table
    except AnalysisError as error:
        return set(), str(error)
    return {table.rows, *(len(column.cells) for column in table.columns)}, ""


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_a_named_fault(data: bytes) -> None:
    lengths, reason = read_or_reason(data)
    assert len(lengths) == (0 if reason else 1)
