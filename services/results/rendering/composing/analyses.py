"""An analysis for readers: what was asked of each task and why, where its table is, its warnings and single figures.

Everything else of a task is for programs and stays in the JSON export. Storage keeps members sorted by name, so the
order of figures is settled here: what it is about, how many, the estimate with its interval, the test, the fit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from services.results.rendering.composing import blocks, formulas
from services.results.rendering.composing.names import NAMES, readable
from services.results.rendering.composing.report import (
    Block,
    Bullets,
    Column,
    Inline,
    Inlines,
    Paragraph,
    Styled,
    TableBlock,
    Text,
)
from services.results.rendering.composing.values import cell, is_scalar, number, phrase
from services.results.rendering.document import ResultDocument
from services.results.rendering.plain_text import one_line, paragraphs
from services.results.rendering.reading import JSON, Cell, Node

MAX_FIGURES = 24
"""Figures shown for one task."""

_LONGEST = 80
_DIGITS = 4
_BLOCK = "analysis"
_OPENED = ("overall", "pseudo_r_squared", "fit")
_UNNAMED = frozenset({"overall", "fit"})
_HIDDEN = frozenset({
    "arithmetic", "component_count", "condition_number", "digits", "fisher_tables", "interval", "null_deviance",
    "other", "ratio", "scatter", "seed", "shown", "time_first", "time_last", "warnings",
})  # fmt: skip
_BULLET = "• "
_LIMITS = "Limits"
_FIELD = re.compile(r"`([a-z_]+(?:\.[a-z_]+)+)`")
_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_CODE_IN_TEXT = re.compile(r"[a-z]+(?:_[a-z]+)+")
# Members whose values are the engine's own words; those of others may be names of columns.
_CODED = frozenset({
    "adjustment", "family", "interval", "k_chosen_by", "link", "method", "origin", "p_method", "post_hoc",
    "preferred", "ratio", "scatter", "test",
})  # fmt: skip
_ORDER = (
    "formula", "response", "group", "row", "column", "x", "y", "time", "time_unit", "method", "family", "link",
    "event", "k", "k_chosen_by", "degree", "n", "rows", "column_count", "events", "resamples", "direction",
    "preferred", "test", "mean", "median", "difference", "estimate", "value", "slope", "intercept", "effect", "tau",
    "r", "eta_squared", "omega_squared", "cramers_v", "rank_biserial", "ci", "statistic", "chi2", "f", "t", "u",
    "z", "s", "df", "df_model", "df_between", "df_residual", "df_within", "p", "p_method", "p_adjusted",
    "adjustment", "post_hoc", "r_squared", "r_squared_adjusted", "pseudo_r_squared", "auc", "sigma", "residual_sd",
    "residual_ss", "deviance", "log_likelihood", "aic", "aicc", "bic",
)  # fmt: skip
_CARRIERS = ("value", "estimate", "difference", "slope", "r")
"""What the limits of a result without a name of their own are limits of."""

_PLACES = {name: place for place, name in enumerate(_ORDER)}

_VERDICTS = {True: "block_verdict_yes", False: "block_verdict_no", None: "block_verdict_none"}

# Blocks that a section of the engine's says in words, by that section's heading.
_TOLD = {"datasets": "The data", "methods": "Methods"}
_MORE_OF_METHODS = ("confidence_formula", "arithmetic")


def is_analysis(document: ResultDocument) -> bool:
    """Whether the product's own analysis made it, and not another engine that analysed a dataset on the way."""
    entries, methods = document.blocks.get(_BLOCK), document.blocks.get("methods")
    if isinstance(methods, Mapping) and "engine" in methods:
        return False
    return isinstance(entries, list) and all(isinstance(item, Mapping) and "result" in item for item in entries)


def answer(document: ResultDocument) -> tuple[str, int] | None:
    """The answer's words and the place of the section that is nothing else; None without one."""
    block = document.blocks.get("answer")
    text = block.get("text") if isinstance(block, Mapping) else None
    if not isinstance(text, str) or not text.strip() or not is_analysis(document):
        return None
    line = one_line(text)
    places = (i for i, section in enumerate(document.sections) if one_line(section.body) == line)
    return next(((line, place) for place in places), None)


def repeated(document: ResultDocument) -> frozenset[str]:
    """Blocks that the document's sections say in words."""
    if not is_analysis(document):
        return frozenset()
    headings = {one_line(section.heading) for section in document.sections}
    names = {name for name, heading in _TOLD.items() if heading in headings}
    block = document.blocks.get("answer")
    told = isinstance(block, Mapping) and not block.get("text")
    return frozenset(names | ({"answer"} if told or answer(document) is not None else set()))


def more_of(heading: str, document: ResultDocument) -> list[str]:
    """What a block adds to the section of its own name: paragraphs."""
    block = document.blocks.get("methods")
    if heading != _TOLD["methods"] or not isinstance(block, Mapping) or not is_analysis(document):
        return []
    texts = [block.get(name) for name in _MORE_OF_METHODS]
    return [line for text in texts if isinstance(text, str) for line in paragraphs(text)]


def spans(text: str) -> Inlines:
    """The engine's own words, with the fields of a request it names between backticks set as code."""
    parts: list[Inline] = []
    for place, piece in enumerate(_FIELD.split(text)):
        if piece:
            parts.append(Styled("mono", (Text(piece),)) if place % 2 else Text(formulas.unquoted(piece)))
    return tuple(parts)


def listed(body: Sequence[Block], heading: str) -> list[Block]:
    """Paragraphs that begin with a bullet as items of a list, and limits as one."""
    if heading == _LIMITS and len(body) > 1 and all(isinstance(block, Paragraph) for block in body):
        return [Bullets(tuple(block for block in body if isinstance(block, Paragraph)))]
    result: list[Block] = []
    for block in body:
        first = block.parts[0] if isinstance(block, Paragraph) and block.parts else None
        if not isinstance(block, Paragraph) or not isinstance(first, Text) or not first.value.startswith(_BULLET):
            result.append(block)
            continue
        item = Paragraph((Text(first.value.removeprefix(_BULLET)), *block.parts[1:]))
        if result and isinstance(result[-1], Bullets):
            result[-1] = Bullets((*result[-1].items, item))
        else:
            result.append(Bullets((item,)))
    return result


def hypotheses(root: Node, labels: dict[str, str]) -> list[Block]:
    """What was tested, how, and what came of it, a row for each.

    :raises InvalidResultDocument: the block has another engine's shape.
    """
    items = root.nodes("hypotheses")
    rows = []
    for item in items[: blocks.MAX_ROWS]:
        supported = None if item.value("supported") is None else item.flag("supported")
        rows.append(
            (
                one_line(item.text("statement")),
                word(item.text("test", default="") or "–"),
                cell(item.integer("n"), labels),
                _effect(item.object("effect")),
                *(_probability(item.number(key)) for key in ("p", "p_adjusted")),
                labels[_VERDICTS[supported]],
            )
        )
    heads = ("block_hypothesis", "block_test", "n", "block_effect", "p", "block_p_adjusted", "block_verdict")
    columns = tuple(Column(labels.get(key, key), key in ("n", "p", "block_p_adjusted")) for key in heads)
    more = len(items) - len(rows)
    caption = labels["block_caption_hypotheses"]
    return [TableBlock("", "", caption, columns, tuple(rows), labels["more_rows"].format(count=more) if more else None)]


def _effect(effect: Mapping[str, JSON]) -> str:
    value = effect.get("value")
    if not isinstance(value, (int, float)):
        return "–"
    limits = [effect.get(key) for key in ("ci_low", "ci_high")]
    shown = f"{effect.get('name') or ''} {number(_short_number(value))}".strip()
    if not all(isinstance(limit, (int, float)) for limit in limits):
        return shown
    low, high = (number(_short_number(float(limit or 0))) for limit in limits)
    return f"{shown} ({low};\u00a0{high})"


def _probability(p: float | None) -> str:
    return "–" if p is None else number(_short_number(p))


def _short_number(value: float) -> float:
    return float(f"{value:.3g}") if math.isfinite(value) else value


def figures(
    outcome: Mapping[str, JSON], labels: dict[str, str], naming: Callable[[Sequence[str]], str] = phrase
) -> list[tuple[str, str]]:
    """Names and values of a result's single figures in reading order; an interval stands with its estimate.

    :param naming: the words for the names on the way to a value.
    """
    return _members(outcome, (), labels, naming)[:MAX_FIGURES]


def _members(
    record: Mapping[str, JSON], path: tuple[str, ...], labels: dict[str, str], naming: Callable[[Sequence[str]], str]
) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    carrier = next((name for name in _CARRIERS if isinstance(record.get(name), (int, float))), None)
    for key in sorted(record, key=_place):
        value = record[key]
        if key == "ci_low":
            if carrier is None and (limits := interval(record, "ci")) is not None:
                rows.append((naming((labels["block_interval"],)), limits))
            continue
        if isinstance(value, Mapping) and not path:
            if is_scalar(value.get("value", [])):
                rows.append(_with_interval(naming((key,)), value["value"], value, "ci", labels))
            elif key in _OPENED:
                rows += _members(value, () if key in _UNNAMED else (key,), labels, naming)
        if key in _HIDDEN or key.endswith(("ci_low", "ci_high")) or value is None or not _single(value):
            continue
        if isinstance(value, str):
            value = (
                word(value) if key in _CODED else _CODE_IN_TEXT.sub(lambda found: NAMES.get(found[0], found[0]), value)
            )
        prefix = "ci" if key == carrier else f"{key}_ci"
        rows.append(_with_interval(naming((*path, key)), value, record, prefix, labels))
    return rows


def _with_interval(
    name: str, value: JSON, record: Mapping[str, JSON], prefix: str, labels: dict[str, str]
) -> tuple[str, str]:
    limits = interval(record, prefix)
    shown = cell(brief(value), labels)
    return name, shown if limits is None else f"{shown} ({labels['block_interval']} {limits})"


def interval(record: Mapping[str, JSON], prefix: str) -> str | None:
    """The limits of an interval, `low; high`; None without any."""
    low, high = record.get(f"{prefix}_low"), record.get(f"{prefix}_high")
    if low is None and high is None:
        return None
    # A side without a limit is open.
    shown = [default if limit is None else cell(brief(limit), {}) for limit, default in ((low, "−∞"), (high, "∞"))]
    return "; ".join(shown)


def brief(value: JSON) -> Cell:
    """A computed number to four digits: the tables and the JSON have more."""
    if not isinstance(value, float) or not math.isfinite(value) or abs(value) >= 10**_DIGITS:
        known: Cell = value
        return known
    return float(f"{value:.{_DIGITS}g}")


def _single(value: JSON) -> bool:
    return is_scalar(value) and not (isinstance(value, str) and (len(value) > _LONGEST or not value))


def short(value: JSON) -> bool:
    """Whether a member of a request is short enough to be told in a sentence."""
    if isinstance(value, list):
        return 0 < len(value) <= 20 and all(is_scalar(item) and len(str(item)) <= 40 for item in value)
    return value is not None and is_scalar(value)


def shown_value(value: JSON, labels: dict[str, str]) -> str:
    """A value, or those of a list, as words."""
    items: Iterable[JSON] = value if isinstance(value, list) else (value,)
    return ", ".join(cell(item, labels) for item in items)


def word(code: str) -> str:
    """A code of the engine's in words; anything else as it is."""
    known = readable(code)
    return known.replace("_", " ") if known == code and _CODE.fullmatch(code) else known


def _name_of(found: re.Match[str]) -> str:
    return NAMES.get(found[0], found[0])


def _place(name: str) -> tuple[int, str]:
    name = "ci" if name in ("ci_low", "ci_high") else name
    return _PLACES.get(name, len(_PLACES)), name
