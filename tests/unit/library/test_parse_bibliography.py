from __future__ import annotations

import json

import pytest

from services.library.errors import DocumentUnreadable, UnreadableCause
from services.library.parsing.csl import checked_item, described
from services.library.parsing.document import WORKS_MAX, Kind, ParsedDocument, ParseLimits
from services.library.parsing.latex import plain, without_formulas
from services.library.parsing.parse import parse

BIBTEX = r"""
@comment{made by hand}
@string{jp = "Journal of {P}eat"}
@article{fenn98,
  title     = {The {S}low M{\"o}or and $\alpha$-Moss},
  author    = "Fenn, Ida and Olaf van der Moor and {The Bog Collaboration} and others",
  journal   = jp # { B},
  volume = 3, number = {2}, pages = {11--19}, year = 1998, month = mar,
  doi       = {https://doi.org/10.5555/x\_1},
  abstract  = {Gains of 50\% were seen; 20% were lost.},
}
@InProceedings{child, title = "Ash {\&} Oak", crossref = {proc}}
@proceedings{proc, title = {Proceedings of Bogs}, year = {2001}, publisher = {Bog Press}}
@misc{fenn98, title = {The same key again}, eprint = {2101.00001}, archivePrefix = {arXiv}}
@article{broken, title = {never closed
@book{after, title = {After the break}, editor = {Moor, Olaf}}
"""
RIS = """TY  - JOUR\r
AU  - Fenn, Ida, Jr.\r
AU  - Bog Office\r
TI  - The slow archive\r
T2  - J Peat\r
PY  - 1998\r
DA  - 1998/03/02/spring\r
VL  - 3\r
SP  - 11\r
EP  - 19\r
KW  - moss\r
KW  - ash\r
AB  - Peat forms slowly,\r
over many lines.\r
UR  - https://doi.org/10.5555/x.2\r
TY - BOOK\r
A1 - Moor, O.\r
T1 - Bogs\r
SN - 978-1\r
"""
CSL = [
    {
        "id": "a",
        "type": "article-journal",
        "title": "The slow archive",
        "author": [{"family": "Moor", "given": "Olaf", "non-dropping-particle": "van der"}, {"literal": "Bog Office"}],
        "issued": {"date-parts": [["1998", 3]]},
        "container-title": "J Peat",
        "DOI": "https://doi.org/10.5555/X",
        "abstract": "Slow.",
        "custom": {"evil": True},
    },
    {"type": "book", "title": "Bogs", "issued": {"raw": "2001-05"}, "volume": 7},
]


def read(data: str | bytes, filename: str, limits: ParseLimits | None = None) -> ParsedDocument:
    return parse(data.encode() if isinstance(data, str) else data, filename, "", limits or ParseLimits())


def described_parts(document: ParsedDocument) -> list[str]:
    return [document.text[work.start : work.end] for work in document.works]


def cause(data: str | bytes, filename: str, limits: ParseLimits | None = None) -> UnreadableCause:
    with pytest.raises(DocumentUnreadable) as raised:
        read(data, filename, limits)
    return raised.value.cause


def test_bibtex_entries_become_paragraphs_with_their_works() -> None:
    document = read(BIBTEX, "works.bib")
    assert document.kind is Kind.BIBTEX
    assert "\n\n".join(described_parts(document)) == document.text
    assert described_parts(document)[:3] == [
        "The Slow Möor and α-Moss.\n\nIda Fenn, Olaf van der Moor, The Bog Collaboration (1998). "
        "Journal of Peat B, 3(2), 11-19. https://doi.org/10.5555/x_1\n\nGains of 50% were seen; 20% were lost.",
        "Ash & Oak.\n\n2001. Proceedings of Bogs. Bog Press.",
        "Proceedings of Bogs.\n\n2001. Bog Press.",
    ]
    first, child, _, again, after = (work.csl for work in document.works)
    assert first == {
        "id": "fenn98",
        "type": "article-journal",
        "title": "The Slow Möor and α-Moss",
        "author": [
            {"family": "Fenn", "given": "Ida"},
            {"family": "Moor", "given": "Olaf", "non-dropping-particle": "van der"},
            {"literal": "The Bog Collaboration"},
        ],
        "container-title": "Journal of Peat B",
        "volume": "3",
        "issue": "2",
        "page": "11-19",
        "issued": {"date-parts": [[1998, 3]]},
        "DOI": "10.5555/x_1",
    }
    assert (child["container-title"], child["type"]) == ("Proceedings of Bogs", "paper-conference")
    assert (again["number"], again["URL"]) == ("arXiv:2101.00001", "https://arxiv.org/abs/2101.00001")
    assert after["editor"] == [{"family": "Moor", "given": "Olaf"}]
    assert document.problems == ("1 of 6 entries cannot be read.",)


def test_strings_of_strings_do_not_grow_without_end() -> None:
    doubling = "".join(f"@string{{s{n} = s{n - 1} # s{n - 1}}}\n" for n in range(1, 60))
    document = read(f"@string{{s0 = {{moss }}}}\n{doubling}@misc{{a, title = s59}}", "bomb.bib")
    assert len(document.text) < 1_000_000


def test_ris_records_with_and_without_an_end() -> None:
    document = read(RIS, "works.ris")
    assert described_parts(document) == [
        "The slow archive.\n\nIda Fenn Jr., Bog Office (1998). J Peat, 3, 11-19. https://doi.org/10.5555/x.2\n\n"
        "Peat forms slowly, over many lines.\n\nKeywords: moss; ash",
        "Bogs.\n\nO. Moor.",
    ]
    first, second = (work.csl for work in document.works)
    assert first["issued"] == {"date-parts": [[1998, 3, 2]]}
    assert (second["type"], second["ISBN"]) == ("book", "978-1")


@pytest.mark.parametrize("filename", ["works.json", "works.csljson"])
def test_csl_items_are_a_bibliography(filename: str) -> None:
    document = read(json.dumps(CSL), filename)
    assert document.kind is Kind.CSL
    assert not document.is_dataset
    assert described_parts(document) == [
        "The slow archive.\n\nOlaf van der Moor, Bog Office (1998). J Peat. https://doi.org/10.5555/X\n\nSlow.",
        "Bogs.\n\n2001. 7.",
    ]
    assert document.works[0].csl["issued"] == {"date-parts": [[1998, 3]]}
    assert "custom" not in document.works[0].csl
    assert document.works[1].csl["issued"] == {"date-parts": [[2001, 5]]}


def test_rows_with_a_type_are_still_a_dataset() -> None:
    rows = [{"type": "book", "author": "Fenn", "title": "Bogs"}, {"type": "song", "author": "Moor", "title": "Ash"}]
    assert read(json.dumps(rows), "rows.json").is_dataset
    assert cause(json.dumps(rows), "rows.csljson") is UnreadableCause.CORRUPT


def test_files_that_list_nothing_are_named() -> None:
    assert cause("no entry here", "x.bib") is UnreadableCause.CORRUPT
    assert cause("no record here", "x.ris") is UnreadableCause.CORRUPT
    assert cause("TY  - JOUR\nER  - \n", "x.ris") is UnreadableCause.CORRUPT
    assert cause("{", "x.csljson") is UnreadableCause.CORRUPT
    assert cause(" \n", "x.ris") is UnreadableCause.EMPTY
    assert cause(BIBTEX, "x.bib", ParseLimits(characters=len(BIBTEX) - 1)) is UnreadableCause.TOO_LARGE


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("@article{x, title=}", 1),
        ("\n\n@misc{a, note = {}}\n@misc{b, note = {}}", 3),
        ("notes\n@article{x, title={a", 2),
    ],
)
def test_an_error_says_at_which_line_a_work_was_looked_for(source: str, line: int) -> None:
    with pytest.raises(DocumentUnreadable, match=rf"at line {line}\b") as raised:
        read(source, "x.bib")
    assert raised.value.cause is UnreadableCause.CORRUPT
    assert "OCR" not in str(raised.value)


def test_the_encoding_of_a_bibliography_is_detected() -> None:
    source = "@misc{a, title = {Größe der Moore}, author = {Müller, Jörg}}"
    for encoding in ("utf-8-sig", "utf-16", "latin-1"):
        assert read(source.encode(encoding), "x.bib").works[0].csl["title"] == "Größe der Moore"


def test_a_document_comes_back_from_the_wire_and_nonsense_does_not() -> None:
    document = read(BIBTEX, "works.bib")
    wire = json.loads(json.dumps(document.to_wire()))
    assert ParsedDocument.from_wire(wire) == document
    length = len(document.text)
    strange: list[object] = [{"start": 0, "end": length + 1, "csl": {}}, {"start": True, "end": 1, "csl": {}}, {}, []]
    for work in strange:
        with pytest.raises((ValueError, TypeError, KeyError)):
            ParsedDocument.from_wire({**wire, "works": [work]})
    for table in ({"start": 1, "end": 0}, {"page": "1"}, {"rows": -1}, {"caption": None}):
        place = {"start": 0, "end": 1, "page": None, "caption": "", "rows": 1, "columns": 1, **table}
        with pytest.raises((ValueError, TypeError)):
            ParsedDocument.from_wire({**wire, "tables": [place]})
    with pytest.raises(TypeError):
        ParsedDocument.from_wire({**wire, "csl": ["type"]})


def test_items_keep_what_is_known_in_its_form_and_nothing_else() -> None:
    item = checked_item(
        {"title": " A\n b ", "author": "Fenn", "issued": [1], "volume": 3, "DOI": "nothing", "page": None, "x": "y"}
    )
    assert item == {"title": "A b", "volume": "3"}
    facts = described(
        "document", "Bogs", ("Ida Fenn", "Jan van der Moor", "Bog Institute"), 1998, "10.5555/x", issue=""
    )
    assert facts == {
        "type": "document",
        "title": "Bogs",
        "author": [
            {"given": "Ida", "family": "Fenn"},
            {"given": "Jan", "family": "van der Moor"},
            {"literal": "Bog Institute"},
        ],
        "issued": {"date-parts": [[1998]]},
        "DOI": "10.5555/x",
    }


def test_works_are_bounded() -> None:
    items = [{"type": "book", "title": "Bogs", "editor": [{"literal": "A"}]}] * (WORKS_MAX + 1)
    assert len(read(json.dumps(items[:50]), "x.csljson").works) == 50
    assert cause(json.dumps(items), "x.csljson") is UnreadableCause.TOO_LARGE
    known_at_length = [{**items[0], "id": "x" * 1_900}] * 20
    assert cause(json.dumps(known_at_length), "x.csljson", ParseLimits(characters=39_000)) is UnreadableCause.TOO_LARGE


@pytest.mark.parametrize("kind", [["article"], {"a": 1}, None, 7])
def test_rows_whose_type_is_no_word_are_a_dataset(kind: object) -> None:
    found = parse(json.dumps([{"type": kind, "title": "Peat", "author": []}]).encode(), "x.json", "", ParseLimits())
    assert found.kind is Kind.JSON
    assert found.is_dataset


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"{pCO$_2$}", "pCO₂"),
        (r"CO$_2$ and $^{13}$C", "CO₂ and ¹³C"),
        (r"{$\delta^{13}$C} of {$\mathrm{CO_2}$}", "δ¹³C of CO₂"),
        (r"$\mathrm{SO}_4^{2-}$ at 10$^\circ$C", "SO₄²⁻ at 10°C"),
        (r"H\textsubscript{2}O, 10\textsuperscript{-3}", "H₂O, 10⁻³"),
        (r"\(x_i\) and \ensuremath{k_{n+1}}", "xᵢ and kₙ₊₁"),
        (r"$x_{max}$, $k_{\rm B}$, $O(n^2)$", "x_max, k_B, O(n²)"),
        (r"$p < 0.05$, \alpha-pinene, \$5", "p < 0.05, α-pinene, $5"),
        (r"a_b ^ c", "a_b ^ c"),
        (r"$_{$ and $^", None),
    ],
)
def test_simple_formulas_become_text(source: str, text: str | None) -> None:
    assert "$" not in plain(source).replace("$5", "")
    if text is not None:
        assert plain(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("pCO$_2$ of $x$", "pCO₂ of x"),
        ("US$5 and US$6, {so}", "US$5 and US$6, {so}"),
        (r"$\alpha$-pinene", "α-pinene"),
        ("From $3-$4", "From $3-$4"),
    ],
)
def test_formulas_in_other_texts(source: str, text: str) -> None:
    assert without_formulas(source) == text
    item = {"type": "book", "title": source, "author": [{"literal": "Moor"}]}
    assert parse(json.dumps([item]).encode(), "a.json", "", ParseLimits()).works[0].csl["title"] == text
