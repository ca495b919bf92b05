"""Which finding answers the question, and what is said where none does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from worker.engines.analysis.findings.draft import Draft
from worker.engines.analysis.question import Ask, Question
from worker.engines.analysis.wording import factor_name, listed

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
    Ask.OVERVIEW: ("relations", *_PAIR),
}
_EXCEPTIONS = 0.1
_BARE = (Ask.OVERVIEW, Ask.DESCRIBE)
"""Questions that any of the tasks asked for answers."""
Key = tuple[int, ...]


def speaks_of(draft: Draft, name: str) -> bool:
    """Whether a draft is about the column, be it as a term of a model."""
    forms = (name, f"`{name}`", f"C({name})")
    return any(part in forms or part.startswith((f"{name}[", f"`{name}`[", f"C({name})[")) for part in draft.columns)


def _base_columns(draft: Draft) -> set[str]:
    return {factor_name(part).strip("`") for part in draft.columns}


def directness(draft: Draft, question: Question) -> Key | None:
    """How directly a draft answers the question, smaller is more; None where it does not."""
    kinds = _kinds(question)
    if draft.kind not in kinds or not _about(draft, question):
        return None
    kind = kinds.index(draft.kind)
    if question.statements and draft.kind == "hypotheses":
        return (-2 * len(_PAIR), not draft.whole)
    if among_all(question):
        part = draft.kind == "trend" and "slope" not in draft.numbers
        return (draft.kind != "relations", part, not draft.established, kind)
    rank = {
        Ask.EFFECT: _pairs,
        Ask.RELATION: _pairs,
        Ask.DIFFERENCE: _groups,
        Ask.TREND: _trends,
    }.get(question.ask)
    return (kind,) if rank is None else rank(draft, question, kind)


def _kinds(question: Question) -> tuple[str, ...]:
    """Kinds of findings that answer the question, the most direct first."""
    if among_all(question):
        return _KINDS[Ask.OVERVIEW]
    if question.ask is Ask.OUTLIERS and question.rows:
        return ("anomalies", "outliers")
    return (
        _SLOPE
        if question.how_much and not question.control and question.ask in (Ask.EFFECT, Ask.RELATION)
        else _KINDS[question.ask]
    )


def among_all(question: Question) -> bool:
    """Whether it asks which columns go together, or what there is to see, and names none."""
    return question.ask in (Ask.OVERVIEW, Ask.RELATION) and not question.mentioned and question.response is None


def _about(draft: Draft, question: Question) -> bool:
    named = [name for name in (question.response, question.group, *question.predictors) if name]
    match question.ask:
        case Ask.EFFECT | Ask.RELATION:
            if among_all(question):
                return len(set(draft.columns)) > 1
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
        case Ask.OUTLIERS if question.rows and question.response is None:
            return True  # what is named are the rows
        case Ask.OVERVIEW:
            return len(set(draft.columns)) > 1 and among_all(question)
    columns = named or list(question.mentioned)
    return not columns or any(speaks_of(draft, name) for name in columns)


def _pairs(draft: Draft, question: Question, kind: int) -> Key:
    """Of several predictors the model of all of them first, then each pair in the order of the question."""
    if draft.kind in ("compare_groups", "anova") and draft.columns[0] != question.response:
        kind += len(_PAIR)  # the question turned round
    covered = [i for i, name in enumerate(question.predictors) if speaks_of(draft, name)]
    if draft.kind == "compare_groups" and _named_pair(draft, question, draft.columns[-1]):
        kind = -1  # the very levels that the question names
    if draft.kind == "contingency" and len(covered) == 1:
        kind = -1  # of two categories the counts say most
    others = _base_columns(draft) - {question.response, *question.predictors}
    if question.control and "held_fixed" in draft.numbers:
        return (-2 * len(_PAIR),)
    free = [name for name in question.predictors if name not in question.control]
    if (
        question.control
        and len(free) == 1
        and draft.kind == "regression"
        and not draft.whole
        and len(draft.columns) == 2
    ):
        # Beside the columns that are to be held fixed, the term of the one that is asked about.
        return (1 - 2 * len(_PAIR),) if speaks_of(draft, free[0]) else (len(_PAIR),)
    if len(question.predictors) > 1:
        # All of them together, and nothing else.
        return (-len(covered), len(others), kind, not draft.whole)
    return (len(others), kind, not draft.whole)


def _groups(draft: Draft, question: Question, kind: int) -> Key:
    """The pair of levels that is named, else all groups together."""
    levels = {level for column, level in question.levels if column == question.group}
    named = _named_pair(draft, question, question.group)
    one = len(levels) == 1 and bool(levels & {draft.numbers.get("a"), draft.numbers.get("b")})
    if question.response is None:
        return (kind > 0, not named, not draft.established, not draft.whole)
    return (not named, kind, not draft.whole, not one)


def _named_pair(draft: Draft, question: Question, group: str | None) -> bool:
    """Whether it is about the two levels that the question names."""
    levels = {level for column, level in question.levels if column == group}
    return len(levels) == 2 and {draft.numbers.get("a"), draft.numbers.get("b")} == levels


def _trends(draft: Draft, question: Question, kind: int) -> Key | None:
    if question.seasonal:
        seasonal = "period" in draft.numbers or "looked_for" in draft.numbers
        if question.trend:
            # Asked for both: the trend here, the season beside it.
            seasonal = "slope" in draft.numbers
        return (kind, not draft.established if question.response is None else 0) if seasonal else None
    whole = "slope" in draft.numbers or draft.kind != "trend"
    return (kind, not whole, not draft.established if question.response is None else 0)


def beside(question: Question, drafts: Sequence[tuple[Draft, int]]) -> list[tuple[Draft, int]]:
    """What answers the rest of a question that asks two things: the season beside the trend, and what stands out
    beside what goes together."""
    if question.ask is Ask.TREND and question.seasonal and question.trend:
        found = [item for item in drafts if "period" in item[0].numbers or "looked_for" in item[0].numbers]
        about = [item for item in found if item[0].kind == "trend" and _about(item[0], question)]
        return about[:1]
    if among_all(question) and (question.overview or question.ask is Ask.OVERVIEW):
        # Of what moves with time, clusters are but earlier and later rows.
        moving = any(item[0].kind == "trend" and item[0].established for item in drafts)
        clusters = [
            item
            for item in drafts
            if item[0].kind == "cluster" and item[0].numbers.get("k", 1) > 1 and not moving and _several(item, drafts)
        ]
        seasons = [item for item in drafts if item[0].kind == "trend" and "period" in item[0].numbers]
        return [*seasons[:1], *clusters[:1], *_far(drafts, bulk=not clusters)]
    return []


def _several(item: tuple[Draft, int], drafts: Sequence[tuple[Draft, int]]) -> bool:
    """Whether its clusters are more than a few exceptions beside the bulk."""
    sizes = [d.numbers["size"] for d, place in drafts if place == item[1] and "size" in d.numbers]
    return min(sizes, default=0) > _EXCEPTIONS / 2 * int(item[0].numbers["n"])


def _far(drafts: Sequence[tuple[Draft, int]], *, bulk: bool) -> list[tuple[Draft, int]]:
    """The rows that stand out, else the values: those that are exceptions. So many that they are none are told only
    where nothing says it better (`bulk`)."""
    rows = [item for item in drafts if item[0].kind == "anomalies" and item[0].numbers["outstanding"]]
    values = sorted((item for item in drafts if item[0].kind == "outliers"), key=lambda item: -item[0].effect)
    few_rows = [i for i in rows if i[0].numbers["outstanding"] <= _EXCEPTIONS * i[0].numbers["n"]]
    few_values = [i for i in values if 0 < i[0].numbers["outside"] <= _EXCEPTIONS * i[0].numbers.get("n", 0)]
    return (few_rows or few_values or (rows or values if bulk else []))[:1]


def standing(
    question: Question,
    cannot: Sequence[str],
    caveats: Sequence[str],
    findings: Sequence[Mapping[str, Any]],
    entries: Sequence[Mapping[str, Any]],
    doubts: Sequence[str] = (),
) -> dict[str, Any]:
    """``{status, text, why, finding, also}`` from the findings that answer, the main one first.

    `status` is `answered`, `qualified` (answered as far as such data can), `not_answerable`, `not_computed` (its task
    was not asked for or was skipped) or `overview` (nothing in particular was asked). `text` is the answer in words,
    `finding` the id of the key finding that it rests on, `also` the ids of those that answer the rest of the question.
    `doubts` are about columns that the findings rest on; they stand behind the first.
    """
    asked = any(entry["asked"] for entry in entries)
    if cannot:
        return _answer("not_answerable", f"The data cannot answer this: {' Also, '.join(cannot)}", list(cannot))
    texts = [finding["text"] for finding in findings]
    said = " ".join([*texts[:1], *doubts, *texts[1:]])
    if findings:
        finding, also = findings[0], [str(other["id"]) for other in findings[1:]]
        if question.ask is Ask.OVERVIEW and not asked:
            return _answer("overview", said, doubts, finding["id"], also)
        if asked and (left := _left_open(question, finding)):
            caveats = [*caveats, left]
        before = [caveat for caveat in caveats if question.causal or question.future]
        after = [caveat for caveat in caveats if caveat not in before]
        text = " ".join([*before, said, *after])
        why = [*doubts, *caveats]
        return _answer("qualified" if why else "answered", text, why, finding["id"], also)
    kinds = {entry["kind"] for entry in entries if entry["asked"]} if asked else set(_kinds(question))
    for key, status, lead in (
        ("not_possible", "not_answerable", "The data cannot answer this: "),
        ("skipped", "not_computed", "This was not computed: "),
    ):
        reasons = [entry["result"][key] for entry in entries if entry["kind"] in kinds and key in entry["result"]]
        if reasons and (asked or not among_all(question)):
            reason = reasons[0][0].lower() + reasons[0][1:] if reasons[0][1:2].islower() else reasons[0]
            return _answer(status, lead + reason.rstrip(".") + ".", reasons)
    if reason := _untested(question, entries):
        return _answer("not_answerable", f"The data cannot answer this: {reason}", [reason])
    if question.ask is Ask.DESCRIBE and question.response is None and not asked:
        # It names what the rows are, not what was measured.
        return _answer("overview", "", [])
    if asked:
        return _answer("not_computed", "The tasks asked for came to nothing that could be told in a sentence.", [])
    if among_all(question):
        reason = "no two columns could be held against each other: they or their rows are too few, or hardly vary."
        if question.overview or question.ask is Ask.OVERVIEW:
            return _answer("overview", f"{reason[0].upper()}{reason[1:]}", [reason])
        return _answer("not_answerable", f"The data cannot answer this: {reason}", [reason])
    reason = "no test of it is defined for these values: they are too few, or do not vary enough."
    return _answer("not_answerable", f"The data cannot answer this: {reason}", [reason])


def _left_open(question: Question, finding: Mapping[str, Any]) -> str:
    """That the prompt asks something else than the tasks of the request."""
    bears = any(name in finding["text"] for name in question.mentioned)
    if not question.mentioned or (bears and (question.ask in _BARE or finding["kind"] in _kinds(question))):
        return ""
    what = listed(list(question.mentioned), 4)
    return f"The tasks asked for do not compute what the prompt asks of {what}."


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


def _answer(
    status: str, text: str, why: Sequence[str], finding: str | None = None, also: Sequence[str] = ()
) -> dict[str, Any]:
    return {"status": status, "text": text, "why": list(why), "finding": finding, "also": list(also)}
