"""References for other programs, read back with theirs: bibtexparser, rispy and pandoc."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import rispy
from bibtexparser.entrypoint import parse_string
from hypothesis import given, settings
from hypothesis import strategies as st

from services.results.rendering.citing.bibliography import Work, csl_json, works
from services.results.rendering.citing.bibliography_formats import bibtex, ris
from services.results.rendering.document import Citation, ResultDocument
from services.results.rendering.word import pandoc
from tests.unit.rendering.payloads import PAYLOADS
from tests.unit.rendering.sample import sample

HOSTILE = [
    "} @evil{x, title={owned}}", "{unbalanced", "un}balanced", "back\\slash\\", "100 % of $x_1^2$ & #1 ~ tilde",
    "\\input{/etc/passwd}", "@string{a = {b}}", 'quote "marks"', "@comment{", "a, b and c and others",
    "line\nER  - \nTY  - JOUR", "TY  - BOOK", "trailing \\", "%comment", "\u2028ER  - ", "\x0bER  - \x1dTI  - x",
]  # fmt: skip


def citation(id: str, title: str, *authors: str, csl: dict[str, Any] | None = None, **fields: Any) -> Citation:
    blank: dict[str, Any] = {"year": None, "doi": None, "url": None, "passages": ()}
    return Citation(id=id, document_id=id, title=title, authors=authors, csl=csl or {}, **blank | fields)


FULL = citation(
    "c1",
    "On the DNA of Čapek’s newts: a study",
    year=2020,
    doi="https://doi.org/10.1002/(SICI)1097_4571(199806)49:8<693::AID>3.0.CO;2-O",
    url="https://example.org/a_b?x=1&y=%7B2%7D",
    csl={
        "type": "article-journal",
        "author": [
            {"family": "Berg", "given": "Lotte", "non-dropping-particle": "van der"},
            {"family": "Müller-Łoś", "given": "Jörg", "suffix": "Jr."},
            {"family": "García Márquez", "given": "Gabriel"},
            {"literal": "Institute for Ash, Oak and Elm"},
        ],
        "issued": {"date-parts": [[2020, 5, 31]]},
        "container-title": "Journal of R&D_Studies",
        "volume": 12,
        "issue": "3",
        "page": "41–58",
        "ISSN": "1234-5678",
    },
)
BOOK = citation("c2", "Boiling water", "Tanaka, Yui", year=2019, csl={"type": "book", "publisher": "Press"})
THESIS = citation(
    "c3", "Ash", "Yui Tanaka", csl={"type": "thesis", "genre": "Master's thesis", "publisher": "University of Elm"}
)
PAPER = citation("c4", "Ash", csl={"type": "paper-conference", "container-title": "Proceedings", "page": "e12"})


@cache
def hostile() -> tuple[Work, ...]:
    payloads = [*HOSTILE, *PAYLOADS]
    return works(
        [
            citation(
                f"k{index}",
                payload,
                csl={
                    "type": "article-journal",
                    "author": [{"family": payload, "given": payload}, {"literal": payload}],
                    **dict.fromkeys(("container-title", "volume", "issue", "page", "publisher", "language"), payload),
                    "DOI": payload,
                    "URL": payload,
                    "issued": {"date-parts": [[2001]]},
                },
            )
            for index, payload in enumerate(payloads)
        ]
    )


def converted(source: bytes, format: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = json.loads(pandoc.run(["-f", format, "-t", "csljson"], source))
    return items


def bare(text: str) -> str:
    """Without the spans of protected case, white space and what the readers take for typography."""
    return re.sub(r"[\s\u00a0]+", "", re.sub(r"<span class=\"nocase\">|</span>", "", text))


def test_pandoc_reads_bibtex_back() -> None:
    first, book, thesis, paper = converted(bibtex(works([FULL, BOOK, THESIS, PAPER])), "bibtex")
    assert bare(first["title"]) == bare(FULL.title)
    assert first["author"][:3] == [
        # BibTeX has one kind of particle.
        {"family": "Berg", "given": "Lotte", "dropping-particle": "van der"},
        {"family": "Müller-Łoś", "given": "Jörg", "suffix": "Jr."},
        {"family": "García Márquez", "given": "Gabriel"},
    ]
    assert first["author"][3] == {"literal": "Institute for Ash, Oak and Elm"}
    assert first["type"] == "article-journal"
    assert (first["container-title"], first["volume"], first["issue"], first["page"]) == (
        "Journal of R&D_Studies", "12", "3", "41-58",
    )  # fmt: skip
    assert first["issued"]["date-parts"] == [[2020, 5]]
    assert first["DOI"] == "10.1002/(SICI)1097_4571(199806)49:8<693::AID>3.0.CO;2-O"
    assert first["URL"] == FULL.url
    assert (book["type"], book["publisher"], book["author"]) == (
        "book", "Press", [{"family": "Tanaka", "given": "Yui"}],
    )  # fmt: skip
    assert (thesis["type"], thesis["publisher"]) == ("thesis", "University of Elm")
    assert (paper["type"], paper["container-title"], paper["page"]) == ("paper-conference", "Proceedings", "e12")


def test_pandoc_reads_ris_back() -> None:
    first, book, thesis, _ = converted(ris(works([FULL, BOOK, THESIS, PAPER])), "ris")
    assert first["title"] == FULL.title
    assert [name["family"] for name in first["author"][:3]] == ["Berg", "Müller-Łoś", "García Márquez"]
    assert (first["container-title"], first["volume"], first["issue"], first["page"]) == (
        "Journal of R&D_Studies", "12", "3", "41-58",
    )  # fmt: skip
    assert first["DOI"] == "10.1002/(SICI)1097_4571(199806)49:8<693::AID>3.0.CO;2-O"
    assert (book["type"], thesis["type"]) == ("book", "thesis")


def test_bibtexparser_and_rispy_read_every_entry() -> None:
    found = works([FULL, BOOK, THESIS, PAPER])
    library = parse_string(bibtex(found).decode())
    assert library.failed_blocks == []
    assert [(entry.key, entry.entry_type) for entry in library.entries] == [
        ("berg2020dna", "article"), ("tanaka2019boiling", "book"), ("yuitanakaash", "mastersthesis"),
        ("ash", "inproceedings"),
    ]  # fmt: skip
    (record, *others) = rispy.loads(ris(found).decode())
    assert len(others) == 3
    assert record["type_of_reference"] == "JOUR"
    assert record["authors"][0] == "van der Berg, Lotte"
    assert (record["start_page"], record["end_page"], record["year"]) == ("41", "58", "2020")


def test_no_text_ends_its_field_or_entry() -> None:
    found = hostile()
    library = parse_string(bibtex(found).decode())
    assert library.failed_blocks == []
    assert len(library.blocks) == len(library.entries) == len(found)
    assert {entry.entry_type for entry in library.entries} == {"article"}
    allowed = {
        "title", "author", "journal", "volume", "number", "pages", "publisher", "language", "year", "doi", "url",
    }  # fmt: skip
    assert {field.key for entry in library.entries for field in entry.fields} <= allowed
    records = rispy.loads(ris(found).decode())
    assert [(record["id"], record["title"]) for record in records if "title" in record] == [
        (work.key, work.title) for work in found if work.title
    ]
    assert {record["type_of_reference"] for record in records} == {"JOUR"}


def test_texts_come_back_from_bibtex_as_they_were() -> None:
    chosen = [work for work in hostile() if work.id in {f"k{index}" for index in range(len(HOSTILE))}]
    for work, item in zip(chosen, converted(bibtex(chosen), "bibtex"), strict=True):
        assert item["id"] == work.key
        # Quotes and dashes are typography to TeX.
        expected = work.title.replace('"', "”").replace("'", "’")
        braces = item["title"].replace(r"$\lbrace$", "{").replace(r"$\rbrace$", "}")
        assert bare(braces).replace('"', "”").replace("“", "”") == bare(expected)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.tuples(_TEXTS, _TEXTS, _TEXTS), min_size=1, max_size=4))
def test_any_text_keeps_entries_apart(texts: list[tuple[str, str, str]]) -> None:
    found = works(
        [
            citation(
                str(index),
                title,
                csl={"type": "book", "author": [{"family": name, "given": given}], "publisher": title, "page": given},
            )
            for index, (title, name, given) in enumerate(texts)
        ]
    )
    library = parse_string(bibtex(found).decode())
    assert [block.key for block in library.entries] == [work.key for work in found]
    assert len(library.blocks) == len(found)
    assert [record["id"] for record in rispy.loads(ris(found).decode())] == [work.key for work in found]


@pytest.mark.parametrize(
    ("authors", "year", "title", "key"),
    [
        (("Smith, Jane",), 2020, "The boiling of water", "smith2020boiling"),
        (("Müller-Łoś, Jörg",), 1999, "Über das Eis", "mullerlos1999uber"),
        (("O’Neill, Ann",), None, "“A” tale", "oneilltale"),
        ((), 2001, "", None),
        (("山田, 太郎",), 2015, "水の沸騰", None),
        ((), None, "42 little pigs", "ref42little"),
        ((), None, "The Ocean’s overturning", "oceansoverturning"),
    ],
)  # fmt: skip
def test_keys_are_plain_and_tell_what_they_mean(
    authors: tuple[str, ...], year: int | None, title: str, key: str | None
) -> None:
    (work,) = works([citation("id", title, *authors, year=year)])
    assert re.fullmatch(r"[a-z][a-z0-9]*", work.key)
    if key is None:
        assert work.key.startswith(f"ref{year}")
    else:
        assert work.key == key


def test_keys_are_unique_and_do_not_change_when_more_is_cited() -> None:
    same = [citation(f"c{index}", "Boiling water", "Smith, J", year=2020) for index in range(30)]
    other = citation("d", "Boilingb", "Smith, K", year=2020)
    keys = [work.key for work in works([*same[:1], other, *same[1:]])]
    assert len(set(keys)) == 31
    assert keys[:4] == ["smith2020boiling", "smith2020boilingb", "smith2020boilingc", "smith2020boilingd"]
    assert [work.key for work in works(same)][:2] == [keys[0], "smith2020boilingb"]


@pytest.mark.parametrize("told", [{"document_id": "d1"}, {"doi": "10.1000/182"}, {}])
def test_a_key_without_ascii_letters_is_the_same_whatever_id_the_citation_has(told: dict[str, str]) -> None:
    def key(id: str, title: str, **more: str) -> str:
        source = {"id": id, "title": title, "authors": [], **more}
        return works(ResultDocument.parse({"title": "t", "citations": [source]}).citations)[0].key

    assert key("citation-1", "海洋碳吸收", **told) == key("citation-2", "海洋碳吸收", **told)
    assert key("citation-1", "海洋碳吸收", document_id="d1") != key("citation-1", "η θάλασσα", document_id="d1")


def test_csl_json_keeps_the_items_under_the_same_keys() -> None:
    cited = [FULL, BOOK, THESIS]
    found = works(cited)
    items = json.loads(csl_json(cited, found))
    assert [item["id"] for item in items] == [work.key for work in found]
    assert [item["custom"]["citation"] for item in items] == ["c1", "c2", "c3"]
    assert {name: value for name, value in items[0].items() if name in FULL.csl} == dict(FULL.csl)
    assert items[0]["DOI"].startswith("10.1002/")
    assert items[1]["issued"] == {"date-parts": [[2019]]}
    assert items[1]["author"] == [{"family": "Tanaka", "given": "Yui"}]
    assert converted(csl_json(cited, found), "csljson")[1]["title"] == "Boiling water"


def test_the_sample_in_both_formats() -> None:
    found = works(ResultDocument.parse(sample()).citations)
    assert bibtex(found).decode().splitlines()[:10] == [
        "@article{marsh2014vapour,",
        "  title = {{Vapour pressure and boiling}},",
        "  author = {Marsh, Eleanor and Okafor, Chidi and Lindqvist, Sven},",
        "  journal = {Journal of Thermal Teaching},",
        "  volume = {12},",
        "  number = {3},",
        "  pages = {41--58},",
        "  year = {2014},",
        "  doi = {10.5555/vapour.2014.7},",
        "}",
    ]
    assert ris(found).decode().splitlines()[:4] == [
        "TY  - JOUR",
        "ID  - marsh2014vapour",
        "TI  - Vapour pressure and boiling",
        "AU  - Marsh, Eleanor",
    ]


def test_an_organisation_with_a_comma_is_one_name_in_ris() -> None:
    (work,) = works([replace(FULL, csl={**FULL.csl, "author": [{"literal": "Health Office, Geneva, Unit 3"}]})])
    (record,) = rispy.loads(ris([work]).decode())
    assert record["authors"] == ["Health Office – Geneva – Unit 3"]
