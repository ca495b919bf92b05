"""What a document says about itself: title, authors, year, DOI. Rather nothing than something wrong."""

from __future__ import annotations

import re
from pathlib import PurePath

from services.library.parsing.normalise import one_line

TITLE_MAX = 500
_FIRST_PAGE = 4_000
_JUNK_TITLE = re.compile(
    r"^(untitled|microsoft (word|powerpoint|excel)\b.*|document\d*|slide \d+|title|binder\d*"
    r"|.*\.(pdf|docx?|dvi|tex|txt|ps|eps|indd|qxd|xlsx?|rtf|html?))$",
    re.IGNORECASE,
)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>{}|\\^`]+", re.IGNORECASE)
_ARXIV = re.compile(
    r"\barXiv:(\d{4}\.\d{4,5}v\d+|[a-z-]+(?:\.[A-Z]{2})?/\d{7}v\d+)\s+\[[\w.-]+\]\s+\d{1,2}\s+[A-Z][a-z]{2}\s"
)
_YEAR = r"(?<!\d)((?:19|20)\d\d)(?!\d)"
_DATED_LINE = re.compile(
    r"(©|\(c\)|copyright|published|accepted|received|proceedings|conference|workshop|symposium"
    r"|journal|vol(?:ume|\.)|arxiv:)",
    re.IGNORECASE,
)
_NAME = re.compile(r"^[^\W\d_][\w.'’\-]*(?:\s+[\w.'’\-]+)+$")
_NO_NAME = re.compile(
    r"\b(user|admin\w*|owner|office|author|authors|unknown|microsoft|adobe|scanner|python-docx)\b",
    re.IGNORECASE,
)


def title_from_filename(filename: str) -> str:
    """The file's name without folder and extension, separators as spaces."""
    stem = PurePath(filename.replace("\\", "/")).stem
    return one_line(re.sub(r"[_\s]+", " ", stem))[:TITLE_MAX]


def usable_title(candidate: str) -> str:
    """`candidate` on one line, or "" when it is a program's placeholder rather than a title."""
    title = one_line(candidate)
    letters = sum(character.isalpha() for character in title)
    if letters < 4 or _JUNK_TITLE.match(title):
        return ""
    return title[:TITLE_MAX]


def find_doi(text: str) -> str:
    """The document's own DOI from its first page; "" when there is none or more than one to choose from."""
    found = [clean_doi(match.group()) for match in _DOI.finditer(text[:_FIRST_PAGE])]
    return found[0] if len({doi.casefold() for doi in found}) == 1 else ""


def clean_doi(raw: str) -> str:
    """A DOI without resolver, label or the sentence's punctuation; "" when `raw` holds none."""
    match = _DOI.search(raw)
    if match is None:
        return ""
    doi = match.group().rstrip(".,;:'’”*")
    for opening, closing in ("()", "[]"):
        while doi.endswith(closing) and doi.count(closing) > doi.count(opening):
            doi = doi[:-1].rstrip(".,;:")
    return doi


def find_arxiv(text: str) -> dict[str, str]:
    """`number` and `URL` of a preprint that bears arXiv's stamp; nothing when none or several are there."""
    found = {match[1] for match in _ARXIV.finditer(text)}
    if len(found) != 1:
        return {}
    (identifier,) = found
    return {"number": f"arXiv:{identifier}", "URL": f"https://arxiv.org/abs/{identifier}"}


def find_year(text: str) -> int | None:
    """The year of publication, from a line of the first page that dates the document; else None."""
    years: list[int] = []
    for line in text[:_FIRST_PAGE].splitlines():
        if len(line) <= 300 and _DATED_LINE.search(line):
            years.extend(int(year) for year in re.findall(_YEAR, line))
    return max(years) if years else None


def year_of(raw: str) -> int | None:
    """The year in a date field such as `2021-03-04` or `March 2021`."""
    match = re.search(_YEAR, raw)
    return int(match.group(1)) if match else None


def split_authors(raw: str) -> tuple[str, ...]:
    """Names from a file's author field. Account names and programs are left out."""
    names: list[str] = []
    parts = re.split(r"\s*[;\n|]\s*|\s+and\s+|\s*&\s*", raw)
    if len(parts) == 1 and raw.count(",") >= 1:
        pieces = [piece.strip() for piece in raw.split(",")]
        # "Jane Doe, Ali Khan" are two people, "Doe, Jane" is one.
        parts = pieces if all(" " in piece for piece in pieces) else [raw]
    for part in parts:
        name = one_line(part).strip(" ,")
        if "," in name:
            family, _, given = name.partition(",")
            name = f"{given.strip()} {family.strip()}"
        if _NAME.match(name) and len(name) <= 80 and not _NO_NAME.search(name) and name not in names:
            names.append(name)
    return tuple(names[:100])
