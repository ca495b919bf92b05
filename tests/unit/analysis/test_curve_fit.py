from __future__ import annotations

import math

import numpy as np
import pytest

from tests.unit.analysis.tables import result_of
from worker.engines.analysis.errors import AnalysisError, NotPossible
from worker.engines.analysis.expressions.syntax import parse_expression
from worker.engines.analysis.numerics.roles import Role, exchangeable, linear_parameters, roles


def values(result: dict[str, object]) -> dict[str, float]:
    parameters = result["parameters"]
    assert isinstance(parameters, list)
    return {p["name"]: p["estimate"] for p in parameters}


def test_a_curve_that_is_linear_agrees_with_the_exact_regression() -> None:
    data = {"x": [1, 2, 3, 4, 6], "y": [1.1, 3.2, 2.3, 5.1, 6.0]}
    curve = result_of("curve_fit", data, response="y", formula="a + b*x", start={"a": 9, "b": -3})
    line = result_of("regression", data, formula="y ~ x")
    for parameter, term in zip(curve["parameters"], line["terms"], strict=True):
        for key in ("estimate", "std_error", "ci_low", "ci_high"):
            assert parameter[key] == pytest.approx(term[key], rel=1e-13)
    assert curve["residual_ss"] == pytest.approx(line["ss_residual"], rel=1e-14)
    assert curve["residual_sd"] == pytest.approx(line["residual_sd"], rel=1e-14)
    assert (curve["converged"], curve["df_residual"]) == (True, 3)


def test_a_curve_without_noise_is_found_to_the_last_digits() -> None:
    x = [0.5 * i for i in range(1, 16)]
    y = [f"{3 * math.exp(-0.7 * v) + 0.25:.15f}" for v in x]
    result = result_of(
        "curve_fit", {"x": x, "y": y}, response="y", formula="a*exp(-k*x)+c", start={"a": 1, "k": 0.1, "c": 0}
    )
    assert values(result) == pytest.approx({"a": 3, "k": 0.7, "c": 0.25}, rel=1e-13)
    assert result["residual_ss"] < 1e-28
    assert result["converged"]


def test_agrees_with_scipy_on_noisy_data() -> None:
    from scipy.optimize import curve_fit

    rng = np.random.default_rng(9)
    x = np.linspace(0.1, 10, 60).round(3)
    y = (5 * x / (2 + x) + rng.normal(0, 0.1, 60)).round(4)
    result = result_of("curve_fit", {"x": x, "y": y}, response="y", formula="v*x/(k+x)", start={"v": 1, "k": 1})
    best, covariance = curve_fit(lambda t, v, k: v * t / (k + t), x, y, p0=(1, 1), xtol=1e-14, ftol=1e-14)
    assert list(values(result).values()) == pytest.approx(best.tolist(), rel=1e-7)
    assert [p["std_error"] for p in result["parameters"]] == pytest.approx(
        np.sqrt(np.diag(covariance)).tolist(), rel=1e-5
    )


def test_the_response_may_be_an_expression_and_pi_is_known() -> None:
    x = [1, 2, 3, 4, 5]
    y = [math.exp(2 + 0.5 * v * math.pi) for v in x]
    result = result_of("curve_fit", {"x": x, "y": y}, response="log(y)", formula="a + b*x*pi", start={"a": 0, "b": 0})
    assert values(result) == pytest.approx({"a": 2, "b": 0.5}, rel=1e-12)


@pytest.mark.parametrize(
    ("formula", "truth"),
    [
        ("a*(1-exp(-b*x))", {"a": 240.0, "b": 0.02}),
        ("a*x**b", {"a": 0.7, "b": 1.8}),
        ("a*x/(b+x)", {"a": 12.0, "b": 30.0}),
        ("a/(1+exp(b-c*x))", {"a": 70.0, "b": 2.6, "c": 0.07}),
        ("h*exp(-(x-m)**2/s**2)+c", {"h": 8.0, "m": 40.0, "s": 9.0, "c": 1.0}),
        ("a*exp(-b*x)+c*exp(-d*x)", {"a": 5.0, "b": 0.03, "c": 9.0, "d": 0.4}),
    ],
)
def test_starts_are_found(formula: str, truth: dict[str, float]) -> None:
    from worker.engines.analysis.expressions.evaluate import evaluate

    x = np.linspace(1, 90, 60).round(2)
    y = np.asarray(evaluate(parse_expression(formula), {"x": x, **{k: np.float64(v) for k, v in truth.items()}}))
    result = result_of("curve_fit", {"x": x, "y": [repr(v) for v in y.tolist()]}, response="y", formula=formula)
    assert values(result) == pytest.approx(truth, rel=1e-7)
    assert result["start"]["source"] == "searched"


def test_the_search_is_the_same_for_the_same_seed() -> None:
    data = {"x": list(range(1, 20)), "y": [round(40 * (1 - math.exp(-0.2 * v)) + (v * 7 % 3), 2) for v in range(1, 20)]}
    once = result_of("curve_fit", data, response="y", formula="a*(1-exp(-b*x))")
    assert once == result_of("curve_fit", data, response="y", formula="a*(1-exp(-b*x))")


def test_parameters_that_the_data_do_not_determine_get_no_errors() -> None:
    data = {"x": [1, 2, 3, 4, 5], "y": [2, 4, 5, 4, 6]}
    result = result_of("curve_fit", data, response="y", formula="a*b*x", start={"a": 1, "b": 2})
    assert all(p["std_error"] is None for p in result["parameters"])
    assert any("do not determine" in warning for warning in result["warnings"])


def test_roles_and_structure() -> None:
    gauss = parse_expression("c*exp(-b*x) + h1*exp(-(x-m1)**2/s1**2) + h2*exp(-(x-m2)**2/s2**2)")
    names = ["c", "b", "h1", "m1", "s1", "h2", "m2", "s2"]
    assert linear_parameters(gauss, names) == ["c", "h1", "h2"]
    found = roles(gauss, names, ["x"])
    assert (found["b"], found["m1"], found["s2"]) == (Role.RATE, Role.PLACE, Role.WIDTH)
    assert exchangeable(gauss, names) == [[["h1", "m1", "s1"], ["h2", "m2", "s2"]]]
    assert roles(parse_expression("a*x**p"), ["a", "p"], ["x"])["p"] is Role.EXPONENT
    assert exchangeable(parse_expression("a*x - b*x"), ["a", "b"]) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"formula": "a*q(x)"}, r"task\.formula: the function 'q' is not offered"),
        ({"formula": "a*x", "start": {"a": 1, "b": 2}}, r"task\.start\.b: the formula has no such parameter"),
        ({"formula": "a*x+b", "start": {"a": 1}}, r"task\.formula: 'b' is neither a column nor in start"),
        ({"formula": "a*x", "start": {"a": "1"}}, r"task\.start\.a: must be a number"),
        ({"formula": "a*x", "start": {"a": True}}, r"task\.start\.a: must be a number"),
        ({"formula": "a*x", "start": {"x": 1, "a": 1}}, r"task\.start\.x: is a column"),
        ({"formula": "log(a)*x", "start": {"a": -1}}, r"task\.start: the formula is undefined"),
        ({"formula": "x+1"}, r"task\.formula: has no parameter"),
        ({"formula": "y ~ a*x"}, r"task\.formula: write the right side alone"),
        ({"formula": "a*g"}, r"task\.formula: column 'g' is category"),
        ({"response": "z", "formula": "a*x"}, r"task\.response: no column 'z'"),
        ({"formula": "(lambda: a)()"}, r"task\.formula:"),
    ],
)
def test_faulty_requests_name_their_field(arguments: dict[str, object], says: str) -> None:
    data = {"x": [1, 2, 3, 4], "y": [1, 2, 4, 3], "g": list("abab")}
    with pytest.raises(AnalysisError, match=says):
        result_of("curve_fit", data, **{"response": "y", **arguments})


def test_more_parameters_than_rows_is_not_possible() -> None:
    with pytest.raises(NotPossible, match="3 parameters"):
        result_of("curve_fit", {"x": [1, 2], "y": [1, 2]}, response="y", formula="a+b*x+c*x**2")
