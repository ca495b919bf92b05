"""Tables of an analysis's tasks beside the one that the engine makes: which groups differ, by which tests, and what
each term of a model adds. They are without numbers: the text just before says what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.results.rendering.composing import blocks
from services.results.rendering.composing.analyses import brief, interval, word
from services.results.rendering.composing.names import readable
from services.results.rendering.composing.report import Block, Paragraph, Styled, Text
from services.results.rendering.composing.values import cell
from services.results.rendering.reading import JSON, Cell

_EFFECTS = ("difference", "rank_difference", "superiority")
_STATISTICS = ("q", "t", "z", "u", "f", "h", "chi2", "statistic")
_OVERALL = ("anova", "welch", "kruskal_wallis")
_ASSUMPTIONS = ("normal_residuals", "equal_spread")


def more(kind: str, outcome: Mapping[str, JSON], labels: dict[str, str]) -> list[Block]:
    """The further tables of a task; none where its result has another shape."""
    parts: list[Block] = []
    if kind == "anova":
        parts += _groups(outcome, labels)
    if kind in ("anova", "compare_groups"):
        parts += _tests(outcome, labels)
        parts += _pairs(outcome, labels)
    if kind == "regression":
        parts += _terms(outcome, labels)
    return parts


def _groups(outcome: Mapping[str, JSON], labels: dict[str, str]) -> list[Block]:
    records = [item for item in _records(outcome.get("groups")) if item.get("level") is not None]
    name = outcome.get("group")
    heads = [
        name if isinstance(name, str) else labels["block_groups"],
        "n",
        f"mean ({labels['block_interval']})",
        "sd",
        "median",
    ]
    rows = [
        [_cell(item.get("level")), _cell(item.get("n")), _estimate(item, "mean", "ci", labels),
         brief(item.get("sd")), brief(item.get("median"))]
        for item in records
    ]  # fmt: skip
    return _titled(labels["block_groups"], heads, rows, labels)


def _tests(outcome: Mapping[str, JSON], labels: dict[str, str]) -> list[Block]:
    """All groups together, and whether what the tests assume holds."""
    overall, assumed = _record(outcome.get("overall")) or outcome, _record(outcome.get("assumptions"))
    found = [(word(name), _record(overall.get(name))) for name in _OVERALL]
    for name in _ASSUMPTIONS:
        record = _record(assumed.get(name))
        test = record.get("test")
        if isinstance(test, str):
            found.append((f"{word(test)} ({labels[f'block_{name}']})", record))
    heads = [labels["block_test"], labels["block_statistic"], "df", "p"]
    rows = [[name, _statistic(record), _freedom(record), brief(record.get("p"))] for name, record in found if record]
    return _titled(labels["block_tests"], heads, rows, labels)


def _pairs(outcome: Mapping[str, JSON], labels: dict[str, str]) -> list[Block]:
    preferred = str(outcome.get("preferred"))
    records = _records(outcome.get("pairs"))
    tests = [_record(item.get("post_hoc")) or _record(item.get(preferred)) for item in records]
    if not records or not all(tests):
        return []
    effect = next((name for name in _EFFECTS if name in tests[0]), "")
    statistic = next((name for name in _STATISTICS if name in tests[0]), "")
    names = [name for name in (effect, statistic, "df", "p", "p_adjusted") if name and name in tests[0]]
    rows = [
        [f"{item.get('a')} – {item.get('b')}",
         *(_estimate(test, name, "ci", labels) if name == effect else brief(test.get(name)) for name in names)]
        for item, test in zip(records, tests, strict=True)
    ]  # fmt: skip
    used = word(str(outcome.get("post_hoc") or preferred))
    heads = [labels["block_pair"], *(readable(name).replace("_", " ") for name in names)]
    return _titled(f"{labels['block_pairs']} ({used})", heads, rows, labels)


def _terms(outcome: Mapping[str, JSON], labels: dict[str, str]) -> list[Block]:
    """What each term adds, where one of them has several coefficients; of the others the model's table says it."""
    records = _records(outcome.get("term_tests"))
    if not any(isinstance(df := item.get("df"), (int, float)) and df > 1 for item in records):
        return []
    rows = [
        [_cell(item.get("term")), _statistic(item), brief(item.get("df")), brief(item.get("p"))] for item in records
    ]
    heads = [labels["block_term"], labels["block_statistic"], "df", "p"]
    return _titled(labels["block_terms"], heads, rows, labels)


def _titled(title: str, heads: Sequence[str], rows: Sequence[Sequence[Cell]], labels: dict[str, str]) -> list[Block]:
    if not rows:
        return []
    return [Paragraph((Styled("emph", (Text(f"{title}{labels['colon']}"),)),)), blocks.table(heads, rows, labels)]


def _statistic(record: Mapping[str, JSON]) -> str:
    name = next((name for name in _STATISTICS if record.get(name) is not None), None)
    if name is None:
        return "–"
    shown = cell(brief(record[name]), {})
    return shown if name == "statistic" else f"{readable(name)} = {shown}"


def _freedom(record: Mapping[str, JSON]) -> str:
    known = [cell(brief(record[name]), {}) for name in ("df1", "df2", "df") if record.get(name) is not None]
    return ", ".join(known) or "–"


def _estimate(record: Mapping[str, JSON], name: str, prefix: str, labels: dict[str, str]) -> str:
    limits = interval(record, prefix)
    shown = cell(brief(record.get(name)), labels)
    return shown if limits is None else f"{shown} ({limits})"


def _cell(value: JSON) -> Cell:
    return value if isinstance(value, (str, int, float)) else None


def _record(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}


def _records(value: JSON) -> list[Mapping[str, JSON]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
