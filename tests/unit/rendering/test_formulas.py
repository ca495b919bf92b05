from __future__ import annotations

import pytest

from services.results.rendering.composing import formulas
from services.results.rendering.composing.formulas import MAX_DEPTH, MAX_LENGTH, math
from services.results.rendering.composing.report import Styled, plain


@pytest.mark.parametrize(
    ("text", "tex", "typst"),
    [
        ("y ~ x", r"y \sim x", "y tilde.op x"),
        ("decay ~ dose + I(dose**2)", r"\mathrm{decay} \sim \mathrm{dose} + \mathrm{dose}^{2}", None),
        ("y ~ a*b + a:b", r"y \sim a \ast b + a : b", "y tilde.op a ast.op b + a : b"),
        ("b1*(1-exp(-b2*x))", r"b_{1} \cdot \left(1 - \mathrm{e}^{-b_{2} \cdot x}\right)", None),
        ("a/(b+c)", r"\frac{a}{b + c}", "frac(a, b + c)"),
        ("(a/b)**2", r"\left(\frac{a}{b}\right)^{2}", "(frac(a, b))^(2)"),
        ("-x**2", "-x^{2}", "-x^(2)"),
        ("(-x)^2", r"\left(-x\right)^{2}", "(-x)^(2)"),
        ("x^2^3", "x^{2^{3}}", "x^(2^(3))"),
        ("a-(b-c)", r"a - \left(b - c\right)", "a - (b - c)"),
        ("a - b - c", "a - b - c", "a - b - c"),
        ("a*-b", r"a \cdot \left(-b\right)", "a dot.op (-b)"),
        ("1.5e-3*x", r"1.5 \cdot 10^{-3} \cdot x", "1.5 dot.op 10^(-3) dot.op x"),
        ("log10(x) + sqrt(abs(x))", r"\log_{10} \left(x\right) + \sqrt{\left|x\right|}", None),
        ("sin(x)**2", r"\left(\sin \left(x\right)\right)^{2}", "(sin (x))^(2)"),
        ("poly(x, 2)", r"\mathrm{poly} \left(x, 2\right)", 'upright("poly") (x, 2)'),
        ("net_income", r"\mathrm{net\_income}", 'upright("net_income")'),
        ("alpha*x_12", r"\alpha \cdot x_{12}", "alpha dot.op x_(12)"),
    ],
)
def test_arithmetic_is_written_for_both_typesetters(text: str, tex: str, typst: str | None) -> None:
    made = math(text)
    assert made is not None
    assert made.tex == tex
    assert typst is None or made.typst == typst
    assert made.text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "y ~ .",
        "`my column` ~ x",
        "x == 2",
        "f()",
        "bs(x, df=3)",
        "a +",
        "(a",
        "a b",
        "\\input{/etc/passwd}",
        'x") + read("f',
        "größe*2",
        "x; y",
        "#x",
        "a" * (MAX_LENGTH + 1),
        "(" * (MAX_DEPTH + 1) + "a" + ")" * (MAX_DEPTH + 1),
    ],
)
def test_what_is_not_known_is_no_formula(text: str) -> None:
    assert math(text) is None


def test_nothing_of_a_name_means_anything_to_a_typesetter() -> None:
    made = math("alpha_beta.gamma ~ end_input + frac + text")
    assert made is not None
    assert made.tex == r"\mathrm{alpha\_beta.gamma} \sim \mathrm{end\_input} + \mathrm{frac} + \mathrm{text}"
    assert made.typst == 'upright("alpha_beta.gamma") tilde.op upright("end_input") + upright("frac") + upright("text")'


def test_names_in_backticks_are_read_without_them() -> None:
    formula = "`pCO2 (µatm)` ~ `temp °C` + season"
    assert formulas.unquoted(f"Model {formula}") == "Model pCO2 (µatm) ~ temp °C + season"
    assert formulas.unquoted("the field `read.types`") == "the field `read.types`"
    parts = formulas.written(formula)
    assert plain(parts) == "pCO2 (µatm) ~ temp °C + season"
    assert [plain((part,)) for part in parts if isinstance(part, Styled)] == ["pCO2 (µatm)", "temp °C", "season"]


@pytest.mark.parametrize("text", ["```code``` ~ x", "~~~ code `a`", "a ~ `b", "`a` and `b`"])
def test_what_is_no_formula_keeps_its_backticks(text: str) -> None:
    assert formulas.unquoted(text) == text


def test_a_formula_is_read_without_backticks() -> None:
    assert formulas.unquoted("Model: `p CO2` ~ `t °C` + season") == "Model: p CO2 ~ t °C + season"
