"""Random tables in random dialects, as far as the text tells the dialect: what a file says, and what it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

_WORDS = ("alder", "birch", "cedar", "elm", "fir", "hazel", "ivy", "juniper", "larch", "maple", "oak", "pine")
_ACCENTS = ("Grün", "Åse", "Zoë", "José", "Überlingen", "café")
_UNITS = ("kg", "cm", "°C", "m/s", "%")
_MISSING = ("", "NA", "n/a", "-", "NULL", ".")
_PREAMBLE = ("Results of the survey", "Station 7", "Exported by hand")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
BOOLEANS = (("true", "false"), ("yes", "no"), ("TRUE", "FALSE"), ("Y", "N"))


@dataclass(slots=True)
class Dialect:
    """How a table is written. No reader is told any of it."""

    delimiter: str
    quote: str
    quote_all: bool
    end: str
    encoding: str
    decimal: str
    thousands: str
    dates: str
    missing: str
    preamble: int
    footnotes: int
    units: str
    booleans: tuple[str, str]
    comment: bool


@dataclass(slots=True)
class Written:
    """The bytes; the canonical cells by column; the lines that a reader must name."""

    data: bytes
    dialect: Dialect
    names: list[str]
    columns: list[list[str | None]]
    unit: str | None = None
    faults: list[int] = field(default_factory=list)


def draw_dialect(random: Random) -> Dialect:
    delimiter = random.choice([",", ";", "\t", "|"])
    decimal = random.choice([".", ","] if delimiter != "," else ["."])
    others = {".": [",", " ", "'", "\u00a0", "\u202f"], ",": [".", " ", "'", "\u00a0", "\u202f"]}[decimal]
    thousands = random.choice(["", "", *others])
    encoding = random.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32"])
    if encoding == "cp1252" and thousands == "\u202f":
        thousands = "\u00a0"
    return Dialect(
        delimiter,
        quote=random.choice(['"', '"', "'"]),
        quote_all=random.random() < 0.3,
        end=random.choice(["\n", "\r\n", "\r"]),
        encoding=encoding,
        decimal=decimal,
        thousands=thousands,
        dates=random.choice(["iso", "day", "month", "named", "dots", "week", "compact", "time"]),
        missing=random.choice(_MISSING),
        preamble=random.choice([0, 0, 1, 3]),
        footnotes=random.choice([0, 0, 1, 2]),
        units=random.choice(["none", "name", "row", "cell"]),
        booleans=random.choice(BOOLEANS),
        comment=random.random() < 0.15,
    )


def draw_table(random: Random) -> Written:
    """A table with a word, a number, another number, a date and a yes-or-no column, in a drawn dialect."""
    dialect = draw_dialect(random)
    rows = random.randint(4, 30)
    unit = random.choice(_UNITS)
    start = date(random.randint(1950, 2030), 1, 1)
    # Orders of day and month, decimal marks and thousands are only told by values that fit one of them.
    days = [date(2021, 3, 25), date(2021, 11, 30)]
    days += [start + timedelta(days=random.randint(0, 3000)) for _ in range(rows - 2)]
    amounts = ["1234567.25", "-0.5"] + [_number(random) for _ in range(rows - 2)]
    counts = [str(random.choice([random.randint(0, 50), random.randint(10**15, 10**20)])) for _ in range(rows)]
    flags = [True, False] + [random.random() < 0.5 for _ in range(rows - 2)]
    words = [_word(random, dialect) for _ in range(rows)]
    said = [
        words,
        [_said_number(each, dialect, unit if dialect.units == "cell" else "") for each in amounts],
        counts,
        [_said_date(day, dialect.dates) for day in days],
        [dialect.booleans[0] if flag else dialect.booleans[1] for flag in flags],
    ]
    meant: list[list[str | None]] = [
        list(words),
        list(amounts),
        list(counts),
        [_meant_date(day, dialect.dates) for day in days],
        ["true" if flag else "false" for flag in flags],
    ]
    for column in range(1, 5):
        for row in range(2, rows):
            if random.random() < 0.1:
                said[column][row], meant[column][row] = dialect.missing, None
    names = ["name", f"amount ({unit})" if dialect.units == "name" else "amount", "count", "day", "flag"]
    return _write(random, dialect, names, said, meant, unit)


def _number(random: Random) -> str:
    digits = random.choice([2, 4, 7, 18])
    whole = random.randint(-(10**digits), 10**digits)
    places = random.choice([0, 1, 2, 12])
    return str(whole) + ("." + "".join(random.choice("0123456789") for _ in range(places)) if places else "")


def _word(random: Random, dialect: Dialect) -> str:
    words = random.sample(_WORDS, 2)
    if random.random() < 0.2:
        words.append(random.choice(_ACCENTS))
    if random.random() < 0.2:
        words.insert(1, random.choice([dialect.delimiter, dialect.quote, "x" + dialect.end + "y"]).strip("\t"))
    return " ".join(filter(None, words))


def _said_number(text: str, dialect: Dialect, unit: str) -> str:
    whole, point, rest = text.lstrip("-").partition(".")
    if dialect.thousands and len(whole) > 3:
        head = len(whole) % 3
        groups = ([whole[:head]] if head else []) + [whole[i : i + 3] for i in range(head, len(whole), 3)]
        whole = dialect.thousands.join(groups)
    number = ("-" if text.startswith("-") else "") + whole + (dialect.decimal if point else "") + rest
    return f"{number} {unit}" if unit else number


def _said_date(day: date, form: str) -> str:
    return {
        "iso": day.isoformat(),
        "day": f"{day.day:02d}/{day.month:02d}/{day.year}",
        "month": f"{day.month}/{day.day}/{day.year}",
        "named": f"{day.day} {_MONTHS[day.month - 1]} {day.year}",
        "dots": f"{day.day}.{day.month}.{day.year}",
        "week": "{}-W{:02d}-{}".format(*day.isocalendar()),
        "compact": f"{day:%Y%m%d}",
        "time": f"{day.isoformat()}T12:30:05.25+02:00",
    }[form]


def _meant_date(day: date, form: str) -> str:
    return day.isoformat() + ("T10:30:05.25" if form == "time" else "")


def _write(
    random: Random,
    dialect: Dialect,
    names: list[str],
    said: list[list[str]],
    meant: list[list[str | None]],
    unit: str,
) -> Written:
    width = len(names)
    blocks: list[str] = []
    faults: list[int] = []
    line = 1

    def put(text: str, *, fault: bool = False) -> None:
        nonlocal line
        if fault:
            faults.append(line)
        blocks.append(text + dialect.end)
        line += len(text.split(dialect.end))

    if dialect.comment:
        put("# made for a test; not measured", fault=True)
        put("# see the notes", fault=True)
    for k in range(dialect.preamble):
        put(_PREAMBLE[k], fault=True)
    put(_row(names, dialect))
    if dialect.units == "row":
        put(_row(["", unit, "", "", ""], dialect))
    for row in range(len(said[0])):
        put(_row([column[row] for column in said], dialect))
        if random.random() < 0.03 and row > 1:
            extra = random.choice([width + 2, width - 2])
            put(_row(["oak"] * extra, dialect), fault=True)
    for k in range(dialect.footnotes):
        put(f"* note {k + 1} on the figures above", fault=True)
    data = "".join(blocks).encode(dialect.encoding)
    return Written(data, dialect, names, meant, None if dialect.units == "none" else unit, faults)


def _row(cells: list[str], dialect: Dialect) -> str:
    return dialect.delimiter.join(_cell(cell, dialect) for cell in cells)


def _cell(cell: str, dialect: Dialect) -> str:
    special = any(mark in cell for mark in (dialect.delimiter, dialect.quote, "\n", "\r"))
    if not (dialect.quote_all or special):
        return cell
    return dialect.quote + cell.replace(dialect.quote, dialect.quote * 2) + dialect.quote
