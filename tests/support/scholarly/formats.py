"""The four services' formats, as they send them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import typst

from tests.support.scholarly.papers import Paper

JSON = Any
_DEEDS = {
    "cc-by": "http://creativecommons.org/licenses/by/4.0/",
    "cc-by-nc": "https://creativecommons.org/licenses/by-nc/4.0/",
    "cc0": "https://creativecommons.org/publicdomain/zero/1.0/",
}


def inverted(text: str) -> dict[str, list[int]]:
    """A text as OpenAlex sends abstracts: each word with its positions."""
    index: dict[str, list[int]] = {}
    for position, word in enumerate(text.split()):
        index.setdefault(word, []).append(position)
    return index


def openalex_work(paper: Paper, files: str) -> JSON:
    location = {
        "is_oa": bool(paper.licence),
        "landing_page_url": f"https://doi.org/{paper.doi}",
        "pdf_url": f"{files}/{paper.number}.pdf" if paper.licence else None,
        "license": paper.licence or None,
        "source": {"display_name": paper.journal, "host_organization_name": "Invented Press"},
    }
    return {
        "id": f"https://openalex.org/W{paper.number}",
        "doi": f"https://doi.org/{paper.doi}" if paper.doi else None,
        "display_name": paper.title,
        "publication_year": paper.year,
        "publication_date": f"{paper.year}-03-01",
        "type": "article",
        "authorships": [{"author": {"display_name": f"{given} {family}"}} for given, family in paper.authors],
        "primary_location": location,
        "best_oa_location": location if paper.licence else None,
        "open_access": {"is_oa": bool(paper.licence), "oa_status": "gold"},
        "biblio": {"volume": "7", "issue": "2", "first_page": "11", "last_page": "29"},
        "abstract_inverted_index": inverted(paper.abstract),
        "is_retracted": paper.retracted,
    }


def openalex(page: Sequence[Paper], total: int, cursor: str | None, files: str) -> JSON:
    meta = {"count": total, "per_page": len(page), "next_cursor": cursor}
    return {"meta": meta, "results": [openalex_work(paper, files) for paper in page], "group_by": []}


def crossref_work(paper: Paper, files: str) -> JSON:
    work: dict[str, JSON] = {
        "DOI": paper.doi,
        "title": [paper.title.replace("carbon dioxide", "<i>carbon</i> dioxide")],
        "author": [
            {"given": given, "family": family, "sequence": "first", "affiliation": []}
            for given, family in paper.authors
        ],
        "abstract": f"<jats:title>Abstract</jats:title><jats:p>{escape(paper.abstract)}</jats:p>",
        "issued": {"date-parts": [[paper.year, 3, 1]]},
        "container-title": [paper.journal],
        "volume": "7",
        "page": "11-29",
        "publisher": "Invented Press",
        "type": "journal-article",
        "URL": f"https://doi.org/{paper.doi}",
    }
    if paper.licence in _DEEDS:
        started = {"date-parts": [[paper.year, 3, 1]]}
        work["license"] = [{"URL": _DEEDS[paper.licence], "start": started, "content-version": "vor"}]
        work["link"] = [
            {"URL": f"{files}/{paper.number}.pdf", "content-type": "application/pdf", "content-version": "vor"}
        ]
    return work


def crossref(page: Sequence[Paper], total: int, files: str) -> JSON:
    items = [crossref_work(paper, files) for paper in page]
    return {
        "status": "ok",
        "message-type": "work-list",
        "message": {"total-results": total, "items-per-page": len(page), "items": items},
    }


def europepmc_work(paper: Paper) -> JSON:
    people = [
        {"fullName": f"{family} {given[0]}", "firstName": given, "lastName": family, "initials": given[0]}
        for given, family in paper.authors
    ]
    work: dict[str, JSON] = {
        "id": str(paper.number),
        "source": "MED",
        "pmid": str(paper.number),
        "doi": paper.doi,
        "title": f"{paper.title}.",
        "authorString": ", ".join(person["fullName"] for person in people),
        "authorList": {"author": people},
        "journalInfo": {"volume": "7", "issue": "2", "journal": {"title": paper.journal}},
        "pubYear": str(paper.year),
        "pageInfo": "11-29",
        "abstractText": f"<h4>Background</h4>{escape(paper.abstract)}",
        "isOpenAccess": "Y" if paper.licence else "N",
        "firstPublicationDate": f"{paper.year}-03-01",
        "pubTypeList": {"pubType": ["Retracted Publication" if paper.retracted else "Journal Article"]},
    }
    if paper.pmcid:
        work["pmcid"] = paper.pmcid
    if paper.licence:
        work["license"] = paper.licence.replace("-", " ", 1)
    return work


def europepmc(page: Sequence[Paper], total: int, cursor: str) -> JSON:
    results = [europepmc_work(paper) for paper in page]
    return {"version": "6.9", "hitCount": total, "nextCursorMark": cursor, "resultList": {"result": results}}


def arxiv_entry(paper: Paper) -> str:
    doi = f"<arxiv:doi>{escape(paper.doi)}</arxiv:doi>" if paper.doi else ""
    authors = "".join(f"<author><name>{escape(f'{a} {b}')}</name></author>" for a, b in paper.authors)
    return f"""  <entry>
    <id>http://arxiv.org/abs/{paper.arxiv}v2</id>
    <published>{paper.year}-02-01T12:00:00Z</published>
    <title>{escape(paper.title.replace(" ", chr(10) + "  ", 1))}</title>
    <summary>  {escape(paper.abstract)}
</summary>
    {authors}{doi}
    <link href="http://arxiv.org/abs/{paper.arxiv}v2" rel="alternate" type="text/html"/>
    <link title="pdf" href="http://arxiv.org/pdf/{paper.arxiv}v2" rel="related" type="application/pdf"/>
    <arxiv:primary_category term="q-bio.PE" scheme="http://arxiv.org/schemas/atom"/>
  </entry>
"""


def arxiv(page: Sequence[Paper], total: int, start: int) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"
      xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">
  <id>http://arxiv.org/api/invented</id>
  <title>arXiv Query</title>
  <opensearch:totalResults>{total}</opensearch:totalResults>
  <opensearch:startIndex>{start}</opensearch:startIndex>
  <opensearch:itemsPerPage>{len(page)}</opensearch:itemsPerPage>
{"".join(arxiv_entry(paper) for paper in page)}</feed>
"""


def pdf(paper: Paper) -> bytes:
    """The full text as its publisher's file."""
    source = f"= {paper.title}\n\n{paper.abstract}\n\n== Methods\n\n{paper.body}\n"
    return bytes(typst.compile(source.encode()))


def jats(paper: Paper) -> str:
    names = "".join(
        f'<contrib contrib-type="author"><name><surname>{family}</surname><given-names>{given}</given-names></name>'
        "</contrib>"
        for given, family in paper.authors
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<article article-type="research-article" xmlns:xlink="http://www.w3.org/1999/xlink">
<front><article-meta><article-id pub-id-type="doi">{paper.doi}</article-id>
<title-group><article-title>{escape(paper.title)}</article-title></title-group>
<contrib-group>{names}</contrib-group><pub-date><year>{paper.year}</year></pub-date>
<abstract><p>{escape(paper.abstract)}</p></abstract></article-meta></front>
<body><sec><title>Methods</title><p>{escape(paper.body)}</p></sec></body></article>
"""
