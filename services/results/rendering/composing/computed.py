"""What an analysis computed, task by task: what was asked and why, the model as a formula, its table and figures where
they are spoken of, the single figures in one line, and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.results.rendering.composing import formulas, task_tables
from services.results.rendering.composing.analyses import figures, short, shown_value, word
from services.results.rendering.composing.exhibits import Exhibits
from services.results.rendering.composing.names import readable
from services.results.rendering.composing.report import (
    Block,
    Bullets,
    Inline,
    Inlines,
    Paragraph,
    Styled,
    Subheading,
    Text,
)
from services.results.rendering.composing.values import lower_phrase, words
from services.results.rendering.document import ResultDocument
from services.results.rendering.plain_text import one_line
from services.results.rendering.reading import JSON, Node

_BLOCK = "analysis"
_SUBJECT = ("response", "group", "row", "column", "time")
"""Members of a request that say what a task is about, in the order of its heading."""
_FORMULA = "formula"
_ASIDE = frozenset({_FORMULA, "start", *_SUBJECT})
_UNDONE = ("not_possible", "skipped")
_TOLD = frozenset({*_SUBJECT, *_UNDONE, "family", "link"})
"""Members of a result that the heading or a paragraph says."""
_FREEDOM = {
    "f": (("df_model", "df_residual"), ("df_between", "df_within")),
    "chi2": (("df",), ("df_model",)),
    "t": (("df",),),
}
"""Degrees of freedom that are written with a statistic."""


def exhibit_order(document: ResultDocument) -> tuple[str, ...]:
    """Ids of tables and figures in the order in which the tasks show them."""
    ids: list[str] = []
    for entry in _entries(document):
        drawn = entry.get("figures")
        found = [entry.get("table"), *(drawn if isinstance(drawn, list) else ())]
        ids += [id for id in found if isinstance(id, str)]
    return tuple(dict.fromkeys(ids))


def crossings(document: ResultDocument) -> dict[str, str]:
    """What the columns of contingency tables are levels of, by the table's id."""
    found: dict[str, str] = {}
    for entry in _entries(document):
        request, table = entry.get("request"), entry.get("table")
        column = request.get("column") if isinstance(request, Mapping) else None
        if entry.get("kind") == "contingency" and isinstance(table, str) and isinstance(column, str):
            found[table] = column
    return found


def _entries(document: ResultDocument) -> list[Mapping[str, JSON]]:
    block = document.blocks.get(_BLOCK)
    return [entry for entry in block if isinstance(entry, Mapping)] if isinstance(block, list) else []


def section(root: Node, exhibits: Exhibits, labels: dict[str, str]) -> list[Block]:
    """One part for each task.

    :raises InvalidResultDocument: the block has another engine's shape.
    """
    items = root.nodes(_BLOCK)
    several = len({item.text("dataset", default="") for item in items}) > 1
    # Read before anything is shown, so that a block of another shape shows nothing here.
    parts = [(_heading(item, labels, several=several), item, item.object("result")) for item in items]
    for item in items:
        _shown_with(item)
        _about(item, {}, (), labels)
    result: list[Block] = []
    for heading, item, outcome in parts:
        tables, drawings, elsewhere = exhibits.take(_shown_with(item))
        result.append(Subheading(heading, 2))
        result.extend(_about(item, outcome, elsewhere, labels))
        result.extend(tables)
        result.extend(_single_figures(item.object("request"), outcome, labels))
        result.extend(task_tables.more(item.text("kind"), outcome, labels))
        result.extend(_references(outcome, labels))
        result.extend(_warnings(outcome, labels))
        result.extend(drawings)
    return result


def _shown_with(item: Node) -> list[str]:
    table = item.optional_text("table")
    return [*([table] if table else []), *item.texts("figures")]


def _heading(item: Node, labels: dict[str, str], *, several: bool) -> str:
    kind, request, outcome = item.text("kind"), item.object("request"), item.object("result")
    family = outcome.get("family")
    name = labels.get(f"task_{kind}_{family}") or labels.get(f"task_{kind}") or words(kind)
    told = {key: request.get(key) or outcome.get(key) for key in _SUBJECT}
    about = [one_line(value) for key in _SUBJECT if isinstance(value := told[key], str) and value]
    dataset = one_line(item.text("dataset", default="")) if several else ""
    heading = f"{name}{labels['colon']} {' × '.join(about)}" if about else name
    return f"{heading} ({dataset})" if dataset else heading


def _about(item: Node, outcome: Mapping[str, JSON], elsewhere: Inlines, labels: dict[str, str]) -> list[Block]:
    parts: list[Inline] = []
    request = item.object("request")
    formula = request.get(_FORMULA)
    if isinstance(formula, str) and one_line(formula):
        line, math = one_line(formula), formulas.math(formula)
        # What holds a name of several words is set name by name; of anything else every character counts.
        named = formulas.written(line) if "`" in line else (Styled("mono", (Text(line),)),)
        shown = named if math is None else (math,)
        parts += [Styled("emph", (Text(labels["block_model_formula"]),)), Text(" "), *shown, Text(". ")]
    asked = [
        f"{word(key)} {shown_value(value, labels)}"
        for key, value in sorted(request.items())
        if short(value) and key not in _ASIDE
    ]
    for label, text in (("block_with", "; ".join(asked)), ("block_why", item.text("why", default=""))):
        if line := one_line(text):
            parts += [Styled("emph", (Text(labels[label]),)), Text(f" {line.rstrip('.')}. ")]
    if elsewhere:
        parts += [Styled("emph", (Text(labels["block_shown"]),)), Text(" "), *elsewhere, Text(".")]
    undone = [one_line(str(outcome[key])) for key in _UNDONE if outcome.get(key)]
    lines = [Paragraph((Text(line),)) for line in undone]
    return [*([Paragraph(tuple(parts))] if parts else []), *lines]


def _single_figures(request: Mapping[str, JSON], outcome: Mapping[str, JSON], labels: dict[str, str]) -> list[Block]:
    """The single figures in one line, a test's degrees of freedom with its statistic."""
    statistics = {
        name: f"{readable(name)}({', '.join(shown_value(outcome[key], labels) for key in freedom)})"
        for name, several in _FREEDOM.items()
        for freedom in several
        if outcome.get(name) is not None and all(outcome.get(key) is not None for key in freedom)
    }
    told = {key for name in statistics for freedom in _FREEDOM[name] for key in freedom}
    fresh = {
        key: value
        for key, value in outcome.items()
        # What was asked for stands above.
        if key not in _TOLD and key not in told and request.get(key) != value and not (key == "converged" and value)
    }

    def naming(path: Sequence[str]) -> str:
        return statistics.get(path[0], "") if len(path) == 1 and path[0] in statistics else lower_phrase(path)

    parts: list[Inline] = []
    rows = figures(fresh, labels, naming)
    # How many rows there were is not worth a line where the table says it.
    if [name for name, _ in rows] == ["n"]:
        return []
    for name, value in rows:
        parts += [Text("; ")] if parts else []
        parts += [Styled("emph", (Text(name),)), Text(f" = {value}")]
    return [Paragraph((*parts, Text(".")))] if parts else []


def _references(outcome: Mapping[str, JSON], labels: dict[str, str]) -> list[Block]:
    """The levels that those of a category are held against."""
    held = outcome.get("references")
    pairs = held.items() if isinstance(held, Mapping) else ()
    levels = dict.fromkeys(f"{one_line(str(name)).partition('[')[0]} {one_line(str(level))}" for name, level in pairs)
    if not levels:
        return []
    return [Paragraph((Styled("emph", (Text(labels["block_held_against"]),)), Text(f" {', '.join(levels)}.")))]


def _warnings(outcome: Mapping[str, JSON], labels: dict[str, str]) -> list[Block]:
    texts = outcome.get("warnings")
    lines = [one_line(text) for text in texts if isinstance(text, str)] if isinstance(texts, list) else []
    bullets = [Paragraph((Styled("emph", (Text(labels["block_warning"]),)), Text(f" {line}"))) for line in lines]
    return [Bullets(tuple(bullets))] if bullets else []
