from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.strd_others import fewest, overclaimed
from eval.strd_problems import answers, digits, problems_in, quantities, worst

LINE = {
    "intercept": True,
    "poly_degree": 2,
    "params": [
        {"name": "B0", "estimate": "1.00000000000000", "se": "0.00000000000000"},
        {"name": "B1", "estimate": "2.00000000000000", "se": "0.00000000000000"},
        {"name": "B2", "estimate": "0.500000000000000", "se": "0.00000000000000"},
    ],
    "r_squared": "1.00000000000000",
    "F": "Infinity",
}


@pytest.mark.parametrize(("value", "certified", "expected"), [
    (2.0, "2", 15.0), (2.002, "2", 3.0), (None, "2", 0.0), (float("nan"), "2", 0.0), (1e-7, "0.000", 7.0),
    (-2.0, "2", 0.0), (2.1380940889e2, "2.1380940889E+02", 11.0),
])  # fmt: skip
def test_digits(value: float | None, certified: str, expected: float) -> None:
    assert digits(value, certified) == pytest.approx(expected, abs=1e-9)


def test_a_linear_problem(tmp_path: Path) -> None:
    (tmp_path / "linear").mkdir()
    rows = "".join(f"{1 + 2 * x + x * x / 2},{x}\n" for x in range(12))
    (tmp_path / "linear" / "Made.csv").write_text("y,x\n" + rows)
    (tmp_path / "certified.json").write_text(json.dumps({"linear": {"Made": LINE}}))
    (problem,) = problems_in(tmp_path)
    assert problem.formula == "y ~ x + I(x**2)"
    assert "F" not in dict(quantities(problem))
    terms = [{"estimate": 1.0, "std_error": 0.0}, {"estimate": 2.002, "std_error": 0.0}]
    result = {"terms": [*terms, {"estimate": 0.5, "std_error": 0.0}], "r_squared": 1.0, "f": None}
    result |= {"ss_model": 1.0, "ss_residual": 0.0, "residual_sd": 0.0}
    score = worst(problem, answers(problem, result))
    assert score is not None
    assert score[0] == pytest.approx(3.0)
    assert score[1] == "B1"
    for other in ("doubles", "numpy", "polyfit", "statsmodels"):
        assert (fewest(other, problem, 0) or 0) > 11
    assert fewest("scipy", problem, 0) is None
    trusted, more_than_right = overclaimed(problem, 0)
    assert trusted > 10
    assert not more_than_right
