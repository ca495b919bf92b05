"""Which columns of a table go together, put together from the results on each two of them."""

from __future__ import annotations

from collections.abc import Iterable

from worker.engines.analysis.findings.draft import SIGNIFICANT, Draft
from worker.engines.analysis.findings.drivers import about_pair, p_of, size_of
from worker.engines.analysis.numerics.distributions import holm
from worker.engines.analysis.wording import listed, number, p_value, plural

_SHOWN = 6
Item = tuple[Draft, int]


def relations(drafts: Iterable[Item]) -> Item | None:
    """One finding from those on two columns each, and the place of the strongest; None for fewer than two pairs.

    p are adjusted by Holm over all pairs, whatever they were tested with.
    """
    best: dict[frozenset[str], Item] = {}
    drafts = list(drafts)
    trends = [draft for draft, _ in drafts if draft.kind == "trend" and _about_two(draft)]
    times = {draft.columns[-1] for draft in trends}
    for item in drafts:
        pair = frozenset(item[0].columns)
        # A test for trends allows for neighbours that are alike, a correlation with the time does not.
        if not _about_two(item[0]) or (item[0].kind != "trend" and times & pair):
            continue
        if pair not in best or (item[0].whole and not best[pair][0].whole):
            best[pair] = item
    if len(best) < 2:
        return None
    items = list(best.values())
    adjusted = holm([p_of(draft) for draft, _ in items])
    order = sorted(range(len(items)), key=lambda i: (-items[i][0].effect, items[i][0].columns))
    clear = [i for i in order if adjusted[i] < SIGNIFICANT]
    strongest = (clear or order)[0]
    draft, place = items[strongest]
    closest = f"{_pair(draft)} ({_size(draft)}, {p_value(adjusted[strongest])})"
    looked = f"Of {plural(len(items), 'pair')} of columns"
    if not clear:
        text = f"{looked} none shows a clear relation; the closest to one is that of {closest}."
    else:
        told = [f"{_pair(items[i][0])} ({_size(items[i][0])}, {p_value(adjusted[i])})" for i in clear]
        verb = "shows a clear relation" if len(clear) == 1 else "show a clear relation, the strongest first"
        count = "all" if len(clear) == len(items) else f"{len(clear)}"
        text = f"{looked} {count} {verb}: {listed(told, _SHOWN)}; p are adjusted for all pairs (Holm)."
        rest = len(items) - len(clear)
        text += f" For the other {rest} no clear relation was found." if rest > 1 else ""
        text += f" For {_pair(items[next(i for i in order if i not in clear)][0])} none was found." if rest == 1 else ""
        moving = {draft.columns[0] for draft in trends if draft.established}
        if any(items[i][0].kind != "trend" and set(items[i][0].columns) <= moving for i in clear):
            text += f" Columns that both rise or fall over {listed(sorted(times))} go together for that reason alone."
        text += " What causes what, such data do not tell."
    names = tuple(dict.fromkeys(name for i in clear or order for name in items[i][0].columns))
    numbers = {
        "pairs": len(items),
        "clear": len(clear),
        "strongest": {
            "columns": list(draft.columns),
            "effect": draft.effect,
            "p_adjusted": adjusted[strongest],
        },
    }
    return Draft(text, numbers, draft.effect, draft.confidence, names, "relations", bool(clear), whole=True), place


def _about_two(draft: Draft) -> bool:
    if draft.kind == "trend":
        return "slope" in draft.numbers and len(set(draft.columns)) == 2
    return about_pair(draft)


def _pair(draft: Draft) -> str:
    return " and ".join(draft.columns)


def _size(draft: Draft) -> str:
    return f"Kendall τ = {number(draft.numbers['tau'], 3)}" if draft.kind == "trend" else size_of(draft)
