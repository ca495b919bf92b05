from __future__ import annotations

from eval.tables import Beside, compare, same
from worker.engines.analysis.reading.reader import read_table


def test_cells_that_mean_the_same() -> None:
    assert same("$1,200.50", "1200.50")
    assert same("5/19/2006 0:00:00", "2006-05-19T00:00:00")
    assert same(" NA ", None)
    assert same("True", "true")
    assert not same("12", "21")
    assert not same("x", None)


def test_a_cell_that_is_neither_kept_nor_named_is_lost() -> None:
    rows = "".join(f"{i},a\n" for i in range(40))
    found = read_table("t", f"x,y\n{rows}oops,a\n1,2,3\n".encode())
    fields = [[str(i), "a"] for i in range(40)]
    beside = Beside(["x", "y"], [*enumerate(fields, 2), (42, ["oops", "a"]), (43, ["1", "2", "3"])])
    assert compare(beside, found) == (81, 4, [])
    beside.rows[3] = (5, ["77", "a"])
    beside.rows[4] = (6, ["4", "a", "more"])
    assert compare(beside, found)[2] == ["line 5, x: '77' became '3'", "line 6, field 3: 'more' is in no column"]
