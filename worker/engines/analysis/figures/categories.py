"""Counts of categories: shares with intervals, shares within another category, counts in fields, missing values."""

from __future__ import annotations

from typing import Any

import numpy as np

from worker.engines.analysis.figures.labels import distinct_labels, titled
from worker.engines.analysis.figures.spec import BLUE, Figure, colours, figure, values
from worker.engines.analysis.numerics.distributions import Z95
from worker.engines.analysis.table import Column, ColumnType, Table
from worker.engines.analysis.wording import listed, number, plural

Result = dict[str, Any]
Counts = list[list[int]]

MOST_BARS = 12
MOST_COLUMNS = 2
_PERCENT_TICKS = 6
_MOST_ROWS, _MOST_PARTS = 20, 8
_MOST_FIELDS = 25
_MISSING_COLUMNS = 25
_ROW = 28
MOST_GROUPS = 24
_WRITTEN = 0.07
_PERCENT = {"format": ".0%"}


def shares(table: Table, entries: list[Result]) -> list[Figure]:
    """Bars of the commonest values of the first categories among `entries`, and of columns of zeros and ones."""
    columns = [table[entry["name"]] for entry in entries]
    kinds = (ColumnType.CATEGORY, ColumnType.BOOLEAN)
    wanted = [column for column in columns if column.type in kinds and not column.identifier and column.distinct > 1]
    coded = [column for column in columns if column.numeric and not column.identifier and zero_one(column)]
    return [_bars(column) for column in (*wanted[:MOST_COLUMNS], *coded[:MOST_COLUMNS])]


def zero_one(column: Column) -> bool:
    """Whether a numeric column holds zeros and ones and nothing else: a share says all of it."""
    if column.distinct != 2:
        return False
    numbers = column.floats()[column.present()]
    return bool(np.all((numbers == 0) | (numbers == 1)))


def shares_of_ones(table: Table, result: Result) -> Figure:
    """The share of ones in each group with Wilson's interval, for a response of zeros and ones."""
    response, group = table[result["response"]], table[result["group"]]
    largest = sorted(result["groups"], key=lambda entry: -entry["n"])[:MOST_GROUPS]
    shown = [entry for entry in result["groups"] if entry in largest]
    labels = distinct_labels([entry["level"] for entry in shown])
    rows = [
        _share(f"{label}  n = {entry['n']:,}", round(entry["mean"] * entry["n"]), entry["n"])
        for label, entry in zip(labels, shown, strict=True)
    ]
    y: Result = {"field": "level", "type": "nominal", "title": titled(group.name), "sort": [r["level"] for r in rows]}
    y["axis"] = {"labelOverlap": False}
    name = titled(f"share of {response.name} = 1")

    def x(field: str) -> Result:
        return {"field": field, "type": "quantitative", "title": name, "axis": _PERCENT, "scale": {"domain": [0, 1]}}

    body = {
        "data": values(rows),
        "layer": [
            {
                "mark": {"type": "rule", "color": "#222222", "strokeWidth": 1.8},
                "encoding": {"y": y, "x": x("low"), "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "shape": "diamond", "filled": True, "opacity": 1, "size": 120, "color": BLUE},
                "encoding": {"y": y, "x": x("share")},
            },
        ],
    }
    told = listed([f"{e['level']} {r['share']:.0%} of {e['n']:,}" for e, r in zip(shown, rows, strict=True)], 10)
    more = len(result["groups"]) - len(shown)
    left = f" {plural(more, 'smaller group')} not drawn." if more > 0 else ""
    alt = (
        f"Shares of {response.name} = 1 (diamonds) with 95 % intervals (Wilson) in the {len(result['groups'])} groups "
        f"of {group.name}, {result['n']:,} rows: {told}.{left}"
    )
    return figure(f"{response.name} by {group.name}", alt, body, height=max(90, 34 * len(rows)))


def _bars(column: Column) -> Figure:
    codes, levels = column.codes()
    counts = np.bincount(codes[codes >= 0], minlength=len(levels)).tolist()
    n = sum(counts)
    ranked = sorted(zip(levels, counts, strict=True), key=lambda item: (-item[1], item[0]))
    shown, rest = ranked[:MOST_BARS], ranked[MOST_BARS:]
    order = distinct_labels([level for level, _ in shown])
    rows = [_share(label, count, n) for label, (_, count) in zip(order, shown, strict=True)]
    if rest:
        order = [*order, f"{len(rest)} others"]
        rows.append(_share(order[-1], sum(count for _, count in rest), n))
    y: Result = {"field": "level", "type": "nominal", "title": titled(column.name), "sort": order}
    y["axis"] = {"labelOverlap": False}
    top = min(1.0, max(row["high"] for row in rows) * 1.25)
    scale = {"domain": [0, round(top, 4)], "nice": False}

    def x(field: str) -> Result:
        return {"field": field, "type": "quantitative", "title": "share of rows", "axis": _PERCENT, "scale": scale}

    body = {
        "data": values(rows),
        "layer": [
            {"mark": {"type": "bar", "color": BLUE, "opacity": 0.6}, "encoding": {"y": y, "x": x("share")}},
            {
                "mark": {"type": "rule", "color": "#222222", "strokeWidth": 1.8},
                "encoding": {"y": y, "x": x("low"), "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 12},
                "encoding": {"y": y, "x": x("high"), "text": {"field": "written"}},
            },
        ],
    }
    told = "; ".join(f"{level} {count:,} ({count / n:.0%})" for level, count in shown)
    folded = f"; {plural(len(rest), 'rarer level')} together {sum(c for _, c in rest):,}" if rest else ""
    alt = (
        f"Bars: shares of the levels of {column.name} among {n:,} rows with 95 % intervals (Wilson), counts beside "
        f"them: {told}{folded}."
    )
    return figure(f"Levels of {column.name}", alt, body, height=max(90, _ROW * len(rows)))


def _share(label: str, count: int, n: int) -> Result:
    """A share with Wilson's (1927) 95 % interval."""
    share, z2 = count / n, Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * (share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5
    shown = {"share": share, "low": max(0.0, centre - half), "high": min(1.0, centre + half)}
    return {"level": label, "written": f"{count:,}", **{key: round(value, 6) for key, value in shown.items()}}


def contingency(_: Table, result: Result) -> Figure:
    """Shares of the column's levels within each of the row's; with many levels a heat map of the counts."""
    rows, columns, counts = result["row_levels"], result["column_levels"], result["counts"]
    if len(columns) > _MOST_PARTS + 4:
        return _fields(result)
    rows, counts = _folded(rows, counts, _MOST_ROWS)
    columns, turned = _folded(columns, _turned(counts), _MOST_PARTS)
    counts = _turned(turned)
    rows, columns = distinct_labels(rows), distinct_labels(columns)
    cells: list[Result] = []
    order = []
    for level, line in zip(rows, counts, strict=True):
        total = sum(line)
        order.append(f"{level}  n = {total:,}")
        before = 0
        for place, (other, count) in enumerate(zip(columns, line, strict=True)):
            ends = (round(before / total, 6), round((before + count) / total, 6))
            cell = {"row": order[-1], "column": other, "place": place, "from": ends[0], "to": ends[1]}
            wide = count / total >= _WRITTEN
            cells.append({**cell, "middle": round(sum(ends) / 2, 6), "written": f"{count / total:.0%}" if wide else ""})
            before += count
    palette = colours(len(columns))
    colour: Result = {"field": "column", "type": "nominal", "title": titled(result["column"]), "sort": columns}
    colour |= {"scale": {"domain": columns, "range": palette}, "legend": {"orient": "top", "columns": 3}}
    y: Result = {"field": "row", "type": "nominal", "title": titled(result["row"]), "sort": order}
    y["axis"] = {"labelOverlap": False}
    title = f"share of {result['column']}"

    def x(field: str) -> Result:
        scale = {"domain": [0, 1]}
        return {"field": field, "type": "quantitative", "title": titled(title), "axis": _PERCENT, "scale": scale}

    # The first colours are dark, the last light.
    ink = {"condition": {"test": f"datum.place < {_dark(palette)}", "value": "#FFFFFF"}, "value": "#111111"}
    body = {
        "data": values(cells),
        "layer": [
            {
                "mark": {"type": "bar", "stroke": "#FFFFFF", "strokeWidth": 1.5},
                "encoding": {"y": y, "x": x("from"), "x2": {"field": "to"}, "color": colour},
            },
            {
                "mark": {"type": "text", "fontSize": 12},
                "encoding": {"y": y, "x": x("middle"), "text": {"field": "written"}, "color": ink},
            },
        ],
    }
    told = "; ".join(
        f"{level}: {_described(columns, line)}" for level, line in list(zip(rows, counts, strict=True))[:6]
    )
    alt = (
        f"Stacked bars: shares of {result['column']} within each of the {len(result['row_levels'])} levels of "
        f"{result['row']}, {result['n']:,} rows. Cramér's V is {number(result['cramers_v'], 3)}. {told}."
    )
    return figure(f"{result['column']} within {result['row']}", alt, body, height=max(100, 34 * len(rows)))


def _described(columns: list[str], line: list[int]) -> str:
    return listed([f"{column} {count / sum(line):.0%}" for column, count in zip(columns, line, strict=True)], 5)


def _dark(palette: list[str]) -> int:
    """How many colours are dark enough for white letters."""
    return sum(sum(int(c[i : i + 2], 16) * w for i, w in ((1, 0.3), (3, 0.59), (5, 0.11))) < 140 for c in palette)


def _turned(counts: Counts) -> Counts:
    return [list(line) for line in zip(*counts, strict=True)]


def _folded(levels: list[str], counts: Counts, most: int) -> tuple[list[str], Counts]:
    """At most `most` levels: the commonest in their order, and the others as one."""
    if len(levels) <= most:
        return list(levels), counts
    ranked = sorted(range(len(levels)), key=lambda i: (-sum(counts[i]), i))
    kept, rest = sorted(ranked[: most - 1]), ranked[most - 1 :]
    others = [sum(counts[i][j] for i in rest) for j in range(len(counts[0]))]
    return [*(levels[i] for i in kept), f"{len(rest)} others"], [*(counts[i] for i in kept), others]


def _fields(result: Result) -> Figure:
    rows, counts = _folded(result["row_levels"], result["counts"], _MOST_FIELDS)
    columns, turned = _folded(result["column_levels"], _turned(counts), _MOST_FIELDS)
    counts = _turned(turned)
    rows, columns = distinct_labels(rows), distinct_labels(columns, 20)
    most = max(max(line) for line in counts)
    cells: list[Result] = [
        {"row": row, "column": column, "count": count, "written": f"{count:,}" if count else ""}
        for row, line in zip(rows, counts, strict=True)
        for column, count in zip(columns, line, strict=True)
    ]
    y: Result = {"field": "row", "type": "nominal", "title": titled(result["row"]), "sort": rows}
    x: Result = {"field": "column", "type": "nominal", "title": titled(result["column"]), "sort": columns}
    y["axis"], x["axis"] = {"labelOverlap": False}, {"labelOverlap": False, "labelAngle": -50}
    colour: Result = {
        "field": "count",
        "type": "quantitative",
        "title": "rows",
        "legend": {"format": ",d", "tickCount": 4},
    }
    colour["scale"] = {"range": ["#F3F7FB", "#08306B"], "domain": [0, max(most, 1)]}
    ink = {"condition": {"test": f"datum.count > {most * 0.5:g}", "value": "#FFFFFF"}, "value": "#111111"}
    layers: list[Result] = [{"mark": {"type": "rect"}, "encoding": {"x": x, "y": y, "color": colour}}]
    if most < 10_000:
        text = {"mark": {"type": "text", "fontSize": 10}}
        layers.append({**text, "encoding": {"x": x, "y": y, "text": {"field": "written"}, "color": ink}})
    at = max(cells, key=lambda cell: cell["count"])
    alt = (
        f"Heat map of counts: {result['row']} down, {result['column']} across, {result['n']:,} rows; the rarest levels "
        f"are put together where there are more than {_MOST_FIELDS}. Most rows ({at['count']:,}) have {at['row']} and "
        f"{at['column']}. Cramér's V is {number(result['cramers_v'], 3)}."
    )
    size = {"width": max(200, 30 * len(columns)), "height": max(100, 24 * len(rows))}
    return figure(f"{result['row']} and {result['column']}", alt, {"data": values(cells), "layer": layers}, **size)


def _round_steps(top: float) -> list[float]:
    """Ticks from 0 to `top` in steps of 1, 2 or 5 times a power of ten, about six of them."""
    power = 10.0 ** np.floor(np.log10(top / _PERCENT_TICKS))
    step = next(power * times for times in (1, 2, 5, 10) if power * times * _PERCENT_TICKS >= top)
    return [round(float(step * place), 9) for place in range(int(top / step + 1e-9) + 1)]


def missing(_: Table, result: Result) -> Figure | None:
    """Shares of missing values by column; None where nothing is missing."""
    rows = result["rows"]
    lacking = sorted((c for c in result["columns"] if c["missing"]), key=lambda c: -c["missing"])
    if not lacking or not rows:
        return None
    shown = lacking[:_MISSING_COLUMNS]
    order = distinct_labels([column["name"] for column in shown])
    cells = [
        {"column": label, "share": round(column["missing"] / rows, 6), "written": f"{column['missing']:,}"}
        for label, column in zip(order, shown, strict=True)
    ]
    y: Result = {"field": "column", "type": "nominal", "title": None, "sort": order, "axis": {"labelOverlap": False}}
    top = min(1.0, cells[0]["share"] * 1.15)
    x: Result = {
        "field": "share",
        "type": "quantitative",
        "title": "share of values missing",
        # Steps that a reader counts in: 0.5 %, 1 %, 2 %, not 0.4 %.
        "axis": {"format": ".2~p", "values": _round_steps(top)},
    }
    x["scale"] = {"domain": [0, top], "nice": False}
    text = {"type": "text", "align": "left", "dx": 5, "fontSize": 12}
    body = {
        "data": values(cells),
        "layer": [
            {"mark": {"type": "bar", "color": BLUE, "opacity": 0.75}, "encoding": {"y": y, "x": x}},
            {"mark": text, "encoding": {"y": y, "x": x, "text": {"field": "written"}}},
        ],
    }
    told = listed([f"{c['name']} {c['missing']:,} ({c['missing'] / rows:.1%})" for c in shown], 10)
    alt = f"Bars: share of missing values in {plural(len(lacking), 'column')} of {rows:,} rows: {told}."
    return figure("Missing values", alt, body, width=420, height=max(80, _ROW * len(cells)))
