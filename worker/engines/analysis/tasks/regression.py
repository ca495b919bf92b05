"""`regression`: a model from a formula, with diagnostics: least squares here, outcomes and counts beside."""

from __future__ import annotations

import numpy as np

from worker.engines.analysis.errors import NotPossible
from worker.engines.analysis.expressions.coding import Design, build_design
from worker.engines.analysis.expressions.formula import ModelFormula, parse_formula
from worker.engines.analysis.expressions.syntax import ExpressionError, Name
from worker.engines.analysis.numerics.diagnostics import hc3_errors
from worker.engines.analysis.numerics.distributions import f_upper, t_quantile, t_two_sided
from worker.engines.analysis.numerics.glm import FAMILIES, fit_glm
from worker.engines.analysis.numerics.glm_inference import term_tests
from worker.engines.analysis.numerics.linear import EXACT_COLUMNS, LinearFit, affordable, fit_linear
from worker.engines.analysis.table import Table, complete_rows
from worker.engines.analysis.tasks.generalised import run_generalised
from worker.engines.analysis.tasks.modelling import columns_by_term, expand_polynomials, is_two_sided
from worker.engines.analysis.tasks.residuals import examine
from worker.engines.analysis.tasks.task import Result, Task, no_column
from worker.engines.analysis.wording import plural

_ILL_CONDITIONED = 1e8
_ROWS_PER_TERM = 10
_UNEVEN = 0.01


def run(table: Table, task: Task) -> Result:
    """Fit `formula`: by least squares (`family` gaussian) or as a logistic (binomial) or Poisson model.

    Without a family a response with two levels that is not numeric is binomial, every other gaussian.
    ``poly(x, 2)`` is written out as ``x + I(x**2)``. Of a gaussian model: `condition_number` is the 2-norm one of the
    design matrix with its columns scaled to unit length. Without an intercept `r_squared` and `f` are about zero, as
    in R. Terms that others already determine have no estimate. `arithmetic` is `exact` (rational arithmetic on the
    decimal text) or `double` (orthogonal decomposition with refinement). `hc3_*` are errors, intervals and p that
    allow for uneven scatter, given where it is found.
    """
    try:
        formula = parse_formula(expand_polynomials(task.text("formula")), table.names())
        for name in formula.columns:
            if table.find(name) is None:
                raise ExpressionError(no_column(name, table))
        node = formula.response.node
        two_sided = isinstance(node, Name) and is_two_sided(table[node.name])
        family = task.choice("family", FAMILIES, "binomial" if two_sided else "gaussian")
        if family != "gaussian":
            return run_generalised(table, task, formula, family)
        for field in ("offset", "event"):
            if task.arguments.get(field) is not None:
                raise task.fault(field, "a gaussian model takes none")
        design = design_for(formula, table)
    except ExpressionError as error:
        raise task.fault("formula", str(error)) from None
    if len(design.rows) <= 1 or not np.any(design.matrix):
        raise NotPossible(f"Only {len(design.rows)} row(s) have every value that {formula.text} needs.")
    fit = fit_linear(design)
    result = _result(fit, formula, table, design)
    result["term_tests"] = _term_tests(fit, design)
    result["diagnostics"] = examine(fit, design, table)
    result["warnings"] = _warnings(fit, table.rows - len(design.rows), table.rows) + result["diagnostics"]["remarks"]
    if (result["diagnostics"]["breusch_pagan_p"] or 1.0) < _UNEVEN:
        _add_hc3(result, fit, design)
    return result


def _term_tests(fit: LinearFit, design: Design) -> list[Result]:
    """F tests of each term against the model of all terms that do not contain it (type II)."""
    if fit.perfect or fit.df_residual <= 0 or fit.residual_sd is None:
        return []
    scaled = design.response / fit.residual_sd
    whole = fit_glm(design.matrix, scaled, "gaussian")
    tests = []
    for test in term_tests(whole, design.matrix, scaled, columns_by_term(design.names), np.zeros(fit.n)):
        f = test.deviance / test.df
        tests.append({"term": test.term, "f": f, "df": test.df, "p": f_upper(f, test.df, fit.df_residual)})
    return tests


def _add_hc3(result: Result, fit: LinearFit, design: Design) -> None:
    errors = hc3_errors(design.matrix, fit.residuals).tolist()
    reach = t_quantile(0.975, fit.df_residual)
    for term, error in zip(result["terms"], errors, strict=True):
        if term["estimate"] is not None and error > 0:
            term |= {
                "hc3_std_error": error,
                "hc3_p": t_two_sided(term["estimate"] / error, fit.df_residual),
                "hc3_ci_low": term["estimate"] - reach * error,
                "hc3_ci_high": term["estimate"] + reach * error,
            }


def design_for(formula: ModelFormula, table: Table) -> Design:
    """The design of `formula`, with decimals where an exact fit is affordable."""
    rows = len(complete_rows([table[name] for name in formula.columns]))
    if not affordable(rows, len(formula.terms) + formula.intercept):
        return build_design(formula, table, exact=False)
    design = build_design(formula, table, exact=True)
    if len(design.names) <= EXACT_COLUMNS and affordable(len(design.rows), len(design.names)):
        return design
    return Design(design.names, design.matrix, design.response, design.rows, None, None, design.references)


def _result(fit: LinearFit, formula: ModelFormula, table: Table, design: Design) -> Result:
    reach = t_quantile(0.975, fit.df_residual) if fit.df_residual > 0 else None
    terms = []
    for name, estimate, error in zip(fit.names, fit.estimates, fit.std_errors, strict=True):
        term: Result = {"name": name, "estimate": estimate, "std_error": error}
        term |= {"t": None, "p": None, "ci_low": None, "ci_high": None}
        if estimate is not None and error is not None and reach is not None:
            term |= {"ci_low": estimate - reach * error, "ci_high": estimate + reach * error}
            if error > 0:
                t = estimate / error
                term |= {"t": t, "p": t_two_sided(t, fit.df_residual)}
        terms.append(term)
    adjusted = None
    if fit.r_squared is not None and fit.df_residual > 0:
        adjusted = 1 - (1 - fit.r_squared) * (fit.df_model + fit.df_residual) / fit.df_residual
    return {
        "formula": formula.text,
        "family": "gaussian",
        "response": formula.response.label,
        "n": fit.n,
        "terms": terms,
        "residual_sd": fit.residual_sd,
        "r_squared": fit.r_squared,
        "r_squared_adjusted": adjusted,
        "f": fit.f,
        "p": None if fit.f is None else f_upper(fit.f, fit.df_model, fit.df_residual),
        "df_model": fit.df_model,
        "df_residual": fit.df_residual,
        "ss_model": fit.ss_model,
        "ss_residual": fit.ss_residual,
        "condition_number": fit.condition_number,
        "arithmetic": fit.arithmetic,
        "digits": fit.digits,
        "references": design.references,
    }


def _warnings(fit: LinearFit, left_out: int, rows: int) -> list[str]:
    warnings = []
    if left_out:
        warnings.append(f"{left_out} of {rows} rows are left out: a value is missing or the formula is undefined there")
    if fit.aliased:
        warnings.append(f"no estimate for {', '.join(fit.aliased)}: determined by the terms before")
    if fit.df_residual <= 0:
        warnings.append("as many terms as rows: nothing is left to estimate the scatter from")
    elif fit.perfect:
        warnings.append("the fit is perfect, so standard errors are 0 and t and F are not defined")
    elif fit.n < _ROWS_PER_TERM * len(fit.names):
        warnings.append(f"{fit.n} rows for {len(fit.names)} terms is few; the model may follow chance")
    if fit.condition_number > _ILL_CONDITIONED:
        digits = (
            "no digits are lost, but" if fit.arithmetic == "exact" else f"about {plural(fit.digits, 'digit')} hold, and"
        )
        warnings.append(
            f"ill conditioned (condition number {fit.condition_number:.1e}): {digits} "
            "small changes of the data would change the estimates much"
        )
    if not fit.settled:
        warnings.append("refinement did not settle; trust few digits")
    return warnings
