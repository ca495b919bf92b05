"""Which finding answers the question, and what is said where none does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.engines.analysis.findings.draft import Draft
from worker.engines.analysis.question import Ask, Question
from worker.engines.analysis.wording import factor_name

_PAIR = ("correlation", "contingency", "compare_groups", "anova", "regression", "hypotheses", "curve_fit", "trend")
_SLOPE = ("regression", "curve_fit", "correlation", "compare_groups", "contingency", "hypotheses")
_GROUPS = ("drivers", "compare_groups", "anova", "contingency", "hypotheses", "regression")
_KINDS: Mapping[Ask, tuple[str, ...]] = {
    Ask.EFFECT: _PAIR,
    Ask.RELATION: _PAIR,
    Ask.DIFFERENCE: _GROUPS,
    Ask.TREND: ("trend", "hypotheses", "correlation", "regression"),
    Ask.DRIVERS: ("drivers", "regression", "correlation", "compare_groups"),
    Ask.MODEL: ("compare_models", "regression"),
    Ask.AGGREGATE: ("aggregate",),
    Ask.ONE_SAMPLE: ("one_sample", "hypotheses"),
    Ask.DISTRIBUTION: ("distribution", "describe"),
    Ask.OUTLIERS: ("outliers", "anomalies"),
    Ask.CLUSTERS: ("cluster",),
    Ask.COMPONENTS: ("pca",),
    Ask.DESCRIBE: ("describe", "aggregate", "distribution"),
    Ask.OVERVIEW: (),
}
Key = tuple[int, ...]


def speaks_of(draft: Draft, name: str) -> bool:
    """Whether a draft is about the column, be it as a term of a model."""
    forms = (name, f"`{name}`", f"C({name})")
    return any(part in forms or part.startswith((f"{name}[", f"`{name}`[", f"C({name})[")) for part in draft.columns)


def _base_columns(draft: Draft) -> set[str]:
    return {factor_name(part).strip("`") for part in draft.columns}


def directness(draft: Draft, question: Question) -> Key | None:
    """How directly a draft answers the question, smaller is more; None where it does not."""
    kinds = _SLOPE if question.how_much and question.ask in (Ask.EFFECT, Ask.RELATION) else _KINDS[question.ask]
    if draft.kind not in kinds or not _about(draft, question):
        return None
    kind = kinds.index(draft.kind)
    rank = {
        Ask.EFFECT: _pairs,
        Ask.RELATION: _pairs,
        Ask.DIFFERENCE: _groups,
        Ask.TREND: _trends,
    }.get(question.ask)
    return (kind,) if rank is None else rank(draft, question, kind)


def _about(draft: Draft, question: Question) -> bool:
    named = [name for name in (question.response, question.group, *question.predictors) if name]
    match question.ask:
        case Ask.EFFECT | Ask.RELATION:
            if question.response is None or not speaks_of(draft, question.response):
                return False
            if not question.predictors:
                return len(draft.columns) > 1
            return any(speaks_of(draft, name) for name in question.predictors)
        case Ask.DIFFERENCE:
            return all(speaks_of(draft, name) for name in (question.group, question.response) if name)
        case Ask.TREND:
            return question.response is None or speaks_of(draft, question.response)
        case Ask.DRIVERS | Ask.MODEL | Ask.ONE_SAMPLE:
            return question.response is not None and speaks_of(draft, question.response)
        case Ask.AGGREGATE:
            return True
    columns = named or list(question.mentioned)
    return not columns or any(speaks_of(draft, name) for name in columns)


def _pairs(draft: Draft, question: Question, kind: int) -> Key:
    """Of several predictors the model of all of them first, then each pair in the order of the question."""
    if draft.kind in ("compare_groups", "anova") and draft.columns[0] != question.response:
        kind += len(_PAIR)  # the question turned round
    covered = [i for i, name in enumerate(question.predictors) if speaks_of(draft, name)]
    others = _base_columns(draft) - {question.response, *question.predictors}
    if len(question.predictors) > 1:
        # All of them together, and nothing else.
        return (-len(covered), len(others), kind, not draft.whole)
    return (len(others), kind, not draft.whole)


def _groups(draft: Draft, question: Question, kind: int) -> Key:
    """The pair of levels that is named, else all groups together."""
    levels = {level for column, level in question.levels if column == question.group}
    pair = {draft.numbers.get("a"), draft.numbers.get("b")}
    named = len(levels) == 2 and pair == levels
    one = len(levels) == 1 and bool(levels & pair)
    if question.response is None:
        return (kind > 0, not named, not draft.established, not draft.whole)
    return (not named, kind, not draft.whole, not one)


def _trends(draft: Draft, question: Question, kind: int) -> Key | None:
    if question.seasonal:
        seasonal = "period" in draft.numbers or "looked_for" in draft.numbers
        return (kind, not draft.established if question.response is None else 0) if seasonal else None
    whole = "slope" in draft.numbers or draft.kind != "trend"
    return (kind, not whole, not draft.established if question.response is None else 0)


def standing(
    question: Question,
    cannot: Sequence[str],
    caveats: Sequence[str],
    finding: Mapping[str, Any] | None,
    entries: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """``{status, text, why, finding}``: `status` is `answered`, `qualified` (answered as far as such data can),
    `not_answerable`, `not_computed` (its task was not asked for or was skipped) or `overview` (nothing in particular
    was asked). `text` is the answer in words, `finding` the id of the key finding that it rests on."""
    if cannot:
        return _answer("not_answerable", f"The data cannot answer this: {' Also, '.join(cannot)}", list(cannot))
    if question.ask is Ask.OVERVIEW:
        return _answer("overview", "", [])
    if finding is not None:
        before = [caveat for caveat in caveats if question.causal or question.future]
        after = [caveat for caveat in caveats if caveat not in before]
        text = " ".join([*before, finding["text"], *after])
        return _answer("qualified" if caveats else "answered", text, list(caveats), finding["id"])
    kinds = _KINDS[question.ask]
    for key, status, lead in (
        ("not_possible", "not_answerable", "The data cannot answer this: "),
        ("skipped", "not_computed", "This was not computed: "),
    ):
        reasons = [entry["result"][key] for entry in entries if entry["kind"] in kinds and key in entry["result"]]
        if reasons:
            reason = reasons[0][0].lower() + reasons[0][1:] if reasons[0][1:2].islower() else reasons[0]
            return _answer(status, lead + reason.rstrip(".") + ".", reasons)
    if reason := _untested(question, entries):
        return _answer("not_answerable", f"The data cannot answer this: {reason}", [reason])
    if any(entry["asked"] for entry in entries):
        return _answer("not_computed", "The tasks asked for do not bear on the question of the prompt.", [])
    reason = "no test of it is defined for these values: they are too few, or do not vary enough."
    return _answer("not_answerable", f"The data cannot answer this: {reason}", [reason])


def _untested(question: Question, entries: Sequence[Mapping[str, Any]]) -> str:
    """Why a task that was done came to no test."""
    for entry in entries:
        result = entry["result"]
        if question.seasonal and entry["kind"] == "trend" and "seasonality" in result:
            note = result["seasonality"]["note"]
            return f"{note or 'the series shows no period twice, so no season could be seen'}."
        if entry["kind"] == "correlation" and question.ask in (Ask.EFFECT, Ask.RELATION):
            wanted = {question.response, *question.predictors}
            for pair in result.get("pairs", ()):
                if {pair["x"], pair["y"]} <= wanted and pair["pearson"]["r"] is None and pair["warnings"]:
                    return f"{pair['x']} and {pair['y']}: {'; '.join(pair['warnings'])}."
    return ""


def _answer(status: str, text: str, why: Sequence[str], finding: str | None = None) -> dict[str, Any]:
    return {"status": status, "text": text, "why": list(why), "finding": finding}
