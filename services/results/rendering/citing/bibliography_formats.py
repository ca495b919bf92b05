"""References as BibTeX and RIS. Texts are data: none can end its field, its entry or its line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from services.results.rendering.citing.bibliography import Name, Work

_BIBTEX_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("article-journal", "article-magazine", "article-newspaper", "review", "review-book"), "article"),
    **dict.fromkeys(("chapter", "entry", "entry-dictionary", "entry-encyclopedia"), "incollection"),
    "book": "book",
    "manuscript": "unpublished",
    "paper-conference": "inproceedings",
    "report": "techreport",
    "thesis": "phdthesis",
}
_CONTAINERS = {"article": "journal", "incollection": "booktitle", "inproceedings": "booktitle"}
_PUBLISHERS = {"techreport": "institution", "phdthesis": "school", "mastersthesis": "school"}
_RIS_TYPES: Mapping[str, str] = {
    "article-journal": "JOUR",
    "article-magazine": "MGZN",
    "article-newspaper": "NEWS",
    "bill": "BILL",
    "book": "BOOK",
    "chapter": "CHAP",
    "dataset": "DATA",
    "entry-dictionary": "DICT",
    "entry-encyclopedia": "ENCYC",
    "manuscript": "MANSCPT",
    "map": "MAP",
    "paper-conference": "CPAPER",
    "patent": "PAT",
    "post-weblog": "BLOG",
    "report": "RPRT",
    "review": "JOUR",
    "software": "COMP",
    "thesis": "THES",
    "webpage": "ELEC",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "$%&#_"},
}
# An escaped brace still counts as one where entries are told apart: those without a partner are written by name.
_ALONE = {"{": r"$\lbrace$", "}": r"$\rbrace$"}
_TEX_SPECIAL = re.compile(r"[\\{}~^$%&#_]")
_JOINING = re.compile(r",|\band\b|\bothers\b|[{}]", re.IGNORECASE)


def bibtex(works: Sequence[Work]) -> bytes:
    """A BibTeX database in UTF-8: names in `von Last, Jr, First` form, titles guarded against changes of case."""
    return "\n".join(map(_entry, works)).encode("utf-8", errors="replace")


def ris(works: Sequence[Work]) -> bytes:
    """RIS records in UTF-8, lines ended by carriage return and line feed as its specification wants."""
    lines = [line for work in works for line in _record(work)]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", errors="replace")


def _entry(work: Work) -> str:
    kind = _BIBTEX_TYPES.get(work.type, "misc")
    if kind == "phdthesis" and work.genre.lower().startswith(("master", "diplom")):
        kind = "mastersthesis"
    fields: list[tuple[str, str]] = [
        # A second pair of braces keeps the title's case as it is.
        ("title", f"{{{_tex(work.title)}}}" if work.title else ""),
        ("author", " and ".join(map(_bibtex_name, work.authors))),
        ("editor", " and ".join(map(_bibtex_name, work.editors))),
        (_CONTAINERS.get(kind, "howpublished"), _tex(work.container)),
        ("volume", _tex(work.volume)),
        ("number", _tex(work.issue or work.number)),
        ("pages", _tex(work.pages).replace("-", "--")),
        (_PUBLISHERS.get(kind, "publisher"), _tex(work.publisher)),
        ("address", _tex(work.place)),
        ("year", f"{work.date[0]}" if work.date else ""),
        ("isbn", _tex(work.isbn)),
        ("issn", _tex(work.issn)),
        ("language", _tex(work.language)),
        # Read as they are, without commands; both were checked to hold no brace and no backslash.
        ("doi", work.doi),
        ("url", work.url),
    ]
    lines = [f"  {name} = {{{value}}}," for name, value in fields if value]
    if len(work.date) > 1:
        lines.append(f"  month = {_MONTHS[work.date[1] - 1]},")
    return "\n".join([f"@{kind}{{{work.key},", *lines, "}", ""])


def _tex(text: str) -> str:
    written = _TEX if _balanced(text) else _TEX | _ALONE
    return _TEX_SPECIAL.sub(lambda match: written[match[0]], text)


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    return depth == 0


def _bibtex_name(name: Name) -> str:
    if name.whole:
        return f"{{{_tex(name.family)}}}"
    last = " ".join(filter(None, (_tex(name.particle), _guarded(name.family))))
    return ", ".join(filter(None, (last, _guarded(name.suffix), _guarded(name.given))))


def _guarded(part: str) -> str:
    """A part of a name, in braces where it holds what parts names from each other."""
    return f"{{{_tex(part)}}}" if _JOINING.search(part) else _tex(part)


def _record(work: Work) -> list[str]:
    first, _, last = work.pages.partition("-")
    if last.count("-"):
        first, last = work.pages, ""
    date = "/".join(f"{part:02d}" for part in work.date) + "/" * (3 - len(work.date))
    fields: list[tuple[str, str]] = [
        ("ID", work.key),
        ("TI", work.title),
        *(("AU", _ris_name(name)) for name in work.authors),
        *(("ED", _ris_name(name)) for name in work.editors),
        ("PY", f"{work.date[0]:04d}" if work.date else ""),
        ("DA", date if len(work.date) > 1 else ""),
        ("T2", work.container),
        ("VL", work.volume),
        ("IS", work.issue or work.number),
        ("SP", first),
        ("EP", last),
        ("PB", work.publisher),
        ("CY", work.place),
        ("M3", work.genre),
        ("SN", work.isbn or work.issn),
        ("LA", work.language),
        ("DO", work.doi),
        ("UR", work.url),
    ]
    lines = [f"{tag}  - {value}" for tag, value in fields if value]
    return [f"TY  - {_RIS_TYPES.get(work.type, 'GEN')}", *lines, "ER  - ", ""]


def _ris_name(name: Name) -> str:
    """A name as `Last, First, Suffix`. RIS knows no braces: a comma in an organisation's would part it in two."""
    if name.whole:
        return re.sub(r"\s*,\s*", " – ", name.family).strip(" –")
    last = " ".join(filter(None, (name.particle, name.family)))
    return ", ".join(filter(None, (last, name.given, name.suffix)))
