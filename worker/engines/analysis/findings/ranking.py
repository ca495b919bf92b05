"""All findings of an analysis, in the order in which they matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from worker.engines.analysis.findings import comparisons, direct, models, multivariate, shape, time
from worker.engines.analysis.findings.answers import among_all, beside, directness, speaks_of
from worker.engines.analysis.findings.draft import Draft
from worker.engines.analysis.findings.drivers import drivers
from worker.engines.analysis.findings.profile import from_profile
from worker.engines.analysis.findings.relations import relations
from worker.engines.analysis.findings.seasons import no_season
from worker.engines.analysis.question import Ask, Question
from worker.engines.analysis.wording import factor_name, plural

Maker = Callable[[dict[str, Any], int], Iterator[Draft]]

MAKERS: Mapping[str, Maker] = {
    "profile": from_profile,
    "describe": models.from_describe,
    "regression": models.from_regression,
    "curve_fit": models.from_curve_fit,
    "correlation": comparisons.from_correlation,
    "compare_groups": comparisons.from_compare_groups,
    "anova": comparisons.from_anova,
    "contingency": comparisons.from_contingency,
    "trend": time.from_trend,
    "distribution": shape.from_distribution,
    "outliers": shape.from_outliers,
    "hypotheses": comparisons.from_hypotheses,
    "aggregate": direct.from_aggregate,
    "one_sample": direct.from_one_sample,
    "cluster": multivariate.from_cluster,
    "pca": multivariate.from_pca,
    "anomalies": multivariate.from_anomalies,
    "compare_models": multivariate.from_compare_models,
}

MOST = 12
MOST_NULLS = 4
MOST_OF_A_KIND = 5


Item = tuple[Draft, int]


def rank(
    entries: Sequence[Mapping[str, Any]], rows: Mapping[str, int], question: Question
) -> tuple[list[Item], list[Item]]:
    """The findings to report with the place of their entry, best first, at most :data:`MOST`; and those that answer
    the question, which then are the first.

    After the answer come findings that speak of what the prompt names (the response and another named column, then
    several named columns, then one), within that those on the whole question before its parts, then by effect times
    confidence. "Nothing found" is reported only where it bears on the prompt, at most :data:`MOST_NULLS` times and
    after what was found; bare descriptions only for named columns, or when there is nothing else. Of findings that say
    the same of the same columns the foremost is kept.
    """
    drafts = _drafts(entries, rows)
    if question.seasonal:
        for place, entry in enumerate(entries):
            if entry["kind"] == "trend" and "seasonality" in entry["result"]:
                drafts += [(draft, place) for draft in no_season(entry["result"], rows[entry["dataset"]])]
    centre = _centre(question)
    if centre is not None and (item := drivers(centre, drafts, groups=question.ask is Ask.DIFFERENCE)) is not None:
        kept = entries[item[1]]["result"].get("kept")
        drafts.append(item if kept is None else (_among(item[0], kept), item[1]))
    if among_all(question) and (item := relations(drafts)) is not None:
        drafts.append(item)
    answer = _answer(drafts, entries, question)
    answers = [] if answer is None else [answer, *(i for i in beside(question, drafts) if i is not answer)]
    if answer is None and (answer := _asked_for(drafts, entries, question)) is not None:
        answers = [answer]
    mentioned, response = question.mentioned, question.response
    described = [item for item in drafts if item[0].kind == "describe"]
    tested = [item for item in drafts if item[0].kind != "describe"]

    def closeness(draft: Draft) -> int:
        named = {name for name in mentioned if speaks_of(draft, name)}
        return min(len(named), 2) + (response in named and len(named) > 1)

    kept = [(draft, place) for draft, place in tested if draft.established or closeness(draft) >= 2]
    kept += [item for item in described if closeness(item[0])] if kept else described

    def order(item: Item) -> tuple[bool, int, bool, float]:
        near = closeness(item[0])
        return not item[0].established, -near, not (item[0].whole and near >= 2), -_weight(item[0])

    ranked = sorted(kept, key=order)
    ranked = [*answers, *(item for item in ranked if item not in answers)]
    ranked = [*answers, *_rest(ranked, answers, question, closeness)]
    nulls = [item for item in ranked if not item[0].established and item not in answers][:MOST_NULLS]
    return [item for item in ranked if item[0].established or item in nulls or item in answers][:MOST], answers


def _rest(
    ranked: Sequence[Item], answers: Sequence[Item], question: Question, closeness: Callable[[Draft], int]
) -> list[Item]:
    answer = answers[0] if answers else None
    varied = _varied(_without_parts(_without_repeats(ranked), answer, question), closeness)
    return [item for item in varied if item not in answers]


def _centre(question: Question) -> str | None:
    """The column that several others are asked to be held against."""
    if question.ask is Ask.DRIVERS:
        return question.response
    return question.group if question.ask is Ask.DIFFERENCE and question.response is None else None


def _drafts(entries: Sequence[Mapping[str, Any]], rows: Mapping[str, int]) -> list[Item]:
    drafts: list[Item] = []
    for place, entry in enumerate(entries):
        result = entry["result"]
        # Every dataset is profiled; that is told only where it was asked for.
        told = entry["kind"] in MAKERS and (entry["kind"] != "profile" or entry["asked"])
        if told and "not_possible" not in result and "skipped" not in result:
            kept = result.get("kept")
            size = rows[entry["dataset"]] if kept is None else kept["rows"]
            made = MAKERS[entry["kind"]](result, size)
            drafts += [(draft if kept is None else _among(draft, kept), place) for draft in made]
    return drafts


def _among(draft: Draft, kept: Mapping[str, Any]) -> Draft:
    """A finding on some of the rows, which it names."""
    text = f"Among the {plural(kept['rows'], 'row')} where {kept['where']}: {draft.text}"
    return replace(draft, text=text, numbers={**draft.numbers, "rows_kept": kept["rows"]})


def _answer(drafts: Sequence[Item], entries: Sequence[Mapping[str, Any]], question: Question) -> Item | None:
    """The draft that answers the question most directly; of equals that of the task asked for first, then the
    weightiest."""
    asked = [entry["asked"] for entry in entries]
    if question.ask is Ask.OVERVIEW and any(asked):
        return None
    found = [(key, item) for item in drafts if (key := directness(item[0], question)) is not None]

    def order(entry: tuple[Any, Item]) -> tuple[Any, int, float]:
        key, (draft, place) = entry
        return key, place if asked[place] else 0, -_weight(draft)

    return min(found, key=order)[1] if found else None


def _asked_for(drafts: Sequence[Item], entries: Sequence[Mapping[str, Any]], question: Question) -> Item | None:
    """What the tasks of the request say: where the prompt only names columns, the foremost on most of them, else the
    foremost of the first task."""
    asked = [item for item in drafts if entries[item[1]]["asked"]]
    if not asked:
        return None

    def on(item: Item) -> int:
        named = question.mentioned or tuple(filter(None, (question.response,)))
        return sum(speaks_of(item[0], name) for name in named)

    def order(item: Item) -> tuple[Any, ...]:
        return on(item), item[0].established, item[0].whole, _weight(item[0])

    if question.ask is Ask.DESCRIBE and (bearing := [item for item in asked if on(item)]):
        return max(bearing, key=lambda item: (on(item), item[0].whole, _weight(item[0]), -item[1]))
    first = min(place for _, place in asked)
    return max((item for item in asked if item[1] == first), key=order)


def _varied(ranked: Sequence[Item], closeness: Callable[[Draft], int]) -> list[Item]:
    """At most :data:`MOST_OF_A_KIND` findings of a kind among those that do not bear on the prompt."""
    counts: Counter[str] = Counter()
    kept = []
    for item in ranked:
        counts[item[0].kind] += closeness(item[0]) < 2
        if closeness(item[0]) >= 2 or counts[item[0].kind] <= MOST_OF_A_KIND:
            kept.append(item)
    return kept


def _weight(draft: Draft) -> float:
    return draft.effect * draft.confidence


def _without_repeats(drafts: Sequence[Item]) -> list[Item]:
    kept: dict[Any, Item] = {}
    for item in drafts:
        kept.setdefault(_claim(item[0]), item)
    return list(kept.values())


def _without_parts(ranked: Sequence[Item], answer: Item | None, question: Question) -> list[Item]:
    """Without the pairs of groups that a finding on all groups names already, but for levels that the prompt names."""
    whole = {frozenset(draft.columns) for draft, _ in ranked if draft.kind == "compare_groups" and draft.whole}
    named = {column for column, _ in question.levels}

    def is_part(item: Item) -> bool:
        draft = item[0]
        pair = draft.kind == "compare_groups" and not draft.whole and frozenset(draft.columns) in whole
        return pair and item is not answer and not named & set(draft.columns)

    return [item for item in ranked if not is_part(item)]


def _claim(draft: Draft) -> tuple[Any, ...]:
    """What a finding says in the main: two with the same claim on the same columns differ only in the test."""
    columns = frozenset(factor_name(part).strip("`") for part in draft.columns)
    if len(columns) == 2:
        if draft.kind == "compare_groups" and not draft.whole:
            return columns, "levels", draft.numbers.get("a"), draft.numbers.get("b")
        if draft.kind in ("anova", "compare_groups"):
            return columns, "groups"
        if draft.kind in ("correlation", "contingency", "hypotheses"):
            return columns, "pair"
        if draft.kind == "regression" and not draft.whole and "r_squared" in draft.numbers:
            # A model of one predictor says by its share of variance what the correlation says.
            return columns, "pair"
    return (draft.text,)
