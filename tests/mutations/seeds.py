"""A small good file of every kind that is read, written here."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import docx
import pyarrow as arrow
import pyarrow.parquet as parquet
import pypdf
import typst
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from services.library.parsing.document import Kind
from tests.mutations.compound import legacy_workbook
from tests.unit.library.workbooks import workbook

Seed = tuple[str, bytes]
"""A file's name and its bytes."""

_BODY = (
    "Peat forms where plants die faster than they rot. The water keeps the air away, and without air the "
    "remains of moss pile up for thousands of years. "
)
_TYPST = f"""
#set document(title: "The Slow Archive", author: ("Ida Fenn", "Olaf Moor"))
#set page(columns: 2, height: 380pt, numbering: "1")
= The Slow Archive
{_BODY * 3}
$ sum_(n=1)^m x^n / n = sqrt(y) $
#table(columns: 3, [depth], [age], [ash], [10], [200], [1.5], [20], [410], [1.1], [30], [660], [0.4])
{_BODY * 4}
"""
_HTML = f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>Bogs</title>
<meta name="citation_author" content="Fenn, Ida"><meta name="citation_doi" content="10.5555/bog.1"></head>
<body><nav><a href="/">Home</a></nav><main><h1>Bogs</h1><p>{_BODY}</p>
<table><caption>Ages</caption><tr><th>depth<th>age<tr><td rowspan="2">10<td>200<tr><td>410</table>
<ul><li>moss<li>ash</ul><pre>a  b\n  c</pre></main></body></html>"""
_JATS = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS v1.2//EN" "JATS.dtd">
<article article-type="research-article" xmlns:mml="http://www.w3.org/1998/Math/MathML"><front><journal-meta>
<journal-title-group><journal-title>J Peat</journal-title></journal-title-group></journal-meta><article-meta>
<article-id pub-id-type="doi">10.5555/peat.7</article-id><title-group><article-title>On ash</article-title>
</title-group><contrib-group><contrib contrib-type="author"><name><surname>Fenn</surname><given-names>Ida</given-names>
</name></contrib></contrib-group><pub-date pub-type="epub"><day>2</day><month>3</month><year>2019</year></pub-date>
<abstract><p>{_BODY}</p></abstract></article-meta></front><body><sec><title>Results&nbsp;here</title><p>Depth is
<inline-formula><mml:math><mml:mfrac><mml:mi>a</mml:mi><mml:mn>2</mml:mn></mml:mfrac></mml:math></inline-formula> of
10<sup>3</sup> m<xref ref-type="bibr">1</xref>.</p><table-wrap><label>Table 1</label><caption><p>Ages</p></caption>
<table><tr><td>10</td><td>200</td></tr><tr><td>20</td><td>410</td></tr></table></table-wrap></sec></body>
<back><ref-list><ref><label>1</label><element-citation><article-title>Moss</article-title><year>1999</year>
</element-citation></ref></ref-list></back></article>"""
_BIBTEX = r"""@string{jp = "Journal of Peat"}
@article{fenn, title = {The {S}low M{\"o}or}, author = {Fenn, Ida and van der Moor, Olaf and others},
  journal = jp # { B}, year = 1998, month = mar, doi = {10.5555/x_1}, abstract = {Gains of 50\% with $\alpha$.}}
@inproceedings{child, title = "Ash", crossref = {proc}, pages = {1--4}}
@proceedings{proc, title = {Proceedings of Bogs}, year = {2001}}
"""
_RIS = """TY  - JOUR
AU  - Fenn, Ida
TI  - The slow archive
T2  - J Peat
PY  - 1998/03/02
SP  - 1
EP  - 9
AB  - Peat forms slowly.
It stays for long.
DO  - 10.5555/x
ER  -
TY  - BOOK
A1  - Moor, O.
T1  - Bogs
ER  -
"""
_CSL = [
    {
        "type": "article-journal",
        "title": "The slow archive",
        "author": [{"family": "Fenn", "given": "Ida"}],
        "issued": {"date-parts": [[1998, 3]]},
        "DOI": "10.5555/x",
        "abstract": _BODY,
    },
    {"type": "book", "title": "Bogs", "editor": [{"literal": "Bog Office"}], "issued": {"raw": "2001-05"}},
]
_MARKDOWN = (
    f"---\ntitle: Bogs\nauthor: [Ida Fenn]\ndate: 2001\n---\n# Bogs\n\n{_BODY}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
)
_ROWS = [{"depth": 10, "age": 200.5, "wet": True}, {"depth": 20, "age": None, "wet": False}]


def seeds() -> dict[Kind, list[Seed]]:
    """By kind, at least one each; the order is fixed."""
    paper = typst.compile(_TYPST.encode())
    table = 'depth,age,note\n10,200.5,wet\n20,410,"dry, old"\n'
    return {
        Kind.PDF: [("paper.pdf", paper), ("plain.pdf", _unpacked(paper)), ("locked.pdf", _locked(paper))],
        Kind.DOCX: [("report.docx", _word())],
        Kind.HTML: [("page.html", _HTML.encode())],
        Kind.TEXT: [("notes.txt", _BODY.encode()), ("alt.txt", f"Größe und Öl.\n\n{_BODY}".encode("utf-16"))],
        Kind.MARKDOWN: [("notes.md", _MARKDOWN.encode())],
        Kind.CSV: [("ages.csv", table.encode()), ("alt.csv", "größe;öl\n1,5;2\n".encode("latin-1"))],
        Kind.TSV: [("ages.tsv", table.replace(",", "\t").encode())],
        Kind.JSON: [("rows.json", json.dumps(_ROWS).encode()), ("text.json", json.dumps({"text": _BODY}).encode())],
        Kind.JSONL: [("rows.jsonl", b"\n".join(json.dumps(row).encode() for row in _ROWS))],
        Kind.XLSX: [("book.xlsx", workbook({"Ages": [["depth", "age"], [10, 200.5], ["x", True]]}))],
        Kind.XLS: [("book.xls", legacy_workbook("Ages", [["depth", "age"], [10, 200.5], ["x", -1]]))],
        Kind.BIBTEX: [("works.bib", _BIBTEX.encode())],
        Kind.RIS: [("works.ris", _RIS.encode())],
        Kind.CSL: [("works.csljson", json.dumps(_CSL).encode()), ("works.json", json.dumps(_CSL[:1]).encode())],
        Kind.JATS: [("article.nxml", _JATS.encode())],
        Kind.PARQUET: [("rows.parquet", _parquet("snappy")), ("plain.parquet", _parquet("none"))],
    }


def of_folder(folder: Path) -> list[Seed]:
    """Every file of a folder, to mutate as well."""
    return [(path.name, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]


def flat(groups: dict[Kind, list[Seed]]) -> Sequence[Seed]:
    """All seeds in one row, the kinds by turns, so that a small part of them has every kind."""
    most = max(map(len, groups.values()))
    return [group[turn] for turn in range(most) for group in groups.values() if turn < len(group)]


def _unpacked(data: bytes) -> bytes:
    """The PDF with its streams and objects in the open, where mutations reach what compression hides."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    for page in writer.pages:
        contents = page.get_contents()
        if contents is not None:
            stream = pypdf.generic.DecodedStreamObject()
            stream.set_data(contents.get_data())
            page[pypdf.generic.NameObject("/Contents")] = writer._add_object(stream)
    return _saved(writer)


def _locked(data: bytes) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt(user_password="", owner_password="owner", algorithm="AES-128")
    return _saved(writer)


def _saved(writer: pypdf.PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _word() -> bytes:
    document = docx.Document()
    document.add_heading("The Slow Archive", 0)
    paragraph = document.add_paragraph(_BODY)
    fraction = "<m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f>"
    paragraph._p.append(parse_xml(f"<m:oMath {nsdecls('m')}>{fraction}</m:oMath>"))
    table = document.add_table(rows=2, cols=2)
    for row in table.rows:
        for cell in row.cells:
            cell.text = "10"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _parquet(compression: str) -> bytes:
    table = arrow.table(
        {
            "depth": arrow.array([10, 20, None], arrow.int32()),
            "age": arrow.array([Decimal("200.50"), None, Decimal("-3.25")], arrow.decimal128(10, 2)),
            "at": arrow.array([dt.datetime(2020, 1, 2, 3, 4, 5)] * 3, arrow.timestamp("ns")),
            "site": arrow.array(["north", "south", "north"]).dictionary_encode(),
            "core": arrow.array([{"x": 1, "y": [1.5, None]}, None, {"x": 2, "y": []}]),
        }
    )
    out = io.BytesIO()
    parquet.write_table(table, out, compression=compression)
    return out.getvalue()
