from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.analysis.tables import table_of
from worker.engines.analysis.expressions.coding import build_design
from worker.engines.analysis.expressions.evaluate import evaluate, evaluate_decimal, evaluate_with_slopes
from worker.engines.analysis.expressions.formula import parse_formula
from worker.engines.analysis.expressions.syntax import ExpressionError, names_in, parse_expression


def test_arithmetic_and_functions() -> None:
    node = parse_expression("2*exp(-x) + sqrt(abs(y))/4 - x^2")
    value = evaluate(node, {"x": np.array([1.0]), "y": np.array([-9.0])})
    assert value == pytest.approx(2 * math.exp(-1) + 0.75 - 1)
    assert names_in(node) == ["x", "y"]


def test_names_in_backticks() -> None:
    assert names_in(parse_expression("`a b^c` + `d`")) == ["a b^c", "d"]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "x.__class__", "(lambda: 1)()", "[x for x in y]", "x if y else z", "'text'",
        "f'{x}'", "open(x)", "exp(x, y)", "exp(*x)", "np.load(x)", "os.exp(x)", "x[0]", "x := 2", "x < 3", "not x", "",
        "x +", "(" * 500, "1e999", "x;y", "getattr(x, y)", "~x", "x @ y", "x // y",
    ],
)  # fmt: skip
def test_what_is_not_of_the_language_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_expression(text)


def test_any_word_may_be_a_column() -> None:
    assert names_in(parse_expression("class + lambda*None - print")) == ["class", "lambda", "None", "print"]
    assert names_of("y ~ `~`", {"~": [1, 3, 2, 5, 4, 6]}) == ["Intercept", "~"]
    assert names_of("y ~ class", {"class": [1, 3, 2, 5, 4, 6]}) == ["Intercept", "class"]


def test_size_is_bounded() -> None:
    with pytest.raises(ExpressionError, match="parts"):
        parse_expression("+".join(["x"] * 400))
    with pytest.raises(ExpressionError, match="characters"):
        parse_expression("x" * 3000)


def test_enormous_powers_are_undefined_and_do_not_hang() -> None:
    node = parse_expression("9**9**9**9")
    assert not np.isfinite(evaluate(node, {}))
    assert evaluate_decimal(node, {}) is None


@pytest.mark.parametrize(
    "text",
    [
        "exp(a*x)", "log(a+x)", "a**x", "x**a", "sin(a*x)*cos(b)", "a/(b+x)", "arctan(a/(x-b))", "tanh(a*x)-b",
        "sqrt(a+x)", "log10(a)+log2(b)", "expm1(a)*log1p(b)", "abs(a-b)", "sinh(a)/cosh(b)", "tan(a*b)",
        "arcsin(a/9)+arccos(b/9)", "-a**2*x", "(x-a)**2/b**2", "(a*x)**(-2)",
    ],
)  # fmt: skip
@given(a=st.floats(0.3, 3.0), b=st.floats(3.5, 6.0), x=st.floats(1.0, 2.0))
def test_slopes_agree_with_differences(text: str, a: float, b: float, x: float) -> None:
    node = parse_expression(text)
    column = np.array([x])
    _, slopes = evaluate_with_slopes(node, {"x": column, "a": np.float64(a), "b": np.float64(b)}, ["a", "b"])
    step = 1e-6
    for i, name in enumerate(("a", "b")):
        at = {"a": a, "b": b}
        high = evaluate(node, {"x": column, **{k: np.float64(v + step * (k == name)) for k, v in at.items()}})
        low = evaluate(node, {"x": column, **{k: np.float64(v - step * (k == name)) for k, v in at.items()}})
        difference = (np.asarray(high) - np.asarray(low)) / (2 * step)
        size = 1 + abs(
            float(np.broadcast_to(evaluate(node, {"x": column, "a": np.float64(a), "b": np.float64(b)}), (1,))[0])
        )
        assert np.allclose(slopes[i], difference, rtol=1e-4, atol=1e-4 * size)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value="0.01", max_value=50, places=3))
def test_decimals_agree_with_doubles(x: Decimal) -> None:
    for text in (
        "exp(x)",
        "log(x)",
        "log10(x)+log2(x)",
        "sqrt(x)",
        "x**3-1/x",
        "expm1(x)+log1p(x)",
        "sin(x)",
        "-abs(1-x)",
        "x**0.5",
    ):
        node = parse_expression(text)
        exact = evaluate_decimal(node, {"x": x})
        assert exact is not None
        assert float(exact) == pytest.approx(
            float(np.asarray(evaluate(node, {"x": np.float64(x)}))), rel=1e-12, abs=1e-12
        )


def test_undefined_decimals_are_none() -> None:
    for text in ("log(x)", "1/x", "x**0.5-1/x", "sqrt(x-1)", "exp(1e6+x)"):
        assert evaluate_decimal(parse_expression(text), {"x": Decimal(0)}) is None


def names_of(formula: str, more: dict[str, list[int]] | None = None) -> list[str]:
    table = table_of(
        {
            "y": [1, 2, 3, 5, 4, 6],
            "x": [2, 1, 4, 3, 6, 7],
            "z": [1, 0, 2, 5, 3, 1],
            "g": list("ababab"),
            "h": list("uuvvwu"),
            "my col": range(6),
            **(more or {}),
        }
    )
    return build_design(parse_formula(formula, table.names()), table, exact=True).names


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("y ~ x", ["Intercept", "x"]),
        ("y ~ 0 + x", ["x"]),
        ("y ~ x - 1", ["x"]),
        ("y ~ 1", ["Intercept"]),
        ("y ~ x + I(x**2)", ["Intercept", "x", "I(x ** 2)"]),
        ("y ~ log(x)", ["Intercept", "log(x)"]),
        ("y ~ np.log(x)", ["Intercept", "np.log(x)"]),
        ("y ~ x*z", ["Intercept", "x", "z", "x:z"]),
        ("y ~ `my col`", ["Intercept", "my col"]),
        ("y ~ g", ["Intercept", "g[T.b]"]),
        ("y ~ 0 + g", ["g[a]", "g[b]"]),
        ("y ~ C(z)", ["Intercept", "C(z)[T.1]", "C(z)[T.2]", "C(z)[T.3]", "C(z)[T.5]"]),
        ("y ~ x:g", ["Intercept", "x:g[a]", "x:g[b]"]),
        ("y ~ x*g", ["Intercept", "x", "g[T.b]", "x:g[T.b]"]),
        ("y ~ g*h", ["Intercept", "g[T.b]", "h[T.v]", "h[T.w]", "g[T.b]:h[T.v]", "g[T.b]:h[T.w]"]),
        ("y ~ 0 + g:h", ["g[a]:h[u]", "g[a]:h[v]", "g[a]:h[w]", "g[b]:h[u]", "g[b]:h[v]", "g[b]:h[w]"]),
        ("y ~ . - g - h - `my col`", ["Intercept", "x", "z"]),
    ],
)
def test_terms_and_contrasts(formula: str, names: list[str]) -> None:
    assert names_of(formula) == names


def test_coding_spans_what_formulaic_spans() -> None:
    import pandas as pd
    from formulaic import model_matrix

    rng = np.random.default_rng(1)
    data = {
        "y": rng.normal(size=24).round(3),
        "x": rng.normal(size=24).round(3),
        "g": list("aabbcc" * 4),
        "h": list("uv" * 12),
    }
    table = table_of(data)
    for right in ("g*h", "g:h", "0 + g:h", "x:g + h", "g + x:g:h", "0 + h + g:h"):
        mine = build_design(parse_formula(f"y ~ {right}", table.names()), table, exact=False).matrix
        theirs = np.asarray(model_matrix(right, pd.DataFrame(data)), dtype=float)
        assert np.linalg.matrix_rank(mine) == mine.shape[1] == np.linalg.matrix_rank(theirs)
        assert np.linalg.matrix_rank(np.column_stack([mine, theirs])) == mine.shape[1]


@pytest.mark.parametrize(
    "formula",
    [
        "y", "y ~", "~ x", "y ~ x ~ z", "y ~ x +", "y ~ poly(x, 2)", "y ~ x | z", "y ~ I(__import__('os'))",
        "y ~ x + 2", "y ~ (x+z+g+h)**9", "y ~ x*z*g*h*x*z*g*h", "y ~ 0", "g ~ x", "y ~ log(g)", "y ~ C(x+1)", "y ~ (x",
        "y ~ {x.real}",
    ],
)  # fmt: skip
def test_faulty_formulas_are_refused(formula: str) -> None:
    with pytest.raises(ExpressionError):
        names_of(formula)


def test_rows_where_the_formula_is_undefined_are_left_out() -> None:
    table = table_of({"y": [1, 2, 3, 4], "x": [0, 1, 2, None]})
    assert build_design(parse_formula("y ~ log(x)", table.names()), table, exact=False).rows.tolist() == [1, 2]
