"""All findings of an analysis, in the order in which they matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from worker.engines.analysis.findings import comparisons, models
from worker.engines.analysis.findings.draft import Draft

Maker = Callable[[dict[str, Any], int], Iterator[Draft]]

MAKERS: Mapping[str, Maker] = {
    "describe": models.from_describe,
    "regression": models.from_regression,
    "curve_fit": models.from_curve_fit,
    "correlation": comparisons.from_correlation,
    "compare_groups": comparisons.from_compare_groups,
    "anova": comparisons.from_anova,
    "contingency": comparisons.from_contingency,
    "trend": comparisons.from_trend,
    "hypotheses": comparisons.from_hypotheses,
}

MOST = 12
MOST_NULLS = 4
MOST_OF_A_KIND = 5


def rank(
    entries: Sequence[Mapping[str, Any]], rows: Mapping[str, int], mentioned: Sequence[str], response: str | None
) -> list[tuple[Draft, int]]:
    """The findings to report with the place of their entry, best first, at most :data:`MOST`.

    First those that speak of what the prompt names (the response and another named column, then several named
    columns, then one), within that the answer to the whole question before its parts, then by effect times confidence.
    "Nothing found" is reported only where it answers the prompt, and at most :data:`MOST_NULLS` times; bare
    descriptions only for named columns, or when there is nothing else.
    """
    drafts: list[tuple[Draft, int]] = []
    for place, entry in enumerate(entries):
        result = entry["result"]
        if entry["kind"] in MAKERS and "not_possible" not in result and "skipped" not in result:
            drafts += [(draft, place) for draft in MAKERS[entry["kind"]](result, rows[entry["dataset"]])]
    described = [item for item in drafts if item[0].kind == "describe"]
    tested = [item for item in drafts if item[0].kind != "describe"]

    def closeness(draft: Draft) -> int:
        named = {name for name in mentioned if _speaks_of(draft, name)}
        return min(len(named), 2) + (response in named and len(named) > 1)

    kept = [(draft, place) for draft, place in tested if draft.established or closeness(draft) >= 2]
    kept += [item for item in described if closeness(item[0])] if kept else described

    def order(item: tuple[Draft, int]) -> tuple[int, bool, bool, float]:
        near = closeness(item[0])
        return -near, not (item[0].whole and near >= 2), not item[0].established, -_weight(item[0])

    ranked = _without_repeats(sorted(kept, key=order))
    ranked = _varied(ranked, closeness)
    nulls = [item for item in ranked if not item[0].established][:MOST_NULLS]
    return [item for item in ranked if item[0].established or item in nulls][:MOST]


def _varied(ranked: Sequence[tuple[Draft, int]], closeness: Callable[[Draft], int]) -> list[tuple[Draft, int]]:
    """At most :data:`MOST_OF_A_KIND` findings of a kind among those that do not answer the prompt."""
    counts: Counter[str] = Counter()
    kept = []
    for item in ranked:
        counts[item[0].kind] += closeness(item[0]) < 2
        if closeness(item[0]) >= 2 or counts[item[0].kind] <= MOST_OF_A_KIND:
            kept.append(item)
    return kept


def _weight(draft: Draft) -> float:
    return draft.effect * draft.confidence


def _speaks_of(draft: Draft, name: str) -> bool:
    forms = (name, f"`{name}`", f"C({name})")
    return any(part in forms or part.startswith(f"{name}[") for part in draft.columns)


def _without_repeats(drafts: Sequence[tuple[Draft, int]]) -> list[tuple[Draft, int]]:
    by_text: dict[str, tuple[Draft, int]] = {}
    for draft, place in drafts:
        by_text.setdefault(draft.text, (draft, place))
    return list(by_text.values())
