"""Which columns go with a response, put together from correlations and comparisons of groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from worker.engines.analysis.findings.draft import Draft
from worker.engines.analysis.numerics.distributions import holm
from worker.engines.analysis.wording import listed, number, p_value

Result = dict[str, Any]

_SHOWN = 6


def drivers(response: str, drafts: Iterable[tuple[Draft, int]], *, groups: bool = False) -> tuple[Draft, int] | None:
    """One finding from those on the response and one other column each, and the place of the strongest; None for fewer
    than two. With `groups` the response is a category, and the others are compared between its levels.

    Every column is taken by itself; p are adjusted by Holm over the columns, on top of what each kind adjusts.
    """
    single = [item for item in drafts if _about_one(item[0], response)]
    best: dict[str, tuple[Draft, int]] = {}
    for draft, place in single:
        other = next(name for name in draft.columns if name != response)
        if other not in best or (draft.whole and not best[other][0].whole):
            best[other] = (draft, place)
    if len(best) < 2:
        return None
    names = list(best)
    adjusted = dict(zip(names, holm([p_of(best[name][0]) for name in names]), strict=True))
    clear = sorted((n for n in names if adjusted[n] < 0.05), key=lambda n: (-best[n][0].effect, n))
    unclear = sorted(name for name in names if name not in clear)
    sizes = [f"{name} ({size_of(best[name][0])}, {p_value(adjusted[name])})" for name in clear]
    order = ", the strongest first" if len(clear) > 1 else ""
    if not clear and groups:
        text = f"Of {listed(names, 10)}, none differs clearly between the levels of {response}."
    elif not clear:
        text = f"Of {listed(names, 10)}, none shows a clear relation to {response} by itself."
    elif groups:
        differ = "differs" if len(clear) == 1 else "differ"
        text = f"{listed(sizes, _SHOWN)} {differ} between the levels of {response}{order}."
        text += f" For {listed(unclear, 8)} no clear difference was found." if unclear else ""
        text += " Groups that were not assigned at random may differ for other reasons."
    else:
        goes = "goes" if len(clear) == 1 else "go"
        text = f"Taken one by one, {listed(sizes, _SHOWN)} {goes} with {response}{order}."
        text += f" For {listed(unclear, 8)} no clear relation was found." if unclear else ""
        text += " Which of them act on it, and which only go along, such data do not tell."
    strongest = clear[0] if clear else max(names, key=lambda n: best[n][0].effect)
    draft, place = best[strongest]
    numbers = {name: {"effect": best[name][0].effect, "p_adjusted": adjusted[name]} for name in (*clear, *unclear)}
    sure = draft.confidence
    return Draft(text, numbers, draft.effect, sure, (response, *names), "drivers", bool(clear), whole=True), place


def _about_one(draft: Draft, response: str) -> bool:
    return response in draft.columns and about_pair(draft)


def about_pair(draft: Draft) -> bool:
    """Whether it is on two columns as a whole: their correlation, their table, all the groups of one."""
    if len(set(draft.columns)) != 2:
        return False
    return draft.kind in ("correlation", "contingency") or (draft.kind == "compare_groups" and _of_all(draft))


def _of_all(draft: Draft) -> bool:
    return draft.whole or "a" in draft.numbers


def p_of(draft: Draft) -> float:
    """Its p before any adjustment; 1 where none is defined."""
    p = draft.numbers.get("p")
    return 1.0 if p is None else float(p)


def size_of(draft: Draft) -> str:
    """The size of what it found, with the name of the measure."""
    numbers = draft.numbers
    if draft.kind == "correlation":
        return f"{numbers['method']} = {number(numbers['r'], 3)}"
    if draft.kind == "contingency":
        return f"Cramér's V = {number(numbers['cramers_v'], 3)}"
    if draft.whole and "effect_size" in numbers:
        return f"{numbers['effect']} = {number(numbers['effect_size'], 3)}"
    if "hedges_g" in numbers:
        return f"Hedges' g = {number(abs(numbers['hedges_g']), 3)}"
    return f"effect {number(draft.effect, 3)}"
