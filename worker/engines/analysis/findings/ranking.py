"""All findings of an analysis, in the order in which they matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from worker.engines.analysis.findings import comparisons, direct, models, multivariate, shape, time
from worker.engines.analysis.findings.answers import directness, speaks_of
from worker.engines.analysis.findings.draft import Draft
from worker.engines.analysis.findings.drivers import drivers
from worker.engines.analysis.findings.seasons import no_season
from worker.engines.analysis.question import Ask, Question
from worker.engines.analysis.wording import factor_name

Maker = Callable[[dict[str, Any], int], Iterator[Draft]]

MAKERS: Mapping[str, Maker] = {
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
) -> tuple[list[Item], Item | None]:
    """The findings to report with the place of their entry, best first, at most :data:`MOST`; and the one that answers
    the question, which then is the first.

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
        drafts.append(item)
    answer = _answer(drafts, question)
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
    if answer is not None:
        ranked = [answer, *(item for item in ranked if item is not answer)]
    ranked = _varied(_without_parts(_without_repeats(ranked), answer, question), closeness)
    nulls = [item for item in ranked if not item[0].established and item is not answer][:MOST_NULLS]
    return [item for item in ranked if item[0].established or item in nulls or item is answer][:MOST], answer


def _centre(question: Question) -> str | None:
    """The column that several others are asked to be held against."""
    if question.ask is Ask.DRIVERS:
        return question.response
    return question.group if question.ask is Ask.DIFFERENCE and question.response is None else None


def _drafts(entries: Sequence[Mapping[str, Any]], rows: Mapping[str, int]) -> list[Item]:
    drafts: list[Item] = []
    for place, entry in enumerate(entries):
        result = entry["result"]
        if entry["kind"] in MAKERS and "not_possible" not in result and "skipped" not in result:
            drafts += [(draft, place) for draft in MAKERS[entry["kind"]](result, rows[entry["dataset"]])]
    return drafts


def _answer(drafts: Sequence[Item], question: Question) -> Item | None:
    """The draft that answers the question most directly; of equals the weightiest."""
    found = [(key, item) for item in drafts if (key := directness(item[0], question)) is not None]
    return min(found, key=lambda entry: (entry[0], -_weight(entry[1][0])))[1] if found else None


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
