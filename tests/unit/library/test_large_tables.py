"""Of a table that is over the limits the head is kept as text; the file is for analyses."""

from __future__ import annotations

import pytest

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.document import ParseLimits
from services.library.parsing.parse import parse

LIMITS = ParseLimits(characters=2_000, head_characters=500)
ROWS = {
    "rows.csv": "a,b\n" + "1,2\n" * 5_000,
    "rows.tsv": "a\tb\n" + "1\t2\n" * 5_000,
    "rows.jsonl": '{"a": 1, "b": 2}\n' * 1_500,
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_head_is_kept_and_said(name: str, encoding: str) -> None:
    found = parse(ROWS[name].encode(encoding), name, "", LIMITS)
    assert found.is_dataset
    assert 400 < len(found.text) <= 500
    assert ROWS[name].startswith(found.text.rstrip("\n"))
    assert any("an analysis reads all of the file" in problem for problem in found.problems)


def test_a_table_within_the_limits_is_whole() -> None:
    found = parse(b"a,b\n" + b"1,2\n" * 400, "rows.csv", "", LIMITS)
    assert (found.text.count("\n"), found.problems) == (401, ())


@pytest.mark.parametrize("rows", [600, 3_000])
def test_other_json_is_refused_with_a_cure(rows: int) -> None:
    data = b"[" + b",".join([b'{"a": 1}'] * rows) + b"]"
    with pytest.raises(DocumentUnreadable, match="JSON Lines, CSV or Parquet") as caught:
        parse(data, "rows.json", "", LIMITS)
    assert caught.value.cause is UnreadableCause.TOO_LARGE


def test_the_limit_on_files_names_its_setting() -> None:
    with pytest.raises(DocumentUnreadable, match="PRSM_LIBRARY_UPLOAD_MB"):
        parse(b"x" * 200, "rows.csv", "", ParseLimits(file_bytes=100))
