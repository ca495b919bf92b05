"""What the merged findings have in common beyond the prompt's own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from worker.engines.synthesis.model import Merged
from worker.engines.synthesis.naming import names_a_thing
from worker.engines.text.identifiers import content_id
from worker.engines.text.phrases import phrases
from worker.engines.text.terms import Analyzer

_MAX_SHARE = 0.6
"""A phrase that more than this share of the findings has in common tells nothing apart."""
_MIN_SINGLE = 3
"""Findings that a single word must gather to be a theme; of a phrase, two."""
_LEAST_FINDINGS = 4
"""Fewer findings need no themes."""


@dataclass(frozen=True, slots=True)
class Theme:
    """A phrase and the merged findings that hold it, each in the first of its themes alone."""

    id: str
    label: str
    merged: tuple[Merged, ...]


def themes_of(merged: Sequence[Merged], prompt: str, language: str, most: int) -> list[Theme]:
    """Themes by greedy choice of the phrase whose findings are surest together. A phrase must be shared by two findings
    that have no theme yet, and not consist of the prompt's words alone."""
    if len(merged) < _LEAST_FINDINGS:
        return []
    analyzer = Analyzer(language)
    asked = frozenset(analyzer.terms(prompt))
    forms: dict[tuple[str, ...], Counter[str]] = {}
    holders: dict[tuple[str, ...], dict[str, None]] = {}
    for item in merged:
        for stems, surface in phrases(item.head.text, analyzer):
            if not asked.issuperset(stems) and names_a_thing(surface, computed=item.head.dataset is not None):
                forms.setdefault(stems, Counter())[surface] += 1
                holders.setdefault(stems, {})[item.id] = None
    by_id = {item.id: item for item in merged}
    common = max(2, _MAX_SHARE * len(merged))
    shared = sorted((stems, list(ids)) for stems, ids in holders.items() if _least(stems) <= len(ids) <= common)
    left = dict.fromkeys(by_id)
    found: list[Theme] = []
    while len(found) < most:
        best: tuple[float, tuple[str, ...], list[str]] | None = None
        for stems, ids in shared:
            members = [identifier for identifier in ids if identifier in left]
            if len(members) < _least(stems):
                continue
            gain = round((1 + 0.5 * (len(stems) - 1)) * sum(by_id[one].confidence for one in members), 6)
            if best is None or -gain < -best[0]:
                best = (gain, stems, members)
        if best is None:
            break
        _, stems, members = best
        form = min(forms[stems].items(), key=lambda entry: (-entry[1], len(entry[0]), entry[0]))[0]
        label = form[0].upper() + form[1:]
        found.append(Theme(content_id("theme", *stems), label, tuple(by_id[one] for one in members)))
        for one in members:
            del left[one]
    return found


def _least(stems: tuple[str, ...]) -> int:
    return 2 if len(stems) > 1 else _MIN_SINGLE
